"""The PostgreSQL that the other tests stand on."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from tests.postgres import ThrowawayPostgres


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayPostgres]:
    with ThrowawayPostgres.from_environment() as running:
        yield running
        for connection in _forgotten:
            connection.close()


@pytest.fixture(scope="module")
def template(server: ThrowawayPostgres) -> str:
    return server.make_template("template", _prepare)


# A connection that nobody closed while the template was made.
_forgotten: list[psycopg.Connection] = []


def _prepare(url: str) -> None:
    _forgotten.append(connect(url))
    with connect(url) as connection:
        connection.execute("CREATE EXTENSION btree_gist")
        connection.execute("CREATE TABLE roll AS SELECT 1 AS person")


def connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url.replace("+psycopg", "", 1), autocommit=True)


def people_in(url: str) -> int:
    with connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM roll").fetchone()
        assert row is not None
        return row[0]


def test_copies_hold_what_the_template_holds_and_do_not_meet(server: ThrowawayPostgres, template: str) -> None:
    one, two = server.clone(template, "one"), server.clone(template, "two")
    with connect(one) as connection:
        connection.execute("INSERT INTO roll VALUES (2)")
    assert (people_in(one), people_in(two)) == (2, 1)


def test_a_database_is_dropped_under_its_users_and_its_name_is_free_again(
    server: ThrowawayPostgres, template: str
) -> None:
    with connect(server.clone(template, "again")) as forgotten:
        server.drop("again")
        with pytest.raises(psycopg.OperationalError):
            forgotten.execute("SELECT 1")
    assert people_in(server.clone(template, "again")) == 1


def test_a_guest_on_a_server_leaves_nothing_behind(server: ThrowawayPostgres) -> None:
    with connect(server.url) as watcher:
        with ThrowawayPostgres(server.url) as guest:
            other = guest.make_template("template", _prepare)
            guest.clone(other, "one")
            # By its own names only: others may be using the same server.
            own = other.removesuffix("template")
            assert _databases(watcher, own) == {f"{own}template", f"{own}one"}
        assert _databases(watcher, own) == set()


def test_a_name_that_postgresql_would_cut_off_is_refused(server: ThrowawayPostgres) -> None:
    with pytest.raises(ValueError, match="longer than 63 bytes"):
        server.create("n" * 60)


def test_two_runs_beside_each_other_do_not_clash(server: ThrowawayPostgres) -> None:
    with ThrowawayPostgres(server.url) as one, ThrowawayPostgres(server.url) as two:
        assert one.create("same") != two.create("same")


def _databases(connection: psycopg.Connection, prefix: str) -> set[str]:
    return {name for (name,) in connection.execute("SELECT datname FROM pg_database") if name.startswith(prefix)}
