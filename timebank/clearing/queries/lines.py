"""Drill-down: every single movement behind a position, in the order of posting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow, MovedLine
from timebank.clearing.rules import PriceKind, price_kind_of
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed, NotFound, Refused
from timebank.ledger.models import Transfer
from timebank.ledger.queries import TRANSFER_KIND_NAMES, first_leg
from timebank.people.rules import masked_name
from timebank.townships.queries import township


@dataclass(frozen=True, slots=True)
class Line:
    """One movement as a township sees it: ``minutes`` are positive where they are owed to it, ``seq`` is its own leg's.

    ``person_name`` is masked; ``moved_in`` says that the line came from an earlier window; ``dispute`` is ``raised``,
    ``moved`` or ``stays`` where the township or its counterpart objected in this window.
    """

    transfer_id: UUID
    seq: int
    recorded_at: datetime
    effective_at: datetime
    kind: str
    kind_name: str
    price_kind: PriceKind
    minutes: int
    counterpart_township_code: str
    person_id: UUID | None
    person_name: str | None
    note: str
    moved_in: bool
    dispute: str | None


# ``f`` is the first leg, whose number decides the window. Each branch walks one index of the clearing account from
# where the page begins. That is why account and number are compared as pairs, or the planner reads every movement of
# the window, and the account alone as well, or it reads and sorts all that the account ever had. Nobody closes a
# clearing account; said here, it is found by the index of open accounts. Pages go by the township's own leg: two
# movements posted at once may have first and second legs in opposite orders, and a page that ended between them by one
# order and went on by the other would lose a line.
_LINES = text("""
WITH a AS MATERIALIZED (SELECT id FROM ledger_account
                        WHERE book_code = :township_code AND kind = 'clearing' AND unit = 'minute'
                          AND closed_at IS NULL),
