"""Home care and its rules on paper, doing the same things side by side and compared after every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.bank.care_model import PaperCare, Sheet
from tests.conftest import books_must_balance
from tests.factories.care import add_provider, carer, elder_with
from tests.factories.people import XIWU, district, steward
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.actions import end_hold, expired_holds
from timebank.ledger.queries import balance_of
from timebank.redemption.care import actions as care
from timebank.redemption.care.actions import Offer, Visit
from timebank.redemption.care.models import CareBooking, CareCapacity
from timebank.redemption.care.views import see_booking

SAVINGS, CAPACITY, NINE_OCLOCK = (400, 150), (150, 120), 9 * 60
which = st.integers(0, 99)
side = st.integers(0, 1)
aheads = st.sampled_from([5, 20, 60, 120, 200, 300, 600, 1440, 1500])
lengths = st.sampled_from([30, 45, 60, 95])
chosen = st.sampled_from([None, None, 0, 1])
passing = st.sampled_from([1, 5, 10, 15, 30, 45, 60, 75, 120, 240, 720, 1440, 4320, 91 * 1440])
STEWARD = steward(XIWU)


class CareMachine(RuleBasedStateMachine):
    """Two elders and two providers of one township; each example has its own, on one database for all."""

    def __init__(self, bank: Database, seen: Counter[str]) -> None:
        super().__init__()
        self.bank, self.seen = bank, seen
        clock.freeze(NINE)
        self.paper = PaperCare(list(SAVINGS), list(CAPACITY), NINE_OCLOCK)
        self.ids: list[Any] = []
        with bank.unit_of_work() as session:
            self.elders = [elder_with(session, minutes) for minutes in SAVINGS]
            self.providers = [add_provider(session, capacity=m, grade=3 - n) for n, m in enumerate(CAPACITY)]
        self._begin()

    def _begin(self) -> None:
        """So that every step has something to be tried on: a long visit that awaits confirmation, and one agreed."""
        self.book(0, 60, 60, None)
        self.assign(0, 0)
        self.check_in(3, True)
        self.check_out(3, 25)
        self.book(1, 300, 45, 1)
        self.assign(0, 1)

    def _same(self, said: str, act: Callable[[Session], Any]) -> None:
        """What the bank answers is what the paper said."""
        try:
            with self.bank.unit_of_work() as session:
                answer = act(session)
            heard = answer.code if isinstance(answer, BankError) else "ok"
        except BankError as refusal:
            answer, heard = None, refusal.code
        assert heard == said
        self.seen[said] += 1
        if isinstance(answer, CareBooking) and answer.id not in self.ids:
            self.ids.append(answer.id)

    def _pick(self, number: int, *wanted: str) -> tuple[Sheet, Any]:
        """Mostly the newest visit that stands as wanted, else one of the newest, which have most to come."""
        places = [place for place, sheet in enumerate(self.paper.sheets) if sheet.status in wanted]
        place = places[-1] if places and number % 4 else len(self.ids) - 1 - number % min(3, len(self.ids))
        return self.paper.sheets[place], self.ids[place]

    def _sent(self, sheet: Sheet) -> Any:
        """Somebody of the provider that was sent, or else of the first."""
        return carer(self.providers[sheet.provider or 0])

    @rule(elder=side, ahead=aheads, minutes=lengths, provider=chosen)
    def book(self, elder: int, ahead: int, minutes: int, provider: int | None) -> None:
        said = self.paper.book(elder, ahead, minutes, provider)
        provider_id = None if provider is None else self.providers[provider].provider_id
        wanted = Visit(clock.now() + timedelta(minutes=ahead), minutes, provider_id=provider_id)
        self._same(said, lambda s: care.book(s, actor=self.elders[elder], wanted=wanted))

    @precondition(lambda self: self.ids)
    @rule(number=which, provider=side)
    def assign(self, number: int, provider: int) -> None:
        sheet, booking_id = self._pick(number, "booked")
        provider_id = self.providers[provider].provider_id
        said = self.paper.assign(sheet, provider)
        self._same(said, lambda s: care.assign(s, actor=district(), booking_id=booking_id, provider_id=provider_id))

    @precondition(lambda self: self.ids)
    @rule(number=which, provider=side)
    def decline(self, number: int, provider: int) -> None:
        sheet, booking_id = self._pick(number)
        actor, said = carer(self.providers[provider]), self.paper.decline(sheet, provider)
        self._same(said, lambda s: care.decline(s, actor=actor, booking_id=booking_id, reason="人手不足"))

    @precondition(lambda self: any(sheet.provider is not None for sheet in self.paper.sheets[-3:]))
    @rule(number=which, in_time=st.booleans())
    def check_in(self, number: int, in_time: bool) -> None:
        sheet, booking_id = self._pick(number, "assigned")
        if sheet.provider is None:
            return
        if in_time and sheet.status == "assigned":
            self._until(sheet.starts)
        with self.bank.session() as session:
            code = session.get_one(CareBooking, booking_id).service_code
        actor, said = self._sent(sheet), self.paper.check_in(sheet)
        self._same(said, lambda s: care.check_in(s, actor=actor, booking_id=booking_id, service_code=code))

    @precondition(lambda self: any(sheet.provider is not None for sheet in self.paper.sheets[-3:]))
    @rule(number=which, longer=st.sampled_from([-30, -1, 0, 1, 7, 10, 11, 25, 40]))
    def check_out(self, number: int, longer: int) -> None:
        sheet, booking_id = self._pick(number, "checked_in")
        if sheet.provider is None:
            return
        if sheet.status == "checked_in" and sheet.came is not None:
            self._until(sheet.came + max(0, sheet.minutes + longer))
        actor, said = self._sent(sheet), self.paper.check_out(sheet)
        self._same(said, lambda s: care.check_out(s, actor=actor, booking_id=booking_id))

    @precondition(lambda self: any(sheet.provider is not None for sheet in self.paper.sheets[-3:]))
    @rule(number=which, in_time=st.booleans())
    def not_home(self, number: int, in_time: bool) -> None:
        sheet, booking_id = self._pick(number, "assigned")
        if sheet.provider is None:
            return
        if in_time and sheet.status == "assigned":
            self._until(sheet.starts)
        said, how = self.paper.not_home(sheet), {"reason": "敲门无人", "evidence": "照片"}
        actor = self._sent(sheet)
        self._same(said, lambda s: care.not_home(s, actor=actor, booking_id=booking_id, **how))

    @precondition(lambda self: self.ids)
    @rule(number=which, accepting=st.sampled_from(["nothing", "shown", "shown", "other"]))
    def confirm(self, number: int, accepting: str) -> None:
        sheet, booking_id = self._pick(number, "checked_out")
        shown = self.paper.excess_of(sheet)
        if sheet.status == "checked_out":
            assert self._shown(booking_id) == shown
        accepted = {"nothing": 0, "shown": shown, "other": shown + 1}[accepting]
        said, elder = self.paper.confirm(sheet, accepted), self.elders[sheet.elder]
        how = {"booking_id": booking_id, "accept_excess_minutes": accepted or None}
        self._same(said, lambda s: care.confirm(s, actor=elder, **how))

    def _shown(self, booking_id: Any) -> int:
        """What the elder is shown as going beyond the hold."""
        with self.bank.session() as session:
            booking = session.get_one(CareBooking, booking_id)
            return see_booking(session, actor=district(), booking=booking).unpaid_excess_minutes

    @precondition(lambda self: any(sheet.came is not None for sheet in self.paper.sheets[-3:]))
    @rule(number=which, by_steward=st.booleans())
    def dispute(self, number: int, by_steward: bool) -> None:
        sheet, booking_id = self._pick(number, "checked_out", "checked_in")
        said = self.paper.dispute(sheet, by_steward=by_steward)
        actor = STEWARD if by_steward else self.elders[sheet.elder]
        self._same(said, lambda s: care.dispute(s, actor=actor, booking_id=booking_id, reason="时间不对"))

    @precondition(lambda self: any(sheet.status == "disputed" for sheet in self.paper.sheets[-3:]))
    @rule(number=which, minutes=st.sampled_from([0, 1, 30, 200]), by_steward=st.booleans())
    def decide(self, number: int, minutes: int, by_steward: bool) -> None:
        sheet, booking_id = self._pick(number, "disputed")
        said, how = self.paper.decide(sheet, minutes, by_steward=by_steward), {"minutes": minutes, "reason": "核实"}
        actor = STEWARD if by_steward else district()
        self._same(said, lambda s: care.decide(s, actor=actor, booking_id=booking_id, **how))

    @precondition(lambda self: self.ids)
    @rule(number=which, by_elder=st.sampled_from([True, True, False]))
    def cancel(self, number: int, by_elder: bool) -> None:
        sheet, booking_id = self._pick(number, "assigned")
        said = self.paper.cancel(sheet, by_elder=by_elder)
        actor = self.elders[sheet.elder] if by_elder else STEWARD
        self._same(said, lambda s: care.cancel(s, actor=actor, booking_id=booking_id, reason="有事"))

    @rule(minutes=passing, jobs=st.sampled_from([True, True, False]))
    def let_time_pass(self, minutes: int, jobs: bool) -> None:
        self._until(self.paper.now + minutes)
        if jobs:
            self.jobs()

    @rule()
    def jobs(self) -> None:
        self.paper.jobs()
        with self.bank.session() as session:
            holds = expired_holds(session, limit=500)
            due = care.deadlines_passed(session, limit=500)
        for hold_id in holds:
            with self.bank.unit_of_work() as session:
                end_hold(session, hold_id=hold_id, expired=True)
        for booking_id in due:
            with self.bank.unit_of_work() as session:
                assert care.move_on(session, booking_id=booking_id)
        with self.bank.session() as session:
            waiting = care.assignments_due(session, limit=500)
        for booking_id in waiting:
            with self.bank.unit_of_work() as session:
                assert care.assign_best(session, booking_id=booking_id)
        self.seen["jobs"] += len(holds) + len(due) + len(waiting)

    def _until(self, minute: int) -> None:
        self.paper.now = max(self.paper.now, minute)
        clock.freeze(NINE + timedelta(minutes=self.paper.now))

    @invariant()
    def the_bank_says_what_the_paper_says(self) -> None:
        with self.bank.session() as session:
            found = {b.id: b for b in session.scalars(select(CareBooking).where(CareBooking.id.in_(self.ids)))}
            balances = [balance_of(session, elder.person()) for elder in self.elders]
            mine = CareCapacity.provider_id.in_([provider.provider_id for provider in self.providers])
            days = {
                (d.provider_id, d.day.toordinal()): d.used_minutes
                for d in session.scalars(select(CareCapacity).where(mine))
            }
        provider_ids = [provider.provider_id for provider in self.providers]
        for sheet, booking_id in zip(self.paper.sheets, self.ids, strict=True):
            booking = found[booking_id]
            sent = None if booking.provider_id is None else provider_ids.index(booking.provider_id)
            assert (booking.status, sent) == (sheet.status, sheet.provider)
            assert (booking.captured_minutes or 0, booking.excess_minutes) == (sheet.captured, sheet.excess)
            self.seen[sheet.status] += 1
        for number, balance in enumerate(balances):
            own = [sheet for sheet in self.paper.sheets if sheet.elder == number]
            assert balance.savings_minutes == self.paper.savings[number]
            assert balance.held_minutes <= self.paper.held(number)
            if not any(self.paper.hold_over_now(sheet) for sheet in own):
                assert balance.held_minutes == self.paper.held(number)
        first = clock.local_date(NINE).toordinal()
        for (provider_id, day), used in days.items():
            assert used == self.paper.used(provider_ids.index(provider_id), day - first)

    def teardown(self) -> None:
        with self.bank.unit_of_work() as session:
            for provider in self.providers:
                offer = Offer(active=False)
                care.change_provider(session, actor=district(), provider_id=provider.provider_id, offer=offer)
        # What is still open is called off, so that no job of another example finds it.
        for sheet, booking_id in zip(self.paper.sheets, self.ids, strict=True):
            if sheet.status in ("booked", "assigned"):
                with self.bank.unit_of_work() as session:
                    care.cancel(session, actor=STEWARD, booking_id=booking_id, reason="结束")
            elif sheet.status in ("checked_in", "checked_out", "disputed"):
                self._until(sheet.hold_over)
                with self.bank.unit_of_work() as session:
                    care.move_on(session, booking_id=booking_id)
        books_must_balance(self.bank)
