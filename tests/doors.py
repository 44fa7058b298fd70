"""The doors on a real database, with a fake WeChat on loopback and everybody signed in over HTTP.

Fixtures of the whole suite, so that whoever asks for the scene in one process gets the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path

import pytest
from flask import Flask

from app.config import Settings
from app.factory import create_app
from clients.fake_wechat.server import FakeWeChat
from tests.api.caller import Caller
from tests.api.description import Description, describe
from tests.api.scene import FRESH, PASSWORD, PEOPLE, STAFF, Scene, set_scene
from tests.conftest import SECRET, books_must_balance
from tests.day import MOMENT, begin_again, live_by
from tests.kept import KeptBank
from tests.postgres import ThrowawayPostgres
from tests.warm import WarmBank
from timebank import migrations
from timebank.core import clock, crypto
from timebank.core.db import Database

_numbers = count()
_set_at: list[datetime] = []
"""When the scene of this process was set, by the bank's clock."""

SignIn = Callable[[str], Caller]


@pytest.fixture(scope="session")
def description() -> Description:
    return describe()


@pytest.fixture(scope="session")
def wechat() -> Iterator[FakeWeChat]:
    with FakeWeChat(appid="wx-test", secret="the-apps-own-secret") as running:
        yield running


_warm = WarmBank()
_built: dict[str, Flask] = {}
"""Applications of this process. Building one takes longer than most tests, and it keeps nothing but its database."""


@contextmanager
def open_doors(bank: Database, wechat: FakeWeChat, home: Path, *, of: str) -> Iterator[Flask]:
    """The application ``of`` a test or module on ``bank``, whose books must balance afterwards."""
    settings = Settings(
        home=home,
        database_url=bank.engine.url.render_as_string(hide_password=False),
        secret_key=SECRET,
        wechat_base_url=wechat.url,
        wechat_appid="wx-test",
        wechat_secret="the-apps-own-secret",
    )
    if of not in _built:
        _built[of] = create_app(settings)
        _built[of].extensions["timebank_database"].close()
    app = _built[of]
    app.extensions["timebank_database"] = bank
    begin_again(_set_at[-1])
    live_by(settings.clock_file)
    yield app
    books_must_balance(bank)


@pytest.fixture(scope="session")
def staged(postgres: ThrowawayPostgres, _clock_file: Path) -> tuple[str, Scene]:
    """A database with the scene in it, to be copied, and the scene."""
    crypto.use_secret(SECRET)
    begin_again(MOMENT)
    live_by(_clock_file)
    scenes = []

    def prepare(url: str) -> None:
        migrations.upgrade(url)
        bank = Database(url)
        scenes.append(set_scene(bank))
        _set_at.append(clock.now())
        bank.close()

    return postgres.make_template("scene", prepare), scenes[0]


@contextmanager
def copied(postgres: ThrowawayPostgres, template: str) -> Iterator[str]:
    """A copy of ``template`` for one module."""
    name = f"doors{next(_numbers)}"
    yield postgres.clone(template, name)
    postgres.drop(name)


@pytest.fixture(scope="session")
def _kept_scene(postgres: ThrowawayPostgres, staged: tuple[str, Scene]) -> Iterator[KeptBank]:
    kept = KeptBank(postgres, staged[0])
    yield kept
    kept.discard()


@pytest.fixture
def app(_kept_scene: KeptBank, wechat: FakeWeChat, tmp_path: Path) -> Iterator[Flask]:
    """The application on a bank of the test's own; when the test is over, its books must balance."""
    with _kept_scene.lent() as bank, open_doors(bank, wechat, tmp_path, of="test") as app:
        yield app


@pytest.fixture
def scene(staged: tuple[str, Scene]) -> Scene:
    return staged[1]


@pytest.fixture
def nobody(app: Flask, description: Description) -> Caller:
    return Caller(app, description)


@pytest.fixture
def sign_in(nobody: Caller) -> SignIn:
    """Signs somebody of the scene in over HTTP."""
    return lambda who: signed_in(nobody, who)


@pytest.fixture(scope="module")
def still_doors(
    postgres: ThrowawayPostgres,
    staged: tuple[str, Scene],
    wechat: FakeWeChat,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Flask, Scene]]:
    """Doors and scene for all tests of a module that change nothing, or do not mind what others changed."""
    home = tmp_path_factory.mktemp("home")
    with copied(postgres, staged[0]) as url:
        bank = _warm.on(url)
        with open_doors(bank, wechat, home, of="module") as app:
            yield app, staged[1]
        bank.close()


@pytest.fixture(scope="module")
def still_callers(still_doors: tuple[Flask, Scene], description: Description) -> dict[str, Caller]:
    """Everybody of the module's scene, signed in over HTTP; ``nobody`` without a token."""
    nobody = Caller(still_doors[0], description)
    return {"nobody": nobody, **{who: signed_in(nobody, who) for who in (*STAFF, *PEOPLE, FRESH)}}


def signed_in(nobody: Caller, who: str) -> Caller:
    """The same door with a token of ``who``."""
    if who in STAFF:
        answer = nobody.ok("auth.staff_login", {"username": who, "password": PASSWORD})
    else:
        answer = nobody.ok("auth.wechat_login", {"code": f"demo:{who}"})
        assert answer["registered"] is (who != FRESH)
    return Caller(nobody.app, nobody.description, answer["access_token"])
