"""Who gets into the embedded PostgreSQL, and what it keeps to itself."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text

from tests.bank.embedded_places import am_root, ask, connect, mode, postmaster_of, reachable_folder
from timebank.core.embedded import EmbeddedPostgres, EmbeddedRefused, binary
from timebank.core.embedded.owner import database_owner


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedPostgres]:
    """A durable server, as the bank runs it."""
    with reachable_folder() as folder, EmbeddedPostgres.start(folder / "home") as running:
        yield running


def test_the_bank_is_the_owner_of_its_database_and_no_superuser(server: EmbeddedPostgres) -> None:
    engine = create_engine(server.url)
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "SELECT current_database(), current_user, rolsuper, rolcreatedb, rolcreaterole, datdba = pg_roles.oid"
                " FROM pg_roles, pg_database WHERE rolname = current_user AND datname = current_database()"
            )
        ).one()
    engine.dispose()
    assert tuple(row) == ("timebank", "timebank", False, False, False, True)


def test_the_bank_may_add_btree_gist(server: EmbeddedPostgres) -> None:
    with connect(server) as connection:
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute(
            "CREATE TABLE shift (who int, during tstzrange, EXCLUDE USING gist (who WITH =, during WITH &&))"
        )
        connection.execute("DROP TABLE shift")


@pytest.mark.parametrize("password", [None, "", "wrong"])
@pytest.mark.parametrize("user", ["timebank", "postgres"])
def test_nobody_gets_in_without_the_password(server: EmbeddedPostgres, user: str, password: str | None) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(server, user=user, password=password, passfile="/dev/null")


def test_nobody_gets_in_by_the_name_of_a_system_user(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        connect(server, user="root", password=None, passfile="/dev/null")


def test_only_the_owner_can_enter_the_folders_and_read_the_passwords(server: EmbeddedPostgres) -> None:
    cluster = server.home / "postgres"
    closed = (cluster, cluster / "data", cluster / "log", cluster / "socket")
    assert [mode(folder) for folder in closed] == [0o700] * 4
    assert mode(server.home / "pgpass") == 0o600
    assert mode(cluster / "socket" / ".s.PGSQL.5432") == 0o700
    assert mode(server.home) == (0o711 if am_root else 0o700)


@pytest.mark.skipif(not am_root, reason="only root can become somebody else")
def test_another_user_of_the_machine_cannot_even_reach_the_socket(server: EmbeddedPostgres) -> None:
    socket = server.home / "postgres" / "socket" / ".s.PGSQL.5432"
    looked = subprocess.run(
        ["/bin/ls", socket], user="nobody", extra_groups=[], capture_output=True, text=True, check=False
    )
    assert "Permission denied" in looked.stderr


def test_the_server_listens_on_no_network_address(server: EmbeddedPostgres) -> None:
    postmaster = postmaster_of(server.home)
    assert postmaster is not None
    # Asked as the server's user: in a container even root may not look.
    held = set(re.findall(r"socket:\[(\d+)\]", database_owner().must(["ls", "-l", f"/proc/{postmaster.pid}/fd"])))
    tables = [Path("/proc/net") / name for name in ("tcp", "tcp6", "unix")]
    tcp, tcp6, unix = ({field for line in table.read_text().splitlines() for field in line.split()} for table in tables)
    assert held & unix
    assert not held & (tcp | tcp6)


def test_what_is_committed_is_on_the_disk(server: EmbeddedPostgres) -> None:
    settings = ("fsync", "synchronous_commit", "full_page_writes", "data_checksums")
    assert [ask(server, f"SHOW {name}") for name in settings] == ["on"] * 4


def test_text_is_utf_8_sorted_alike_on_every_machine_and_time_is_utc(server: EmbeddedPostgres) -> None:
    question = "SELECT datlocprovider::text || datlocale FROM pg_database WHERE datname = 'timebank'"
    assert ask(server, "SHOW server_encoding") == "UTF8"
    assert ask(server, question) == "bC.UTF-8"
    assert ask(server, "SHOW TimeZone") == "UTC"


def test_the_log_tells_of_an_error_but_not_of_whom(server: EmbeddedPostgres) -> None:
    with connect(server) as connection:
        connection.execute("CREATE TABLE roll (name text PRIMARY KEY)")
        connection.execute("INSERT INTO roll VALUES (%s)", ["蒋阿姨"])
        with pytest.raises(psycopg.errors.UniqueViolation, match="蒋阿姨"):
            connection.execute("INSERT INTO roll VALUES (%s)", ["蒋阿姨"])
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO roll VALUES ('蒋阿姨')")
        connection.execute("DROP TABLE roll")
    logged = "".join(file.read_text() for file in (server.home / "postgres" / "log").iterdir())
    assert logged.count("violates unique constraint") == 2
    assert "蒋阿姨" not in logged


def test_the_passwords_are_in_no_command_line(server: EmbeddedPostgres) -> None:
    secret = (server.home / "pgpass").read_text().split(":")[4].split()[0]
    assert secret in server.url
    lines = [file.read_bytes() for file in Path("/proc").glob("[0-9]*/cmdline")]
    assert any(b"postgres" in line for line in lines)
    assert not any(secret.encode() in line for line in lines)


def test_a_dump_is_taken_and_restored_by_the_banks_own_role() -> None:
    with reachable_folder() as folder, EmbeddedPostgres.start(folder / "home", durable=False) as server:
        with connect(server) as connection:
            connection.execute("CREATE EXTENSION btree_gist")
            connection.execute("CREATE TABLE kept AS SELECT '西坞' AS name")
            connection.execute("CREATE DATABASE again")
        dump = folder / "dump"
        _client(server, "pg_dump", "--format=custom", f"--file={dump}")
        _client(server, "pg_restore", "--exit-on-error", "--dbname=again", str(dump))
        with connect(server, "again") as connection:
            assert connection.execute("SELECT name FROM kept").fetchall() == [("西坞",)]


def test_a_program_that_the_wheel_lacks_is_named() -> None:
    with pytest.raises(EmbeddedRefused, match="mysqldump"):
        binary("mysqldump")


def _client(server: EmbeddedPostgres, name: str, *arguments: str) -> None:
    subprocess.run([binary(name), *arguments], env={**os.environ, **server.client_environment()}, check=True)
