"""The ledger and its model on paper, doing the same things side by side and compared after every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank.ledger_books import NOON, OWN, SHARED, SOURCE, account_row, move, open_account, open_person
from tests.bank.ledger_model import PaperLedger, SetAside, Sheet, Wish, partner_of
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, staff
from timebank.core import clock
from timebank.core.amounts import Unit
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger import actions
from timebank.ledger.models import Hold
from timebank.ledger.queries import statement
from timebank.ledger.rules import AccountKind, Movement, Posted

BOOKS = (XIWU, SHANGTIAN, DAYAN)
STEWARDS = {name: staff() for name in ("chen", "sun")}

places = st.integers(0, 20)
amounts = st.one_of(st.integers(-1, 25), st.sampled_from(["all", "all", "over"]))
orders = st.tuples(places, places, amounts, st.sampled_from(["service_credit", "opening"]))
fresh = st.lists(orders, min_size=1, max_size=3).map(lambda found: ("fresh", found))
changes = st.sampled_from(["again", "part", "amount", "target", "kind", "partner", *["of what is held"] * 4])
repeated = st.tuples(changes, st.integers(0, 99))
captures = st.sampled_from(["part", "part", "whole", "over", "again", "other id", "stands", *["elsewhere"] * 2])
reversals = st.sampled_from(["asked", "asked", "credit", "other"])
postings = st.one_of(fresh, fresh, fresh, repeated)
batches = st.one_of(
    st.lists(postings, min_size=1, max_size=4),
    # The second half of the first posting cannot be, and its neighbour comes to the same accounts.
    st.tuples(places, places).map(
        lambda at: [("fresh", [(*at, 1, "opening"), (*at, "over", "opening")]), ("fresh", [(*at, "all", "opening")])]
    ),
)


class LedgerMachine(RuleBasedStateMachine):
    """Accounts of three books in both units; each example opens its own, on one database for all."""

    def __init__(self, bank: Database, seen: Counter[object]) -> None:
        super().__init__()
        self.bank, self.paper, self.seen = bank, PaperLedger(NOON), seen
        self.serial = new_id().int >> 20 << 20
        self.posted: list[tuple[Wish, ...]] = []
        self.hold_ids: list[UUID] = []
        self.captures: list[tuple[UUID, Wish]] = []
        clock.freeze(NOON)
        with bank.unit_of_work() as session:
            self._open(session)
            self.since = int(session.scalar(text("SELECT coalesce(max(seq), 0) FROM ledger_transfer")) or 0)
        self.ids = list(self.paper.sheets)
        steps = [(n, n + k) for n in self._sources() for k in (1, 2, 3, 8)]
        granted = [
            Wish(self._fresh_id(), self.ids[a], self.ids[b % len(self.ids)], 40, "service_credit") for a, b in steps
        ]
        self._answer_postings([[wish] for wish in granted])
        for number, wish in enumerate(granted[:12:3], 1):
            self._place(self._fresh_id(), wish.target, 7 * number, NOON + timedelta(hours=40 * number))

    def _open(self, session: Session) -> None:
        self.pool: dict[int, int] = {}
        self.people: dict[int, UUID] = {}
        for book in BOOKS:
            for unit in Unit:
                for kind in (SOURCE[unit], OWN[unit], SHARED[unit]):
                    if kind == OWN[unit]:
                        person_id = open_person(session, book)
                        account = open_account(session, book, kind, unit, person_id=person_id)
                        self.people |= {account: person_id} if unit == Unit.MINUTE else {}
                    else:
                        account = self._emptied(session, book, kind, unit)
                    _, _, version = account_row(session, account)
                    self.paper.sheets[account] = Sheet(book, unit, kind != SOURCE[unit], version=version)
                    if kind == SHARED[Unit.MINUTE]:
                        self._open_lot(session, book, account)

    def _emptied(self, session: Session, book: str, kind: AccountKind, unit: Unit) -> int:
        """An account of the book itself, which every example uses, without what the last one left in it."""
        account = actions.township_accounts(session, [book], kind, unit)[book]
        for hold in session.query(Hold).filter_by(account_id=account, state="placed"):
            actions.end_hold(session, hold_id=hold.id)
        left, _, _ = account_row(session, account)
        if left:
            source = actions.township_accounts(session, [book], SOURCE[unit], unit)[book]
            actions.post_one(session, (move(account, source, left),))
        return account

    def _open_lot(self, session: Session, book: str, pool: int) -> None:
        expires_on = clock.today() + timedelta(days=len(self.pool))
        lot = open_account(session, book, AccountKind.GRANTED, expires_on=expires_on)
        self.paper.sheets[lot] = Sheet(book, "minute", floored=True, expires_on=expires_on)
        self.pool[lot] = pool

    def _sources(self) -> list[int]:
        sheets = list(self.paper.sheets.values())
        return [n for n, sheet in enumerate(sheets) if not sheet.floored]

    def _fresh_id(self) -> UUID:
        self.serial += 2
        return UUID(int=self.serial)

    def _held(self) -> list[SetAside]:
        return [hold for hold in self.paper.holds.values() if hold.state == "placed"]

    def _wish(self, source: int, target: int, amount: int | str, kind: str) -> Wish:
        place = self.ids[source % len(self.ids)]
        return Wish(self._fresh_id(), place, self._partner(place, target), self._amount(place, amount), kind)

    def _partner(self, account: int, at: int) -> int:
        """Mostly an account that fits; the last two places may hold anything, the account itself too."""
        unit = self.paper.sheets[account].unit
        fitting = [other for other in self.ids if other != account and self.paper.sheets[other].unit == unit]
        return self.ids[(at + account) % len(self.ids)] if at >= len(self.ids) - 2 else fitting[at % len(fitting)]

    def _amount(self, account: int, amount: int | str) -> int:
        """``all`` that is available there, or one ``over`` it."""
        if isinstance(amount, int):
            return amount
        sheet = self.paper.sheets[account]
        return (sheet.posted - sheet.held if sheet.floored else 9) + (amount == "over")

    def _posting(self, how: tuple[str, Any]) -> list[Wish]:
        sort, what = how
        if sort == "fresh" or not self.posted:
            return [self._wish(*order) for order in (what if sort == "fresh" else [(0, 1, 1, "opening")])]
        old = list(self.posted[what % len(self.posted)])
        first, held = old[0], self._held()
        of_held = self._wish(self.ids.index(held[what % len(held)].account), what, "over", "opening") if held else first
        changed = {
            "again": old,
            "part": old[-1:],
            "amount": [_changed(first, amount=first.amount + 1)],
            "target": [_changed(first, target=self.ids[what % len(self.ids)])],
            "kind": [_changed(first, kind="other")],
            "of what is held": [of_held],
            "partner": [_changed(first, id=partner_of(first.id))],
        }
        return changed[sort]

    @rule(batch=batches)
    def post(self, batch: list[tuple[str, Any]]) -> None:
        self._answer_postings([self._posting(how) for how in batch])

    def _answer_postings(self, batch: list[list[Wish]]) -> None:
        expected = []
        for wishes in batch:
            expected.append(self.paper.post(wishes))
            if expected[-1] == "posted":
                self.posted.append(tuple(wishes))
        with self.bank.unit_of_work() as session:
            results = actions.post(session, [tuple(_movement(wish) for wish in wishes) for wishes in batch])
        said = [r.code if isinstance(r, BankError) else "replayed" if r.replayed else "posted" for r in results]
        self.seen.update(expected)
        assert said == expected

    @rule(
        place=places,
        amount=amounts,
        hours=st.one_of(st.integers(1, 12), st.just(1000)),
        again=st.sampled_from([False, False, True]),
    )
    def hold(self, place: int, amount: int | str, hours: int, again: bool) -> None:
        hold_id = self._fresh_id()
        if again and self.hold_ids:
            hold_id = self.hold_ids[place % len(self.hold_ids)]
        account, until = self.ids[place % len(self.ids)], self.paper.now + timedelta(hours=hours)
        self._place(hold_id, account, self._amount(account, amount), until)

    def _place(self, hold_id: UUID, account: int, wanted: int, until: datetime) -> None:
        cause = UUID(int=7)
        asked: dict[str, Any] = {"hold_id": hold_id, "account_id": account, "amount": wanted, "expires_at": until}
        said = self._said(lambda s: actions.place_hold(s, **asked, cause_kind="care", cause_id=cause).state)
        assert said == self.paper.place(hold_id, account, wanted, cause, until)
        if hold_id in self.paper.holds and hold_id not in self.hold_ids:
            self.hold_ids.append(hold_id)

    @precondition(lambda self: self.hold_ids)
    @rule(which=st.integers(0, 99), place=places, how=captures)
    def capture(self, which: int, place: int, how: str) -> None:
        placed = [hold_id for hold_id in self.hold_ids if self.paper.holds[hold_id].state == "placed"]
        hold_id = (placed or self.hold_ids)[which % len(placed or self.hold_ids)]
        hold = self.paper.holds[hold_id]
        source = self.ids[place % len(self.ids)] if how == "elsewhere" else hold.account
        amount = {"whole": hold.amount, "over": hold.amount + 1}.get(how, hold.captured or max(1, hold.amount // 2))
        wish = Wish(self._fresh_id(), source, self._partner(hold.account, place), amount, "opening")
        if how == "again" and self.captures:
            hold_id, wish = self.captures[which % len(self.captures)]
        elif how == "other id" and self.captures:
            hold_id, old = self.captures[which % len(self.captures)]
            wish = _changed(old, id=self._fresh_id())
        elif how == "stands" and self.posted:
            wish = self.posted[which % len(self.posted)][0]
        said = self._said(lambda s: ("captured", actions.capture_hold(s, hold_id=hold_id, movement=_movement(wish))))
        expected = self.paper.capture(hold_id, wish)
        replayed = {"posted": False, "replayed": True}.get(expected)
        assert said == (expected if replayed is None else ("captured", Posted((wish.id,), replayed)))
        if expected == "posted":
            self.captures.append((hold_id, wish))
            self.posted.append((wish,))

    @precondition(lambda self: self.hold_ids)
    @rule(which=st.integers(0, 99), expired=st.booleans())
    def end_hold(self, which: int, expired: bool) -> None:
        placed = [hold_id for hold_id in self.hold_ids if self.paper.holds[hold_id].state == "placed"]
        chosen = placed if placed and which % 4 else self.hold_ids
        hold_id = chosen[-1 - which % len(chosen)]
        said = self._said(lambda s: actions.end_hold(s, hold_id=hold_id, expired=expired).state)
        assert said == self.paper.end(hold_id, "expired" if expired else "released")

    @precondition(lambda self: self.posted)
    @rule(which=st.integers(0, 99), leg=st.booleans(), steward=st.sampled_from(sorted(STEWARDS)), how=reversals)
    def reverse(self, which: int, leg: bool, steward: str, how: str) -> None:
        made = [wish for wishes in self.posted for wish in wishes]
        chosen = {
            "asked": [self.paper.made[transfer_id] for transfer_id in self.paper.asked_by],
            "credit": [wish for wish in made if wish.kind == "service_credit"],
            "other": [wish for wish in made if wish.kind != "service_credit"],
        }[how] or made
        wish = chosen[which % len(chosen)]
        named = partner_of(wish.id) if leg and partner_of(wish.id) in self.paper.taken else wish.id
        reversal: list[UUID | None] = [None]

        def ask(session: Session) -> str:
            answered = actions.reverse(session, actor=STEWARDS[steward], transfer_id=named, reason="记错")
            reversal[0] = answered[2]
            return answered[0]

        said = self._said(ask)
        assert said == self.paper.reverse(named, steward, reversal[0] or UUID(int=0))

    @rule()
    def sweep(self) -> None:
        for lot, pool in self.pool.items():
            expected = self.paper.sweep(lot, pool, clock.local_date(self.paper.now))
            with self.bank.unit_of_work() as session:
                assert (lot in actions.expired_lots(session, limit=10_000)) is (expected > 0)
                assert actions.sweep_lot(session, account_id=lot) == expected
            self.seen["swept"] += expected > 0

    @rule(hours=st.integers(-5, 40))
    def time_moves(self, hours: int) -> None:
        self.paper.now += timedelta(hours=hours)
        clock.freeze(self.paper.now)

    def _said(self, act: Callable[[Session], Any]) -> Any:
        """What the bank answers: the action's own word, or the code of its refusal. Refused work is undone."""
        try:
            with self.bank.unit_of_work() as session:
                said = act(session)
        except BankError as refusal:
            said = refusal.code
        self.seen[said] += 1
        return said

    @invariant()
    def the_books_say_what_the_paper_says(self) -> None:
        with self.bank.session() as session:
            rows = session.execute(_ACCOUNTS, {"ids": self.ids, "since": self.since}).all()
            lines = session.execute(_LINES, {"ids": self.ids, "since": self.since}).all()
            clearing = session.execute(_CLEARING, {"since": self.since}).all()
        for row in rows:
            sheet = self.paper.sheets[row.id]
            assert (row.held, row.version) == (sheet.held, sheet.version)
            assert row.posted == (sheet.posted if sheet.floored else 0)
            assert row.net == sum(amount for _, amount, _ in sheet.lines) or not sheet.floored
            assert sheet.floored or row.net == sheet.posted
        written: dict[int, list[Any]] = {account: [] for account in self.ids}
        times: dict[int, list[Any]] = {account: [] for account in self.ids}
        for line in lines:
            written[line.account_id].append((line.id, line.amount, line.balance))
            times[line.account_id].append(line.recorded_at)
        for account, sheet in self.paper.sheets.items():
            known = [(id_ or line[0], *rest) for (id_, *rest), line in zip(sheet.lines, written[account], strict=True)]
            assert written[account] == known
            assert times[account] == sorted(times[account])
        assert {(row.book_code, row.unit): row.net for row in clearing if row.net} == {
            place: net for place, net in self.paper.clearing.items() if net
        }
        assert all(sum(row.net for row in clearing if row.unit == unit) == 0 for unit in Unit)

    @invariant()
    def a_statement_is_the_paper_read_backwards(self) -> None:
        with self.bank.session() as session:
            for account, person_id in self.people.items():
                [*first] = statement(session, person_id, limit=2)
                rest = statement(session, person_id, limit=200, after=(account, first[-1].version)) if first else []
                read = [(line.minutes, line.balance_minutes) for line in (*first, *rest)]
                assert read == [(amount, balance) for _, amount, balance in reversed(self.paper.sheets[account].lines)]


