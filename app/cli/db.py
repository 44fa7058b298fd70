"""``timebank db``: upgrade, back up, restore."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import IO

import click
from sqlalchemy import create_engine, inspect

from app.cli.bank import OpenBank, open_place, secret_must_fit
from timebank.core.embedded import binary
from timebank.migrations import newest_revision, upgrade

_LATER_THAN_SOME_SERVERS = "SET transaction_timeout = 0;"
"""Written by pg_restore 18 for any server; those before 17 do not know it, and it says what is so anyway."""


@click.group("db")
def db() -> None:
    """数据库：升级、备份、恢复。 The database."""


@db.command("upgrade", short_help="升级到最新结构")
def upgrade_command() -> None:
    """升级到最新结构。 Bring the schema to the newest migration."""
    with open_place() as place:
        upgrade(place.database_url)
    click.echo(f"数据库已是最新 the database is at {newest_revision()}")


@db.command("backup", short_help="备份到文件，运行中也可以")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """备份到 FILE，运行中也可以。 Write everything to FILE, also while the bank serves."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        # Created closed: a backup holds everything, sealed or not. And first of all, before a server is started.
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out, open_place() as place:
            _run(place, "pg_dump", ["--format=custom", "--no-owner", "--no-privileges"], stdout=out)
            os.fsync(out.fileno())
            kept = _where_the_secret_is(place)
        draft.replace(file)
    except OSError as problem:
        raise click.ClickException(f"不能写入 {file} cannot be written: {problem.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"已备份到 {file}。 Backed up.")
    click.echo(f"恢复时还需要同一个密钥，请另行保管 a restore needs the same secret, keep it elsewhere: {kept}")


@db.command("restore", short_help="从备份恢复到空数据库")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """从 FILE 恢复到空数据库。 Restore FILE into an empty database."""
    with open_place() as place, tempfile.TemporaryFile() as script:
        if _has_tables(place.database_url):
            raise click.ClickException("数据库不是空的，没有恢复 the database is not empty; nothing was restored")
        with file.open("rb") as source:
            _run(place, "pg_restore", ["--no-owner", "--no-privileges", "--file=-"], stdin=source, stdout=script)
        script.seek(0)
        with tempfile.TemporaryFile() as readable:
            _copy_for_any_server(script, readable)
            options = ["--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", "--file=-"]
            _run(place, "psql", options, stdin=readable)
        click.echo(f"已从 {file} 恢复，请运行 timebank verify 核验。 Restored; now verify.")
        secret_must_fit(place)


def _copy_for_any_server(script: IO[bytes], readable: IO[bytes]) -> None:
    # Only before the first table's rows: what people wrote is never looked at.
    unwanted = f"{_LATER_THAN_SOME_SERVERS}\n".encode()
    head = script.read(4096)
    readable.write(head.replace(unwanted, b"", 1))
    while block := script.read(1 << 20):
        readable.write(block)
    readable.seek(0)


def _where_the_secret_is(place: OpenBank) -> str:
    return "TIMEBANK_SECRET_KEY" if place.settings.secret_key else str(place.settings.home / "secret-key")


def _has_tables(database_url: str) -> bool:
    engine = create_engine(database_url)
    try:
        return bool(inspect(engine).get_table_names())
    finally:
        engine.dispose()


_Stream = IO[bytes] | int


def _run(
    place: OpenBank,
    program: str,
    options: list[str],
    *,
    stdin: _Stream = subprocess.DEVNULL,
    stdout: _Stream = subprocess.DEVNULL,
) -> None:
    done = subprocess.run(
        [str(binary(program)), *options],
        env=place.client_environment(),
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise click.ClickException(f"{program} 没有完成 did not finish: {last[0]}")
