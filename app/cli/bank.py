"""Opening the bank for a command: settings, secret, clock, and the database, started where it is the embedded one."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from types import FrameType

import click
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import Conninfo
from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.api.fields import is_clean
from app.config import Settings, SettingsRefused, read_settings
from timebank.core import clock, crypto
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.embedded import EmbeddedPostgres, EmbeddedRefused, reachable_home
from timebank.core.errors import BankError
from timebank.core.key_mark import secret_fits
from timebank.migrations import current_revision, newest_revision, upgrade
from timebank.people.queries import staff_by_username

_CONNECT_PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class OpenBank:
    """What a command works with; ``embedded`` is None where the database is somebody else's server."""

    settings: Settings
    database_url: str
    embedded: EmbeddedPostgres | None

    def client_environment(self) -> dict[str, str]:
        """The environment for PostgreSQL's own programs, so that no password stands in a command line."""
        if self.embedded is not None:
            return {**os.environ, **self.embedded.client_environment()}
        given = conninfo_to_dict(self.database_url.replace("postgresql+psycopg://", "postgresql://", 1))
        names = {one.keyword.decode(): one.envvar.decode() for one in Conninfo.get_defaults() if one.envvar}
        return {**os.environ, **{names[word]: str(value) for word, value in given.items() if word in names}}


def settings_given() -> Settings:
    """The settings; ends the command with one sentence where they will not do."""
    try:
        return read_settings()
    except SettingsRefused as refused:
        raise click.ClickException(str(refused)) from None


@contextmanager
def open_place() -> Iterator[OpenBank]:
    """Settings and a reachable database, of whatever schema. Ends the command with one sentence where it cannot be."""
    with _left_on_sigterm():
        settings, server = settings_given(), None
        try:
            if settings.database_url is None:
                explicit = "home" in settings.model_fields_set and "TIMEBANK_HOME" in os.environ
                settings.home = reachable_home(settings.home, explicit=explicit)
                server = EmbeddedPostgres.start(settings.home)
        except EmbeddedRefused as refused:
            raise click.ClickException(str(refused)) from None
        with server or nullcontext():
            database_url = server.url if server else str(settings.database_url)
            _must_answer(database_url)
            try:
                crypto.use_secret(settings.secret())
            except SettingsRefused as refused:
                raise click.ClickException(str(refused)) from None
            clock.movable_by(settings.clock_file if settings.development else None)
            yield OpenBank(settings, database_url, server)


@contextmanager
def open_bank() -> Iterator[Database]:
    """The bank's database, ready to be worked with; in development it is brought to the newest schema first."""
    with open_place() as place, opened(place) as database:
        yield database


@contextmanager
def opened(place: OpenBank, *, pool_size: int = 10) -> Iterator[Database]:
    """The database of ``place`` at the newest schema: brought there in development, demanded in production."""
    if place.settings.development:
        upgrade(place.database_url)
    database = Database(place.database_url, pool_size=pool_size)
    try:
        if not _at_newest_schema(database):
            raise click.ClickException(
                "数据库结构与本版程序不符，请先运行 timebank db upgrade "
                "the database is not at this version's schema: run timebank db upgrade first"
            )
        _must_have_the_secret(database)
        yield database
    finally:
        database.close()


@contextmanager
def telling_refusals() -> Iterator[Database]:
    """The bank, with every refusal told in one sentence."""
    try:
        with open_bank() as database:
            yield database
    except BankError as refusal:
        raise click.ClickException(refusal.title) from None
    except OperationalError:
        raise click.ClickException("数据库无法连接，或等待其他操作超时，没有改动任何数据。") from None


def staff_actor(session: Session, username: str) -> Actor:
    """The member of staff with this login, who answers for what is done here. Ends the command where there is none."""
    name = username.strip()
    if not name or not is_clean(name):
        raise click.ClickException("请用 --by 写明工作人员的登录名，没有改动任何数据。")
    actor = staff_by_username(session, name)
    if actor is None:
        raise click.ClickException(f"没有登录名为 {name} 的工作人员，没有改动任何数据。")
    return actor


def secret_must_fit(place: OpenBank) -> None:
    """End the command where the secret is another one; a database that is not at this version's schema is not asked."""
    database = Database(place.database_url)
    try:
        if _at_newest_schema(database):
            _must_have_the_secret(database)
    finally:
        database.close()


def _at_newest_schema(database: Database) -> bool:
    with database.engine.connect() as connection:
        return current_revision(connection) == newest_revision()


def _must_have_the_secret(database: Database) -> None:
    """End the command where the secret is not the one that this database's values were sealed with."""
    with database.unit_of_work() as session:
        fits = secret_fits(session)
    if not fits:
        raise click.ClickException(
            "密钥与这个数据库不符，请换回原来的 TIMEBANK_SECRET_KEY（开发环境为数据目录中的 secret-key 文件） "
            "this is not the secret the database was sealed with: give back TIMEBANK_SECRET_KEY or the file secret-key"
        )


def _must_answer(database_url: str) -> None:
    engine = create_engine(database_url, connect_args={"connect_timeout": _CONNECT_PATIENCE_S})
    try:
        engine.connect().close()
    except SQLAlchemyError as problem:
        # The driver's own first line says which host or role; it never holds the password.
        said = str(getattr(problem, "orig", problem)).strip().splitlines() or [type(problem).__name__]
        raise click.ClickException(f"数据库连接不上 the database cannot be reached: {said[0]}") from None
    finally:
        engine.dispose()


@contextmanager
def _left_on_sigterm() -> Iterator[None]:
    """Let SIGTERM end the command as an error would, so that what was started or half written is tidied up."""
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _leave(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)
