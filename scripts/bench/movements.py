"""Many movements between townships, written as the ledger writes them, but thousands in one statement.

The triggers of the ledger check every row as they always do; what ``post`` would have decided is decided in SQL here.
"""

from __future__ import annotations

from sqlalchemy import ARRAY, BigInteger, bindparam, func, select, text

from scripts.bench.scene import VOLUNTEERS_A_TOWNSHIP
from timebank.clearing.actions import tally_new_movements
from timebank.core import clock
from timebank.core.db import Database, UuidColumn
from timebank.core.ids import new_id
from timebank.ledger.actions.post import POSTING_LOCK

_AT_A_TIME = 50_000

# One hour of help each: the township that was helped (debtor) issues it, the volunteer's township (creditor) saves it.
# Each of the twelve serves every other as often as it is served, so that no limit is reached; a quarter is back-filled.
_MOVE = text("""
WITH town AS (
    SELECT i.book_code AS code, i.id AS issuance, c.id AS clearing,
           row_number() OVER (ORDER BY i.book_code) - 1 AS place
    FROM ledger_account i JOIN ledger_account c ON c.book_code = i.book_code AND c.unit = i.unit
    WHERE i.unit = 'minute' AND i.kind = 'issuance' AND c.kind = 'clearing' AND i.book_code <> 'house'
), saving AS (
    SELECT id, book_code, version, posted, row_number() OVER (PARTITION BY book_code ORDER BY id) - 1 AS place
    FROM ledger_account WHERE unit = 'minute' AND kind = 'savings'
), movement AS MATERIALIZED (
    SELECT n, id, n % 12 AS debtor, (n + 1 + n / 12 % 11) % 12 AS creditor, n / 132 % :volunteers AS volunteer,
           CASE WHEN n % 4 = 0 THEN 'back_fill_credit' ELSE 'service_credit' END AS kind
    FROM (SELECT id, :first + place - 1 AS n FROM unnest(:ids) WITH ORDINALITY AS given (id, place)) numbered
), decided AS (
    SELECT m.n, m.id, m.kind, d.code AS debtor, c.code AS creditor, d.issuance, d.clearing AS debtors_clearing,
           c.clearing AS creditors_clearing, s.id AS savings, s.version + row_number() OVER own AS version,
           s.posted + 60 * row_number() OVER own AS balance
    FROM movement m JOIN town d ON d.place = m.debtor JOIN town c ON c.place = m.creditor
    JOIN saving s ON s.book_code = c.code AND s.place = m.volunteer
    WINDOW own AS (PARTITION BY s.id ORDER BY m.n)
)
INSERT INTO ledger_transfer (id, book_code, unit, from_account_id, to_account_id, amount, kind, link_id,
                             counterpart_book_code, to_version, to_balance, effective_at, recorded_at, note)
SELECT leg.id, leg.book_code, 'minute', leg.source, leg.target, 60, m.kind, m.id,
       leg.counterpart, leg.version, leg.balance, :now, :now, ''
FROM decided m CROSS JOIN LATERAL (VALUES
    (1, m.id, m.debtor, m.issuance, m.debtors_clearing, m.creditor, NULL, NULL),
    (2, encode(set_byte(uuid_send(m.id), 15, get_byte(uuid_send(m.id), 15) # 1), 'hex')::uuid,
     m.creditor, m.creditors_clearing, m.savings, m.debtor, m.version, m.balance)
) leg (number, id, book_code, source, target, counterpart, version, balance)
ORDER BY m.n, leg.number
""").bindparams(
    bindparam("first", type_=BigInteger), bindparam("ids", type_=ARRAY(UuidColumn)), volunteers=VOLUNTEERS_A_TOWNSHIP
)


def move_much(url: str, movements: int) -> None:
    """So many movements between townships, two rows each, tallied on the way as the bank's job does it."""
    bank = Database(url)
    try:
        for first in range(0, movements, _AT_A_TIME):
            ids = [new_id() for _ in range(first, min(first + _AT_A_TIME, movements))]
            with bank.unit_of_work() as session:
                session.execute(select(func.pg_advisory_xact_lock_shared(POSTING_LOCK)))
                session.execute(_MOVE, {"first": first, "ids": ids, "now": clock.now()})
            with bank.unit_of_work() as session:
                tally_new_movements(session)
    finally:
        bank.close()
