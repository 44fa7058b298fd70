"""Opening the bank for a command: settings, secret, clock, and the database, started where it is the embedded one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

import click

from app.config import Settings, SettingsRefused, read_settings
from timebank.core import clock, crypto
from timebank.core.db import Database
from timebank.core.embedded import EmbeddedPostgres, EmbeddedRefused, reachable_home
from timebank.migrations import upgrade


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
        return {**os.environ, "PGDATABASE": self.database_url.replace("postgresql+psycopg://", "postgresql://")}


@contextmanager
def open_place() -> Iterator[OpenBank]:
    """Settings and a reachable database, of whatever schema. Ends the command with one sentence where it cannot be."""
    try:
        settings, server = read_settings(), None
        if settings.database_url is None:
            explicit = "home" in settings.model_fields_set and "TIMEBANK_HOME" in os.environ
            settings.home = reachable_home(settings.home, explicit=explicit)
            server = EmbeddedPostgres.start(settings.home)
        crypto.use_secret(settings.secret())
        clock.movable_by(settings.clock_file if settings.development else None)
    except (SettingsRefused, EmbeddedRefused) as refused:
        raise click.ClickException(str(refused)) from None
    with server or nullcontext():
        yield OpenBank(settings, server.url if server else str(settings.database_url), server)


@contextmanager
def open_bank() -> Iterator[Database]:
    """The bank's database, ready to be worked with; in development it is brought to the newest schema first."""
    with open_place() as place:
        if place.settings.development:
            upgrade(place.database_url)
        database = Database(place.database_url)
        try:
            yield database
        finally:
            database.close()
