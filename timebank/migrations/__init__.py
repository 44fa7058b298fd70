"""Migrations: the only way the schema changes, from an empty database to the newest revision and back."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

FOLDER = Path(__file__).parent


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the database at ``url`` to ``revision``."""
    command.upgrade(_config(url), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the database at ``url`` back to ``revision`` (``base``: to nothing)."""
    command.downgrade(_config(url), revision)


def newest_revision() -> str:
    """The revision that this code was written for."""
    head = ScriptDirectory(str(FOLDER)).get_current_head()
    assert head is not None
    return head


def current_revision(connection: Connection) -> str | None:
    """The revision that the database is at; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def _config(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["url"] = url
    return config


def sql(name: str) -> str:
    """The text of one of the SQL files beside the migrations."""
    return (FOLDER / "sql" / name).read_text(encoding="utf-8")


__all__ = ["current_revision", "downgrade", "newest_revision", "sql", "upgrade"]
