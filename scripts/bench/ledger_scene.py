"""Ledgers as deep as one likes: people with savings, and transfers between them written millions at once.

The openings are posted. What follows is written in one statement for many cycles, with the triggers off, in the very
form in which ``post`` would have written it: in each cycle everybody pays one hour to somebody of the same township
and receives one from somebody, so versions and balances are known beforehand. Whoever fills a ledger so verifies it.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import text

from scripts.bench.people_scene import enrol_people, open_savings
from scripts.bench.posting import Accounts
from scripts.bench.scene import SECRET
from timebank import migrations
from timebank.core import clock, crypto
from timebank.core.db import Database
from timebank.townships.queries import townships

_SAVED_MINUTES = 1_000_000
_DAYS = 365
_CYCLES_AT_A_TIME = 100

# ``place`` is where somebody stands in the township: the payer of a cycle's round of that number. Of what happens to an
# account in a cycle, paying and receiving, the one of the earlier round comes first.
_CYCLES = text("""
WITH person AS (
    SELECT id, book_code, posted, row_number() OVER (PARTITION BY book_code ORDER BY id) - 1 AS place,
           count(*) OVER (PARTITION BY book_code) AS people
    FROM ledger_account WHERE unit = 'minute' AND kind = 'savings'
), round AS (
    SELECT cycle, payer.book_code, payer.people, payer.place, payer.id AS payer, payer.posted,
           (payer.place + 1 + cycle % (payer.people - 1)) % payer.people AS payees_place,
           (payer.place + payer.people - 1 - cycle % (payer.people - 1)) % payer.people AS paid_by
    FROM generate_series(cast(:first AS bigint), cast(:last AS bigint)) AS cycle, person payer
)
INSERT INTO ledger_transfer (id, book_code, unit, from_account_id, to_account_id, amount, kind, from_version,
                             from_balance, to_version, to_balance, effective_at, recorded_at, note)
SELECT encode(set_byte(id, 15, get_byte(id, 15) & 254), 'hex')::uuid, book_code, 'minute', payer, payee, 60, 'bulk',
       2 + 2 * cycle + (place > paid_by)::int, posted - CASE WHEN place > paid_by THEN 0 ELSE 60 END,
       2 + 2 * cycle + (place > payees_place)::int, posted + CASE WHEN place > payees_place THEN 0 ELSE 60 END,
       recorded_at, recorded_at, ''
FROM (
    -- A UUID of version 7, which PostgreSQL makes from 18 on: milliseconds, version, what is left of them, chance.
    SELECT timed.*, int8send((us / 1000 << 16) | 28672 | (us % 1000 * 4)) || substring(uuid_send(gen_random_uuid()), 9)
           AS id
    FROM (
        SELECT dated.*, (extract(epoch FROM recorded_at) * 1000000)::bigint AS us
        FROM (
            SELECT r.*, payee.id AS payee,
                   cast(:began AS timestamptz) + (r.cycle * r.people + r.place) * cast(:pause AS interval)
                   AS recorded_at
            FROM round r JOIN person payee ON payee.book_code = r.book_code AND payee.place = r.payees_place
        ) dated
    ) timed
) written
ORDER BY cycle, place
""")

_GUARDS = "ALTER TABLE ledger_{} {} TRIGGER USER"
_CARRIED = text("""
UPDATE ledger_account a SET version = 1 + 2 * :cycles, last_recorded_at = t.recorded_at
FROM (SELECT account_id, max(recorded_at) AS recorded_at FROM (
          SELECT from_account_id AS account_id, recorded_at FROM ledger_transfer WHERE from_version > 2 * :cycles - 1
          UNION ALL
          SELECT to_account_id, recorded_at FROM ledger_transfer WHERE to_version > 2 * :cycles - 1) newest
      GROUP BY account_id) t
WHERE a.id = t.account_id AND a.kind = 'savings'
""")


def open_ledger(url: str, *, people: int) -> Accounts:
    """Migrate an empty database and open savings for so many people, a year ago."""
    crypto.use_secret(SECRET)
    migrations.upgrade(url)
    bank = Database(url)
    clock.freeze(clock.machine_now() - timedelta(days=_DAYS))
    try:
        with bank.unit_of_work() as session:
            codes = [township.code for township in townships(session)]
            everybody = enrol_people(session, codes, 0, people, "elder")
            savings = open_savings(session, everybody, _SAVED_MINUTES)
    finally:
        clock.freeze(None)
        bank.close()
    homes = list(zip(everybody.ids, everybody.townships, strict=True))
    return Accounts([[savings[one] for one, home in homes if home == code] for code in codes], everybody.ids)


def deepen(url: str, *, transfers: int, tell: Callable[[str], None]) -> int:
    """Write so many transfers, or a few more to make the last cycle whole; how many that were.

    The accounts have to be as ``open_ledger`` leaves them.
    """
    bank = Database(url, pool_size=1)
    try:
        with bank.session() as session:
            people, towns, began = session.execute(
                text(
                    "SELECT count(*), count(DISTINCT book_code), max(last_recorded_at) "
                    "FROM ledger_account WHERE kind = 'savings'"
                )
            ).one()
        cycles = -(-transfers // people)
        pause = timedelta(days=_DAYS - 1) / (cycles * (people // towns + 1))
        for first in range(0, cycles, _CYCLES_AT_A_TIME):
            last = min(first + _CYCLES_AT_A_TIME, cycles) - 1
            with bank.unit_of_work() as session:
                for table in ("transfer", "account"):
                    session.execute(text(_GUARDS.format(table, "DISABLE")))
                session.execute(_CYCLES, {"first": first, "last": last, "began": began, "pause": pause})
                if last == cycles - 1:
                    session.execute(_CARRIED, {"cycles": cycles})
                for table in ("transfer", "account"):
                    session.execute(text(_GUARDS.format(table, "ENABLE")))
            tell(f"{(last + 1) * people:,} of {cycles * people:,} transfers written 写入划转")
        return int(cycles * people)
    finally:
        bank.close()
