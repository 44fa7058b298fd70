"""Aids and their model on paper, doing the same things side by side and compared after every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.bank.aids_model import MOST_DAYS, MOST_OVERDUE, OFFSETS, PRICES, PaperAids, PaperItem, PaperLoan, Purse
from tests.factories.aids import add_aid, borrower_with
from tests.factories.minutes import grant_minutes, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, district, steward
from tests.factories.policies import change_policy
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.actions import sweep_lot
from timebank.ledger.models import Account, Transfer
from timebank.redemption.aids import actions
from timebank.redemption.aids.actions import Wish
from timebank.redemption.aids.models import AidCharge, AidItem, AidLoan, AidLoanDay, AidReminder


@dataclass(frozen=True)
class How:
    """How a step is taken; each takes of it what it needs. ``crash``: at first the power fails before the commit."""

    place: int
    days: int
    hours: int
    flag: bool
    crash: bool


hows = st.builds(
    How,
    place=st.integers(0, 9),
    days=st.sampled_from([1, 1, 2, 2, 3, MOST_DAYS + 1]),
    hours=st.sampled_from([3, 24, 24, 24, 30, 50, 72]),
    flag=st.booleans(),
    crash=st.booleans(),
)
NEEDS = {"lend": "reserved", "cancel": "reserved", "extend": "lent", "bring_back": "lent", "lose": "lent"}
STEPS = (
    *("reserve", "reserve", "reserve", "lend", "lend", "lend", "extend", "extend", "cancel", "bring_back", "lose"),
    *("repair", "mend", "mend", "retire", "lot_is_swept", "reservations_lapse", "reservations_lapse"),
    *("time_passes", "time_passes", "time_passes", "time_passes", "charges_run", "charges_run", "reminders_go_out"),
)


def set_policies(bank: Database) -> None:
    """Small numbers, so that every limit is met within a few steps; and a price of 大堰's own."""
    with bank.unit_of_work() as session:
        change_policy(session, "aid_max_days", MOST_DAYS)
        change_policy(session, "aid_overdue_max_days", MOST_OVERDUE)
        change_policy(session, "aid_reminder_days", list(OFFSETS))
        change_policy(session, "aid_max_items", 1, township_code=SHANGTIAN)
        change_policy(session, "aid_price_minutes_per_day", {"default": PRICES[DAYAN]}, township_code=DAYAN)