def _changed(wish: Wish, **fields: Any) -> Wish:
    return Wish(**{**wish.__dict__, **fields})


def _movement(wish: Wish) -> Movement:
    movement = Movement(wish.id, wish.source, wish.target, wish.amount, wish.kind, effective_at=NOON)
    assert (wish.cause, wish.reverses) == (None, None)
    return movement


_SIDES = """
    SELECT to_account_id AS account_id, amount, to_version AS version, to_balance AS balance, seq, recorded_at,
           coalesce(link_id, id) AS id FROM ledger_transfer WHERE to_account_id = ANY(:ids) AND seq > :since
    UNION ALL
    SELECT from_account_id, -amount, from_version, from_balance, seq, recorded_at, coalesce(link_id, id)
    FROM ledger_transfer WHERE from_account_id = ANY(:ids) AND seq > :since"""
_ACCOUNTS = text(f"""
    SELECT a.id, a.posted, a.held, a.version, coalesce(s.net, 0) AS net FROM ledger_account a
    LEFT JOIN (SELECT account_id, sum(amount) AS net FROM ({_SIDES}) s GROUP BY account_id) s ON s.account_id = a.id
    WHERE a.id = ANY(:ids)""")
_LINES = text(f"SELECT * FROM ({_SIDES}) s WHERE version IS NOT NULL ORDER BY account_id, version")
_CLEARING = text("""
    SELECT a.book_code, a.unit, sum(CASE WHEN t.to_account_id = a.id THEN t.amount ELSE -t.amount END) AS net
    FROM ledger_account a
    JOIN ledger_transfer t ON (t.to_account_id = a.id OR t.from_account_id = a.id) AND t.seq > :since
    WHERE a.kind = 'clearing' GROUP BY a.book_code, a.unit""")
