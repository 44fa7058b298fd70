"""``timebank staff``: logins that can be used at once, and closed at once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from tests.cli.command_line import CommandLine
from tests.factories.people import DAYAN, XIWU, add_canteen
from timebank.canteens.network.models import Canteen
from timebank.core.db import Database
from timebank.people.actions import try_password
from timebank.people.login_models import Login
from timebank.townships.models import Organisation

PASSWORD = "canteen password"
TYPED = f"{PASSWORD}\n{PASSWORD}\n"


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


def signs_in(bank: Database, username: str) -> bool:
    with bank.unit_of_work() as session:
        return isinstance(try_password(session, username=username, password=PASSWORD), Login)


def test_a_login_that_was_added_works_until_it_is_closed(bank: Database, line: CommandLine) -> None:
    line.good("staff", "add", "office", "--name", "民政局", "--role", "district_steward", stdin=TYPED)
    assert signs_in(bank, "office")
    assert "office" in line.good("staff", "close", "office")
    assert not signs_in(bank, "office")
    line.good("staff", "close", "office")


def test_a_clerk_belongs_to_a_canteen_of_the_township(bank: Database, line: CommandLine) -> None:
    with bank.unit_of_work() as session:
        canteen = add_canteen(session, XIWU, "西坞食堂")
    words = ["staff", "add", "clerk", "--name", "张阿姨", "--role", "canteen_clerk", "--canteen", "西坞食堂"]
    assert "--canteen" in line.refused(*words, "--township", DAYAN, stdin=TYPED)
    assert "--new-canteen" in line.refused(*words, "--township", XIWU, "--new-canteen", stdin=TYPED)
    line.good(*words, "--township", XIWU, stdin=TYPED)
    with bank.session() as session:
        [login] = session.scalars(select(Login).where(Login.username == "clerk"))
    assert (login.organisation_id, login.township_code) == (canteen.id, XIWU)


def test_the_first_clerk_of_a_canteen_brings_it_into_the_register(bank: Database, line: CommandLine) -> None:
    words = ["--name", "张阿姨", "--role", "canteen_clerk", "--canteen", "大堰食堂", "--township", DAYAN]
    line.good("staff", "add", "first", *words, "--new-canteen", stdin=TYPED)
    line.good("staff", "add", "second", *words, stdin=TYPED)
    with bank.session() as session:
        [canteen] = session.scalars(select(Organisation).where(Organisation.name == "大堰食堂"))
        logins = session.scalars(select(Login.organisation_id)).all()
        applied = session.get_one(Canteen, canteen.id)
    assert (applied.state, applied.number, canteen.not_serving_since is not None) == ("applied", None, True)
    assert (canteen.kind, canteen.township_code, logins) == ("canteen", DAYAN, [canteen.id] * 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--role", "township_steward"], "--township"),
        (["--role", "auditor", "--township", XIWU], "--township"),
        (["--role", "township_steward", "--township", "999999999"], "999999999"),
        (["--role", "canteen_clerk", "--township", XIWU], "--canteen"),
        (["--role", "canteen_clerk", "--township", XIWU, "--canteen", "没有的食堂"], "--canteen"),
        (["--role", "auditor", "--password", "short"], "10"),
    ],
)
def test_a_login_that_does_not_fit_is_refused_with_the_reason(
    bank: Database, line: CommandLine, words: list[str], said: str
) -> None:
    assert said in line.refused("staff", "add", "someone", "--name", "某人", *words, stdin=TYPED)
    with bank.session() as session:
        assert session.scalars(select(Login)).all() == []


def test_a_name_is_given_once(bank: Database, line: CommandLine) -> None:
    words = ["staff", "add", "office", "--name", "民政局", "--role", "auditor"]
    line.good(*words, stdin=TYPED)
    assert "office" in line.refused(*words, stdin=TYPED)
    assert "nobody" in line.refused("staff", "close", "nobody")