class AidsMachine(RuleBasedStateMachine):
    """Two people of two townships, two aids of two townships; each example has its own, on one database for all."""

    def __init__(self, bank: Database, seen: Counter[str]) -> None:
        super().__init__()
        self.bank, self.seen = bank, seen
        # The clock never runs back, not even from one example to the next.
        clock.freeze(clock.now() + timedelta(days=1))
        today = clock.today()
        with bank.unit_of_work() as session:
            self.people = [borrower_with(session, 0, township_code=code) for code in (XIWU, SHANGTIAN)]
            self.accounts = [
                grant_minutes(session, self.people[0], 70, expires_on=today + timedelta(days=4)),
                *(
                    save_minutes(session, person, minutes)
                    for person, minutes in zip(self.people, (120, 90), strict=True)
                ),
            ]
            self.since = int(session.scalar(select(func.coalesce(func.max(Transfer.seq), 0))) or 0)
        self.purses = [Purse(70, expires_on=today + timedelta(days=4)), Purse(120), Purse(90)]
        self.paper = PaperAids([self.purses[:2], self.purses[2:]], [3, 1])
        self.item_ids: list[UUID] = []
        self.loan_ids: list[UUID] = []
        self.codes: list[str] = []
        for home in PRICES:
            self._enter(home)

    def _enter(self, home: str) -> None:
        with self.bank.unit_of_work() as session:
            self.item_ids.append(add_aid(session, home).id)
        self.paper.items.append(PaperItem(home, home))

    def _now(self) -> datetime:
        return clock.now().astimezone(clock.LOCAL)

    def _item(self, place: int) -> int:
        """Mostly one that is still there."""
        standing = [n for n, item in enumerate(self.paper.items) if item.condition != "retired"]
        return standing[place % len(standing)] if place < 9 else 0

    def _loan(self, how: How, status: str) -> int:
        """Mostly a loan that stands as is needed."""
        fit = [n for n, loan in enumerate(self.paper.loans) if loan.status == status]
        chosen = fit if fit and how.place < 9 else range(len(self.paper.loans))
        return list(chosen)[how.place % len(chosen)]

    def _do(self, action: Callable[[Session], Any], expected: str, how: How, done: str) -> Any:
        """The action, after a try that the power cut off; it answers as the paper says."""
        answer: Any = None
        try:
            if how.crash:
                with self.bank.session() as session:
                    action(session)
                    session.rollback()
            with self.bank.unit_of_work() as session:
                answer, said = action(session), done
        except BankError as refusal:
            said = refusal.code
        assert said == expected
        self.seen[said] += 1
        return answer

    # One rule with a weighted choice: hypothesis leaves whole rules out of an example, and then nothing is ever lent.
    @rule(step=st.sampled_from(STEPS), how=hows)
    def go_on(self, step: str, how: How) -> None:
        standing = {loan.status for loan in self.paper.loans}
        if step in NEEDS and NEEDS[step] not in standing and (how.place < 8 or not standing):
            step = "lend" if "reserved" in standing else "reserve"
        if step == "retire" and how.place < 6:
            step = "time_passes"
        getattr(self, step)(how)

    def reserve(self, how: How) -> None:
        person, item = how.place % 2, self._item(how.place)
        said = self.paper.reserve(person, item, how.days, self._now())
        wish = Wish(how.days, item_id=self.item_ids[item])
        made = self._do(lambda s: actions.reserve(s, actor=self.people[person], wish=wish), said, how, "reserved")
        if made is not None:
            self.loan_ids.append(made.id)
            self.codes.append(made.code)

    def lend(self, how: How) -> None:
        n, condition = self._loan(how, "reserved"), "worn" if how.flag else "good"
        said = self.paper.lend(self.paper.loans[n], self._now(), condition)
        told = {"loan_id": self.loan_ids[n], "condition": condition, "code": self.codes[n]}
        self._do(lambda s: actions.lend(s, actor=district(), **told), said, how, "lent")

    def extend(self, how: How) -> None:
        n = self._loan(how, "lent")
        said = self.paper.extend(self.paper.loans[n], how.days, clock.today())
        actor = self.people[self.paper.loans[n].person]
        told = {"loan_id": self.loan_ids[n], "days": how.days}
        self._do(lambda s: actions.extend(s, actor=actor, **told), said, how, "extended")

    def cancel(self, how: How) -> None:
        n = self._loan(how, "reserved")
        said = self.paper.give_up(self.paper.loans[n], "cancelled")
        actor = self.people[self.paper.loans[n].person]
        self._do(lambda s: actions.cancel(s, actor=actor, loan_id=self.loan_ids[n]), said, how, "cancelled")

    def bring_back(self, how: How) -> None:
        n, condition = self._loan(how, "lent"), "in_repair" if how.flag else "good"
        at = (XIWU, SHANGTIAN, DAYAN)[how.place % 3]
        said = self.paper.end(self.paper.loans[n], clock.today(), "returned", condition, at)
        told = {"loan_id": self.loan_ids[n], "condition": condition, "damage": "坏了"}
        self._do(lambda s: actions.return_aid(s, actor=steward(at), **told), said, how, "returned")

    def lose(self, how: How) -> None:
        n = self._loan(how, "lent")
        said = self.paper.end(self.paper.loans[n], clock.today(), "lost", "retired", None)
        told = {"loan_id": self.loan_ids[n], "reason": "遗失"}
        self._do(lambda s: actions.lose(s, actor=district(), **told), said, how, "lost")
        if said == "lost":
            self._enter(self.paper.items[self.paper.loans[n].item].home)

    def repair(self, how: How) -> None:
        item = self._item(how.place)
        told: dict[str, Any] = {"actor": district(), "item_id": self.item_ids[item], "reason": "坏了"}
        said = self.paper.change(item, "in_repair")
        self._do(lambda s: actions.send_to_repair(s, **told), said, how, "in_repair")

    def mend(self, how: How) -> None:
        broken = [n for n, item in enumerate(self.paper.items) if item.condition == "in_repair"]
        item = broken[0] if broken and how.place < 8 else self._item(how.place)
        wanted = "worn" if how.flag else "good"
        told: dict[str, Any] = {"actor": district(), "item_id": self.item_ids[item], "condition": wanted}
        said = self.paper.change(item, wanted)
        self._do(lambda s: actions.mark_repaired(s, **told), said, how, wanted)

    def retire(self, how: How) -> None:
        item = self._item(how.place)
        told: dict[str, Any] = {"actor": district(), "item_id": self.item_ids[item], "reason": "太旧"}
        said = self.paper.change(item, "retired")
        self._do(lambda s: actions.retire_item(s, **told), said, how, "retired")
        if said == "retired":
            self._enter(self.paper.items[item].home)

    def time_passes(self, how: How) -> None:
        clock.freeze(clock.now() + timedelta(hours=how.hours))

    def charges_run(self, how: How) -> None:
        done = self._run(actions.charges_due, lambda s, due: actions.charge_day(s, loan_id=due[0], day=due[1]), how)
        assert done == self.paper.charge(clock.today())
        self.seen["charged" if done else "nothing to charge"] += 1

    def reservations_lapse(self, how: How) -> None:
        done = self._run(
            actions.lapsed_reservations, lambda s, loan_id: actions.lapse_reservation(s, loan_id=loan_id), how
        )
        assert done == self.paper.lapse(clock.now())
        self.seen["lapsed" if done else "nothing to lapse"] += 1

    def reminders_go_out(self, how: How) -> None:
        done = self._run(actions.reminders_to_send, lambda s, loan_id: actions.remind(s, loan_id=loan_id), how)
        assert done == self.paper.remind(clock.today())
        self.seen["reminded" if done else "nobody to remind"] += 1

    def lot_is_swept(self, _how: How) -> None:
        with self.bank.unit_of_work() as session:
            swept = sweep_lot(session, account_id=self.accounts[0])
        assert swept == self.paper.sweep(self.purses[0], clock.today())
        self.seen["swept" if swept else "nothing to sweep"] += 1

    def _run(self, find: Callable[..., list[Any]], do: Callable[[Session, Any], bool], how: How) -> int:
        """One turn of a job, each item in a unit of work of its own, found twice; how many were done."""
        with self.bank.session() as session:
            items = find(session, limit=500)
        done = 0
        for item in items:
            if how.crash:
                with self.bank.session() as session:
                    do(session, item)
                    session.rollback()
            with self.bank.unit_of_work() as session:
                done += do(session, item)
        with self.bank.session() as session:
            assert find(session, limit=500) == []
        return done

    @invariant()
    def the_bank_says_what_the_paper_says(self) -> None:
        with self.bank.session() as session:
            for account_id, purse in zip(self.accounts, self.purses, strict=True):
                account = session.get_one(Account, account_id)
                assert (account.posted, account.held) == (purse.posted, purse.held)
                assert account.posted >= account.held >= 0
            for item_id, item in zip(self.item_ids, self.paper.items, strict=True):
                found = session.get_one(AidItem, item_id)
                assert (found.condition, found.at_township_code) == (item.condition, item.at)
            for loan_id, loan in zip(self.loan_ids, self.paper.loans, strict=True):
                self._must_be(session, loan_id, loan)
            assert self._redeemed(session) == self.paper.redeemed

    def _must_be(self, session: Session, loan_id: UUID, loan: PaperLoan) -> None:
        found = session.get_one(AidLoan, loan_id)
        assert (found.status, found.days, found.lent_on) == (loan.status, len(loan.promised), loan.lent_on)
        charges = select(AidCharge.paid_from, AidCharge.minutes).where(AidCharge.loan_id == loan_id)
        assert [tuple(row) for row in session.execute(charges.order_by(AidCharge.number))] == loan.charges
        promised = select(AidLoanDay.minutes).where(AidLoanDay.loan_id == loan_id).order_by(AidLoanDay.number)
        assert session.scalars(promised).all() == [sum(m for _, m in parts) for parts in loan.promised]
        told = select(AidReminder.due_on, AidReminder.offset_days).where(AidReminder.loan_id == loan_id)
        reminders: set[tuple[date, int]] = {(due_on, offset) for due_on, offset in session.execute(told)}
        assert reminders == loan.reminders

    def _redeemed(self, session: Session) -> dict[str, int]:
        """Minutes that came to each home township's account of what was redeemed."""
        query = (
            select(Transfer.book_code, func.sum(Transfer.amount))
            .join(Account, Account.id == Transfer.to_account_id)
            .where(Transfer.seq > self.since, Account.kind == "redeemed")
            .group_by(Transfer.book_code)
        )
        return {**dict.fromkeys(PRICES, 0), **{book: int(total) for book, total in session.execute(query)}}

    def teardown(self) -> None:
        """Everything is brought back, so that the next example's jobs find nothing of this one's."""
        for loan_id, loan in zip(self.loan_ids, self.paper.loans, strict=True):
            with self.bank.unit_of_work() as session:
                if loan.status == "lent":
                    actions.return_aid(session, actor=steward(XIWU), loan_id=loan_id, condition="good")
                elif loan.status == "reserved":
                    actions.cancel(session, actor=district(), loan_id=loan_id, reason="收尾")
