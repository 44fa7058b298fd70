"""What the benchmarks are made of: clients that hear whole answers, ledgers filled in bulk, and what judges both."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg
import pytest
from sqlalchemy import make_url, text

from scripts.bench.books import must_verify
from scripts.bench.hordak import Hordak
from scripts.bench.ledger_scene import deepen, open_ledger
from scripts.bench.load import send
from scripts.bench.pgbench import Pgbench, Way, add_plain_tables
from scripts.bench.posting import posted_a_second, read_a_second
from timebank.core.db import Database
from timebank.ledger.queries import balance_of, statement

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
TOWNSHIPS = 12


@contextmanager
def a_server(answer: Callable[[socket.socket], None], connections: int) -> Iterator[int]:
    """Something that listens and answers so many connections, each in a thread of its own; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def one() -> None:
            line, _ = listening.accept()
            with line:
                while line.recv(1 << 16):
                    answer(line)

        threads = [Thread(target=one, daemon=True) for _ in range(connections)]
        for thread in threads:
            thread.start()
        yield listening.getsockname()[1]
        for thread in threads:
            thread.join(10)


def in_pieces(line: socket.socket) -> None:
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for piece in (ANSWER[:20], ANSWER[20:38], ANSWER[38:-1], ANSWER[-1:]):
        line.sendall(piece)
        time.sleep(0.005)


def test_every_request_is_answered_once_and_whole_however_its_answer_comes() -> None:
    with a_server(in_pieces, 3) as port:
        found = send(port, [[b"one"] * 5, [b"two"] * 7, [b"three"] * 9], seconds=60)
    assert {(one.status, one.body) for one in found.all} == {(200, b"hello")}
    # The first queue that runs out ends it; what is under way then is still waited for.
    assert 5 <= len(found.all) <= 21
    assert all(one.begin <= one.end for one in found.all)


def test_at_a_rate_requests_fall_due_whether_or_not_a_connection_is_free() -> None:
    with a_server(in_pieces, 2) as port:
        found = send(port, [[b"one"] * 99, [b"two"] * 99], seconds=0.5, rate=100)
    begins = [one.begin for one in found.all]
    assert 20 <= len(begins) <= 100
    assert begins[-1] - begins[0] < 0.5 < found.end - found.begin + 0.01


def test_a_server_that_hangs_up_stops_the_run() -> None:
    def hang_up(line: socket.socket) -> None:
        line.sendall(ANSWER[:-1])
        line.shutdown(socket.SHUT_WR)

    with a_server(hang_up, 1) as port, pytest.raises(RuntimeError, match="hung up"):
        send(port, [[b"one"] * 3], seconds=5)


def test_a_ledger_filled_in_bulk_is_a_ledger_like_any_other(bank: Database, database_url: str) -> None:
    """The books are recomputed after this test as after every other."""
    accounts = open_ledger(database_url, people=3 * TOWNSHIPS)
    assert deepen(database_url, transfers=700, tell=lambda _: None) == 20 * 3 * TOWNSHIPS
    with bank.session() as session:
        assert {balance_of(session, one).savings_minutes for one in accounts.holders} == {1_000_000}
        lines = statement(session, accounts.holders[0], limit=100)
    assert [line.version for line in lines] == [*range(41, 0, -1)]
    assert {line.minutes for line in lines[:-1]} == {60, -60}
    assert posted_a_second(database_url, accounts, writers=1, seconds=0.1, at_once=10) > 0
    assert posted_a_second(database_url, accounts, writers=1, seconds=0.1, at_once=10, across=True) > 0
    assert read_a_second(database_url, accounts, readers=1, seconds=0.1) > 0
    must_verify(database_url)


def test_books_that_do_not_verify_stop_the_run(bank: Database, database_url: str) -> None:
    open_ledger(database_url, people=TOWNSHIPS)
    with bank.unit_of_work() as session:
        session.execute(text("ALTER TABLE ledger_account DISABLE TRIGGER USER"))
        session.execute(text("UPDATE ledger_account SET posted = posted + 1 WHERE kind = 'savings'"))
    try:
        with pytest.raises(RuntimeError, match=r"do not verify.*accounts_agree"):
            must_verify(database_url)
    finally:
        with bank.unit_of_work() as session:
            session.execute(text("UPDATE ledger_account SET posted = posted - 1 WHERE kind = 'savings'"))
            session.execute(text("ALTER TABLE ledger_account ENABLE TRIGGER USER"))


def plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def test_pgbench_posts_and_what_does_not_follow_from_its_entries_is_found(bank: Database, database_url: str) -> None:
    open_ledger(database_url, people=TOWNSHIPS)
    pgbench = Pgbench(database_url, add_plain_tables(database_url))
    try:
        for way in Way:
            assert pgbench.a_second(way, clients=2, seconds=1) > 0
        assert pgbench.p99_ms(Way.ROW_BY_ROW, clients=2, seconds=1, rate=50) > 0
        pgbench.must_be_sound()
        with psycopg.connect(plain(database_url), autocommit=True) as connection:
            entries = connection.execute("SELECT count(*) FROM plain.entry").fetchone()
            transfers = connection.execute("SELECT count(*) FROM plain.transfer").fetchone()
            assert entries is not None
            assert transfers is not None
            assert entries[0] == 2 * transfers[0] > 0
            connection.execute("UPDATE plain.account SET balance = balance + 1 WHERE id = 1")
        with pytest.raises(RuntimeError, match="do not follow"):
            pgbench.must_be_sound()
    finally:
        with psycopg.connect(plain(database_url), autocommit=True) as connection:
            connection.execute("DROP SCHEMA plain CASCADE")


def test_a_failing_process_of_hordak_stops_the_run(database_url: str) -> None:
    with pytest.raises(RuntimeError, match=r"hordak: [\s\S]*hordak_account"):
        Hordak(database_url).a_second(processes=1, seconds=1, at_once=1)
