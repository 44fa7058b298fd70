"""A township's lines as its own list is matched against: with whole names, which never leave the bank."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, any_, bindparam, cast, select, text
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow
from timebank.clearing.queries.lines import lines
from timebank.clearing.rules import CARRIED_KIND
from timebank.clearing.township_lists import BookedLine, ListedLine, keys_of_booked
from timebank.core.clock import local_date
from timebank.core.db import UuidColumn
from timebank.ledger.rules import second_leg_id
from timebank.people.models import Person

_ALL = 2**62

# Whose line it is as in queries/lines.py; the window is the one that it was moved to last, else the one it fell into.
_NAMED = text("""
SELECT f.id, f.effective_at, CASE WHEN f.book_code = :township_code THEN -f.amount ELSE f.amount END AS minutes,
       CASE WHEN f.book_code = :township_code THEN f.counterpart_book_code ELSE f.book_code END AS counterpart,
       CASE WHEN f.kind = 'reversal' THEN coalesce(fa.person_id, ta.person_id)
            ELSE coalesce(ta.person_id, fa.person_id) END AS person_id,
       coalesce((SELECT max(m.to_window) FROM clearing_moved_line m WHERE m.transfer_id = f.id),
                (SELECT w.number FROM clearing_window w
                 WHERE f.seq > w.from_seq AND (w.to_seq IS NULL OR f.seq <= w.to_seq))) AS window_number
FROM ledger_transfer f
JOIN ledger_transfer s ON s.id = encode(set_byte(uuid_send(f.id), 15, get_byte(uuid_send(f.id), 15) # 1), 'hex')::uuid
LEFT JOIN ledger_account fa ON fa.id = f.from_account_id
LEFT JOIN ledger_account ta ON ta.id = s.to_account_id
WHERE f.id = ANY(:ids) AND f.id = f.link_id AND f.unit = 'minute' AND f.kind NOT IN ('settlement', 'settlement_undone')
  AND :township_code IN (f.book_code, f.counterpart_book_code)
""").bindparams(bindparam("ids", type_=ARRAY(UuidColumn)))

_Fact = tuple[UUID, int, datetime, int, str, UUID | None]
"""A line: first leg, window, when it took effect, minutes, counterpart, person."""


class TownshipBooks:
    """The lines of one township; ``persons`` are the person and the name behind each line that was read."""

    def __init__(self, session: Session, township_code: str) -> None:
        self._session, self._township_code = session, township_code
        self.persons: dict[UUID, tuple[UUID, str]] = {}

    def of_window(self, window: ClearingWindow, wanted: Collection[UUID]) -> list[BookedLine]:
        """Every line of a window. Minutes carried over are in nobody's own list, so only those ``wanted`` by id."""
        carried = frozenset(CARRIED_KIND.values())
        found = lines(self._session, window, self._township_code, limit=_ALL)
        return self._booked(
            (
                one.transfer_id,
                window.number,
                one.effective_at,
                one.minutes,
                one.counterpart_township_code,
                one.person_id,
            )
            for one in found
            if one.kind not in carried or one.transfer_id in wanted
        )

    def named(self, ids: Collection[UUID]) -> list[BookedLine]:
        """The lines, of whatever window, that these ids name by either leg; others' movements are left out."""
        asked = {"ids": list(ids), "township_code": self._township_code}
        found = self._session.execute(_NAMED, asked) if ids else ()
        return self._booked(
            (row.id, row.window_number, row.effective_at, row.minutes, row.counterpart, row.person_id) for row in found
        )

    def beside(self, window: ClearingWindow, rows: Sequence[ListedLine]) -> list[BookedLine]:
        """Lines of the windows before and after this one, of the days of these rows."""
        days = {row.day for row in rows}
        beside = select(ClearingWindow).where(ClearingWindow.number.in_((window.number - 1, window.number + 1)))
        found: list[BookedLine] = []
        for other in self._session.scalars(beside.order_by(ClearingWindow.number)).all():
            found += [line for line in self.of_window(other, ()) if line.day in days]
        return found

    def _booked(self, facts: Iterable[_Fact]) -> list[BookedLine]:
        known = list(facts)
        names = self._names({fact[-1] for fact in known if fact[-1] is not None})
        booked = []
        for transfer_id, number, effective_at, minutes, counterpart, person_id in known:
            name = names.get(person_id) if person_id is not None else None
            if person_id is not None and name is not None:
                self.persons[transfer_id] = person_id, name
            keys = keys_of_booked(person_id, name)
            booked.append(BookedLine(transfer_id, number, local_date(effective_at), minutes, counterpart, keys))
        return booked

    def _names(self, ids: Collection[UUID]) -> dict[UUID, str]:
        # Names only: reading whole people would open thousands of sealed numbers for nothing.
        wanted = any_(cast(list(ids), ARRAY(UuidColumn)))
        query = select(Person.id, Person.name).where(Person.id == wanted)
        return {row.id: row.name for row in self._session.execute(query)} if ids else {}


def both_legs(ids: Iterable[UUID]) -> set[UUID]:
    """These ids and those of the other legs."""
    return {leg for one in ids for leg in (one, second_leg_id(one))}