own AS (
    (SELECT f.id, f.seq, f.recorded_at, f.effective_at, f.kind, -f.amount AS minutes,
            f.counterpart_book_code AS counterpart, f.note, false AS moved_in
     FROM ledger_transfer f
     WHERE f.to_account_id = (SELECT id FROM a)
       AND (f.to_account_id, f.seq) > ((SELECT id FROM a), greatest(:after, :from_seq))
       AND (f.to_account_id, f.seq) <= ((SELECT id FROM a), :to_seq)
       AND f.to_version IS NULL AND f.kind NOT IN ('settlement', 'settlement_undone')
       AND NOT EXISTS (SELECT FROM clearing_moved_line m WHERE m.transfer_id = f.id AND m.from_window = :number)
     ORDER BY f.seq LIMIT :most)
    UNION ALL
    (SELECT f.id, s.seq, f.recorded_at, f.effective_at, f.kind, f.amount, f.book_code, f.note, false
     FROM ledger_transfer s
     CROSS JOIN LATERAL (SELECT * FROM ledger_transfer x WHERE x.id = s.link_id OFFSET 0) f
     WHERE s.from_account_id = (SELECT id FROM a)
       AND (s.from_account_id, s.seq) > ((SELECT id FROM a), greatest(:after, :from_seq))
       AND (s.from_account_id, s.seq) <= ((SELECT id FROM a), :last_leg_seq)
       AND s.from_version IS NULL AND f.seq > :from_seq AND f.seq <= :to_seq
       AND f.kind NOT IN ('settlement', 'settlement_undone')
       AND NOT EXISTS (SELECT FROM clearing_moved_line m WHERE m.transfer_id = f.id AND m.from_window = :number)
     ORDER BY s.seq LIMIT :most)
    UNION ALL
    (SELECT f.id, leg.seq, f.recorded_at, f.effective_at, f.kind,
            CASE WHEN f.book_code = :township_code THEN -f.amount ELSE f.amount END,
            CASE WHEN f.book_code = :township_code THEN f.counterpart_book_code ELSE f.book_code END, f.note, true
     FROM clearing_moved_line m JOIN ledger_transfer f ON f.id = m.transfer_id
     JOIN ledger_transfer leg ON leg.book_code = :township_code AND leg.id IN (f.id, encode(
         set_byte(uuid_send(f.id), 15, get_byte(uuid_send(f.id), 15) # 1), 'hex')::uuid)
     WHERE m.to_window = :number AND leg.seq > :after AND :township_code IN (m.debtor, m.creditor)
       AND NOT EXISTS (SELECT FROM clearing_moved_line n
                       WHERE n.transfer_id = m.transfer_id AND n.from_window = :number)
     ORDER BY leg.seq LIMIT :most)
)
SELECT o.*, p.id AS person_id, p.name AS person_name,
       coalesce(d.ruling, CASE WHEN d.id IS NOT NULL THEN 'raised' END) AS dispute
FROM (SELECT * FROM own ORDER BY seq LIMIT :most) o
JOIN ledger_transfer f ON f.id = o.id
-- The second leg's id is the first's with its last bit turned (ledger/rules.py).
JOIN ledger_transfer s ON s.id = encode(set_byte(uuid_send(o.id), 15, get_byte(uuid_send(o.id), 15) # 1), 'hex')::uuid
LEFT JOIN ledger_account fa ON fa.id = f.from_account_id
LEFT JOIN ledger_account ta ON ta.id = s.to_account_id
LEFT JOIN person p ON p.id = CASE WHEN o.kind = 'reversal' THEN coalesce(fa.person_id, ta.person_id)
                                  ELSE coalesce(ta.person_id, fa.person_id) END
LEFT JOIN clearing_dispute d ON d.transfer_id = o.id AND d.window_number = :number
ORDER BY o.seq
""")

_NO_END = 2**63 - 1


def whose_lines(session: Session, actor: Actor, township_code: str | None) -> str:
    """The township whose lines the actor wants and may see: a steward's own, any for the district and auditors.

    Raises NotAllowed ``books_not_yours``, ``other_township``; Refused ``township_unknown``, ``township_needed``.
    """
    actor.must_see_books()
    own = actor.township_code if actor.staff_role is StaffRole.TOWNSHIP_STEWARD else None
    wanted = township_code or own
    if wanted is None:
        raise Refused("township_needed", "请指明镇街", field="township_code")
    if own is not None and wanted != own:
        raise NotAllowed("other_township", "只能查看本镇街的往来明细", township_code=wanted)
    return township(session, wanted).code


def line_of(session: Session, window: ClearingWindow, transfer_id: UUID) -> Transfer:
    """The first leg of a movement that is a line of this window, whichever leg is named.

    Raises NotFound ``line_unknown``.
    """
    first = first_leg(session, transfer_id)
    if (
        first is not None
        and first.unit == "minute"
        and first.kind not in ("settlement", "settlement_undone")
        and _within(session, window, first)
    ):
        return first
    raise NotFound("line_unknown", "本周期没有这笔往来", window=window.name, transfer_id=transfer_id)


def _within(session: Session, window: ClearingWindow, first: Transfer) -> bool:
    moves = session.execute(
        select(MovedLine.from_window, MovedLine.to_window).where(MovedLine.transfer_id == first.id)
    ).all()
    born_here = window.from_seq < first.seq and (window.to_seq is None or first.seq <= window.to_seq)
    came = born_here or any(move.to_window == window.number for move in moves)
    return came and not any(move.from_window == window.number for move in moves)


def lines(
    session: Session, window: ClearingWindow, township_code: str, *, limit: int, after_seq: int | None = None
) -> Sequence[Line]:
    """The movements in which this township is debtor or creditor, at most ``limit`` after the one at ``after_seq``."""
    asked = {
        "township_code": township_code,
        "number": window.number,
        "from_seq": window.from_seq,
        "to_seq": _NO_END if window.to_seq is None else window.to_seq,
        "last_leg_seq": _NO_END if window.last_leg_seq is None else window.last_leg_seq,
        "after": -1 if after_seq is None else after_seq,
        "most": limit,
    }
    return [
        Line(
            transfer_id=row.id,
            seq=row.seq,
            recorded_at=row.recorded_at,
            effective_at=row.effective_at,
            kind=row.kind,
            kind_name=TRANSFER_KIND_NAMES.get(row.kind, row.kind),
            price_kind=price_kind_of(row.kind),
            minutes=row.minutes,
            counterpart_township_code=row.counterpart,
            person_id=row.person_id,
            person_name=masked_name(row.person_name) if row.person_name else None,
            note=row.note,
            moved_in=row.moved_in,
            dispute=row.dispute,
        )
        for row in session.execute(_LINES, asked)
    ]
