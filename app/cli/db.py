"""``timebank db``: upgrade, back up, restore."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import click
from sqlalchemy import create_engine, inspect

from app.cli.bank import OpenBank, open_place
from timebank.core.embedded import binary
from timebank.migrations import newest_revision, upgrade


@click.group("db")
def db() -> None:
    """数据库 The database."""


@db.command("upgrade")
def upgrade_command() -> None:
    """升级到最新结构。 Bring the schema to the newest migration."""
    with open_place() as place:
        upgrade(place.database_url)
    click.echo(f"数据库已是最新 the database is at {newest_revision()}")


@db.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """备份到 FILE，运行中也可以。 Write everything to FILE, also while the bank serves."""
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with open_place() as place:
            # Created closed: a backup holds everything, sealed or not.
            draft.touch(mode=0o600)
            with draft.open("wb") as out:
                _run(place, "pg_dump", ["--format=custom", "--no-owner", "--no-privileges"], stdout=out.fileno())
        draft.replace(file)
    except OSError as problem:
        raise click.ClickException(f"不能写入 {file} cannot be written: {problem.strerror}") from None
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"已备份到 {file}。恢复时还需要同一个 TIMEBANK_SECRET_KEY，请另行保管。")


@db.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def restore(file: Path) -> None:
    """从 FILE 恢复到空数据库。 Restore FILE into an empty database."""
    with open_place() as place:
        if _has_tables(place.database_url):
            raise click.ClickException("数据库不是空的，不恢复 the database is not empty; nothing was restored")
        with file.open("rb") as source:
            options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", "--dbname="]
            _run(place, "pg_restore", options, stdin=source.fileno())
    click.echo(f"已从 {file} 恢复。请运行 timebank verify 核验。")


def _has_tables(database_url: str) -> bool:
    engine = create_engine(database_url)
    try:
        return bool(inspect(engine).get_table_names())
    finally:
        engine.dispose()


def _run(
    place: OpenBank, program: str, options: list[str], *, stdin: int | None = None, stdout: int | None = None
) -> None:
    environment = place.client_environment()
    options = [f"--dbname={environment['PGDATABASE']}" if o == "--dbname=" else o for o in options]
    done = subprocess.run(
        [str(binary(program)), *options],
        env=environment,
        stdin=stdin if stdin is not None else subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr or "").strip().splitlines()[-1:] or [f"exit status {done.returncode}"]
        raise click.ClickException(f"{program} 没有完成 did not finish: {last[0]}")
