"""The measure: a posting as a good engineer writes it in SQL, run by PostgreSQL's own ``pgbench``.

Its plain tables lie in the bank's database, with as many accounts as the ledger has, and are as durable. Two ways of
posting: row by row, one statement after another from the client, and the whole as one stored function. Both lock the
two accounts in order, write a transfer, its two entries with the balances after them, and the two balances. There are
no foreign keys, no triggers and no checks but the floor: each of them would only slow it.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from scripts.bench.outcome import percentile
from timebank.core.embedded.binaries import binary

CLIENTS = (8, 16, 32, 64)
"""How many clients are tried; a connection each. The best number is taken."""

_TABLES = """
CREATE SCHEMA plain;
CREATE TABLE plain.account (
    id bigint PRIMARY KEY,
    balance bigint NOT NULL CHECK (balance >= 0)
);
CREATE TABLE plain.transfer (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    from_account_id bigint NOT NULL,
    to_account_id bigint NOT NULL,
    amount bigint NOT NULL,
    recorded_at timestamptz NOT NULL
);
CREATE TABLE plain.entry (
    account_id bigint NOT NULL,
    transfer_id bigint NOT NULL,
    amount bigint NOT NULL,
    balance bigint NOT NULL,
    PRIMARY KEY (account_id, transfer_id)
);
CREATE FUNCTION plain.post(payer bigint, payee bigint, minutes bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    transfer bigint;
    payer_balance bigint;
    payee_balance bigint;
BEGIN
    PERFORM FROM plain.account WHERE id IN (payer, payee) ORDER BY id FOR NO KEY UPDATE;
    INSERT INTO plain.transfer (from_account_id, to_account_id, amount, recorded_at)
    VALUES (payer, payee, minutes, clock_timestamp()) RETURNING id INTO transfer;
    UPDATE plain.account SET balance = balance - minutes WHERE id = payer RETURNING balance INTO payer_balance;
    UPDATE plain.account SET balance = balance + minutes WHERE id = payee RETURNING balance INTO payee_balance;
    INSERT INTO plain.entry (account_id, transfer_id, amount, balance)
    VALUES (payer, transfer, -minutes, payer_balance), (payee, transfer, minutes, payee_balance);
    RETURN transfer;
END $$;
"""

_TWO_ACCOUNTS = r"""
\set payer random(1, :accounts)
\set other random(1, :accounts - 1)
\set payee case when :other < :payer then :other else :other + 1 end
"""
_ROW_BY_ROW = r"""
BEGIN;
SELECT id, balance FROM plain.account WHERE id IN (:payer, :payee) ORDER BY id FOR NO KEY UPDATE;
INSERT INTO plain.transfer (from_account_id, to_account_id, amount, recorded_at)
VALUES (:payer, :payee, 60, clock_timestamp()) RETURNING id AS transfer \gset
UPDATE plain.account SET balance = balance - 60 WHERE id = :payer RETURNING balance AS payer_balance \gset
UPDATE plain.account SET balance = balance + 60 WHERE id = :payee RETURNING balance AS payee_balance \gset
INSERT INTO plain.entry (account_id, transfer_id, amount, balance)
VALUES (:payer, :transfer, -60, :payer_balance), (:payee, :transfer, 60, :payee_balance);
COMMIT;
"""
_ONE_FUNCTION = """
SELECT plain.post(:payer, :payee, 60);
"""

_UNSOUND = """
SELECT count(*) FROM plain.account a
LEFT JOIN (SELECT account_id, sum(amount) AS total FROM plain.entry GROUP BY 1) e ON e.account_id = a.id
WHERE a.balance <> 1000000000 + coalesce(e.total, 0)
"""


class Way(StrEnum):
    """How a posting is written."""

    ROW_BY_ROW = "row_by_row"
    ONE_FUNCTION = "one_function"


_SCRIPTS = {Way.ROW_BY_ROW: _TWO_ACCOUNTS + _ROW_BY_ROW, Way.ONE_FUNCTION: _TWO_ACCOUNTS + _ONE_FUNCTION}


def add_plain_tables(url: str) -> int:
    """Make the plain tables in a bank's database, with as many accounts as its ledger has; how many that are."""
    with psycopg.connect(_plain_url(url), autocommit=True) as connection:
        connection.execute(_TABLES)
        connection.execute(
            "INSERT INTO plain.account SELECT row_number() OVER (ORDER BY id), 1000000000 FROM ledger_account"
        )
        row = connection.execute("SELECT count(*) FROM plain.account").fetchone()
    assert row is not None
    return int(row[0])


@dataclass(frozen=True, slots=True)
class Pgbench:
    """Postings by ``pgbench`` in the plain tables of one database."""

    url: str
    accounts: int

    def best_clients(self, way: Way, *, seconds: float, tried: Sequence[int] = CLIENTS) -> int:
        """Of the numbers of clients that are tried, the one with which most is posted."""
        if len(tried) == 1:
            return tried[0]
        return max(tried, key=lambda clients: self.a_second(way, clients=clients, seconds=seconds))

    def a_second(self, way: Way, *, clients: int, seconds: float) -> float:
        """Postings a second, each client sending its next as soon as the one before is committed."""
        said = self._run(way, clients, seconds)
        [rate] = re.findall(r"^tps = ([0-9.]+)", said, re.MULTILINE)
        return float(rate)

    def p99_ms(self, way: Way, *, clients: int, seconds: float, rate: float) -> float:
        """The 99th percentile in milliseconds of how long postings take that fall due ``rate`` times a second.

        A posting's time begins when it falls due, not when a client is free for it. The first quarter of the time,
        in which everything becomes warm, is left out.
        """
        with tempfile.TemporaryDirectory() as folder:
            self._run(way, clients, seconds, "--rate", f"{rate:.1f}", "--log", "--log-prefix", f"{folder}/log")
            lines = [line.split() for log in Path(folder).iterdir() for line in log.read_text().splitlines()]
        ended = [int(line[4]) + int(line[5]) / 1e6 for line in lines]
        warm = min(ended) + seconds / 4
        taken_us = [int(line[2]) for line, at in zip(lines, ended, strict=True) if at >= warm]
        return percentile(taken_us, 99) / 1000

    def must_be_sound(self) -> None:
        """Raises RuntimeError where a balance is not what its entries make."""
        with psycopg.connect(_plain_url(self.url)) as connection:
            row = connection.execute(_UNSOUND).fetchone()
        if row != (0,):
            raise RuntimeError(f"plain balances do not follow from their entries: {row}")

    def _run(self, way: Way, clients: int, seconds: float, *more: str) -> str:
        with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
            script.write(_SCRIPTS[way])
            script.flush()
            command = [str(binary("pgbench")), "--no-vacuum", "--protocol", "prepared", "--file", script.name]
            threads = min(clients, os.cpu_count() or 1)
            command += ["--client", f"{clients}", "--jobs", f"{threads}", "--time", f"{max(1, round(seconds))}"]
            command += ["--define", f"accounts={self.accounts}", *more]
            done = subprocess.run(command, env=self._environment(), capture_output=True, text=True)
        if done.returncode != 0 or "number of failed transactions: 0 " not in done.stdout:
            raise RuntimeError(f"pgbench: {done.stdout}{done.stderr}")
        return done.stdout

    def _environment(self) -> dict[str, str]:
        url = make_url(self.url)
        where = {"PGHOST": url.host or url.query.get("host"), "PGPORT": url.port or url.query.get("port")}
        who = {"PGUSER": url.username, "PGPASSWORD": url.password, "PGDATABASE": url.database}
        return dict(os.environ) | {name: str(value) for name, value in (where | who).items() if value is not None}


def _plain_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
