"""The bank's vouchers and those on paper, living side by side and compared after every step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank.voucher_model import DAYS, MONTHLY, PaperBank
from tests.factories.minutes import grant_minutes, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, add_canteen, add_person, clerk, district
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.vouchers import make_relatives
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import township_accounts
from timebank.ledger.models import Account
from timebank.ledger.queries import balance_of
from timebank.ledger.rules import AccountKind
from timebank.redemption import actions
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan

HOMES = (SHANGTIAN, DAYAN)
WORKING_DAYS, EVERY_DAY = (1, 2, 3, 4, 5), (1, 2, 3, 4, 5, 6, 7)
people = st.integers(0, 3)
which = st.integers(0, 40)

_TWICE_PAID = text("""SELECT count(*) FROM (
    SELECT cause_id FROM ledger_transfer WHERE kind = 'voucher_redemption' AND (link_id IS NULL OR link_id = id)
    GROUP BY cause_id HAVING count(*) > 1) twice""")
_BELOW_FLOOR = text("SELECT count(*) FROM ledger_account WHERE floored AND posted - held < 0")


class Times:
    """When the next example begins: time never runs backwards on the database that all examples share."""

    def __init__(self) -> None:
        self.next, self.examples = NINE, 0

    def begin(self) -> datetime:
        """A Monday at nine, after all that was."""
        self.examples += 1
        days = (7 - self.next.astimezone(LOCAL).weekday()) % 7 or 7
        return (self.next + timedelta(days=days)).astimezone(LOCAL).replace(hour=9, minute=0)


class VoucherMachine(RuleBasedStateMachine):
    """Four relatives of two townships and a counter in each; each example has people of its own."""

    def __init__(self, bank: Database, times: Times, seen: Counter[str]) -> None:
        super().__init__()
        self.bank, self.times, self.seen = bank, times, seen
        self.ids: dict[str, Any] = {}
        now = times.begin()
        on_expiry = ("refund", "pool")[times.examples % 2]
        clock.freeze(now)
        with bank.unit_of_work() as session:
            self._set_policies(session, on_expiry)
            self.people = [add_person(session, HOMES[n % 2], age=70, name=f"老人{n}") for n in range(4)]
            for n, one in enumerate(self.people):
                for other in self.people[n + 1 :]:
                    make_relatives(session, one, other)
                save_minutes(session, one, 150 + 100 * n)
            for one in self.people[:2]:
                grant_minutes(session, one, 90, expires_on=now.date() + timedelta(days=3660))
            self.counters = [clerk(add_canteen(session, home)) for home in HOMES]
            self.pools = township_accounts(session, HOMES, AccountKind.POOL)
            self.pooled, self.owed = self._pools(session), self._owed(session)
        purses = {(n, "savings"): 150 + 100 * n for n in range(4)}
        purses |= {(n, "granted"): 90 if n < 2 else 0 for n in range(4)}
        homes = [HOMES[n % 2] for n in range(4)]
        self.paper = PaperBank(now, homes, {SHANGTIAN: EVERY_DAY, DAYAN: WORKING_DAYS}, purses, on_expiry)
        self.whole = self.paper.total()

    def _set_policies(self, session: Session, on_expiry: str) -> None:
        wanted = {"voucher_valid_days": DAYS, "voucher_max_per_month": MONTHLY, "voucher_on_expiry": on_expiry}
        for key, value in wanted.items():
            change_policy(session, key, value)
        change_policy(session, "voucher_weekdays", list(WORKING_DAYS), township_code=DAYAN)

    def _said(self, call: Callable[[Session], Any]) -> tuple[str, Any]:
        """``ok`` with the answer, or the code of the refusal; a minute passes with every step."""
        try:
            with self.bank.unit_of_work() as session:
                answer = call(session)
        except BankError as refusal:
            self.seen[refusal.code] += 1
            return refusal.code, None
        self.seen["ok"] += 1
        return "ok", answer

    def _code(self, place: int, *, unused: bool = True) -> str:
        """Some voucher's code, mostly of one that is unused."""
        codes = [code for code in self.paper.vouchers if self.paper.vouchers[code].status == "issued"]
        if not unused or not codes or place % 5 == 0:
            codes = list(self.paper.vouchers)
        return codes[place % len(codes)]

    def _keep(self, vouchers: list[Voucher]) -> list[str]:
        self.ids.update({voucher.code: voucher.id for voucher in vouchers})
        return [voucher.code for voucher in vouchers]

    def _holder(self, code: str) -> Actor:
        return self.people[self.paper.vouchers[code].holder]

    @rule(person=people, quantity=st.integers(1, 3))
    def buy(self, person: int, quantity: int) -> None:
        expected = self.paper.may_buy(person, quantity)
        said, made = self._said(lambda s: actions.buy_vouchers(s, actor=self.people[person], quantity=quantity))
        assert said == expected
        if said == "ok":
            self.paper.buy(person, self._keep(made))

    @precondition(lambda self: self.paper.vouchers)
    @rule(place=which, by_holder=st.sampled_from([True, True, True, False]))
    def refund(self, place: int, by_holder: bool) -> None:
        code = self._code(place)
        actor = self._holder(code) if by_holder else self.people[(self.paper.vouchers[code].holder + 1) % 4]
        unused = self.paper.standing(code) == "issued"
        expected = ("ok" if unused else "voucher_not_refundable") if by_holder else "voucher_unknown"
        said, _ = self._said(lambda s: actions.refund_voucher(s, actor=actor, voucher_id=self.ids[code]))
        assert said == expected
        if said == "ok":
            self.paper.end(code, "refunded")

    @precondition(lambda self: self.paper.vouchers)
    @rule(place=which)
    def void(self, place: int) -> None:
        code = self._code(place)
        expected = "ok" if self.paper.standing(code) == "issued" else "voucher_not_issued"
        said, _ = self._said(
            lambda s: actions.void_voucher(s, actor=district(), voucher_id=self.ids[code], reason="试")
        )
        assert said == expected
        if said == "ok":
            self.paper.end(code, "void")

    @precondition(lambda self: self.paper.vouchers)
    @rule(place=which, to=people, by_holder=st.sampled_from([True, True, True, False]))
    def give(self, place: int, to: int, by_holder: bool) -> None:
        code = self._code(place)
        giver = self.paper.vouchers[code].holder if by_holder else (self.paper.vouchers[code].holder + 1) % 4
        expected = self.paper.may_give(giver, code, to)
        asked = {"voucher_id": self.ids[code], "to_person_id": self.people[to].person()}
        said, given = self._said(lambda s: actions.give_voucher(s, actor=self.people[giver], **asked))
        assert said == expected
        if said == "ok":
            self.paper.give(code, to, self._keep([given])[0])

    @precondition(lambda self: self.paper.vouchers)
    @rule(person=people)
    def lose_the_card(self, person: int) -> None:
        lost = [c for c, v in self.paper.vouchers.items() if v.holder == person and self.paper.standing(c) == "issued"]
        actor = self.people[person]
        said, made = self._said(lambda s: actions.reissue_vouchers(s, actor=actor, for_person_id=actor.person()))
        assert said == "ok"
        replaced = {voucher.replaces_id: code for voucher, code in zip(made, self._keep(made), strict=True)}
        assert set(replaced) == {self.ids[code] for code in lost}
        for code in lost:
            self.paper.anew(code, replaced[self.ids[code]])

    @precondition(lambda self: self.paper.vouchers)
    @rule(place=which, counter=st.integers(0, 1), unused=st.booleans())
    def scan(self, place: int, counter: int, unused: bool) -> None:
        self._scan(self._code(place, unused=unused), counter)

    def _scan(self, code: str, counter: int) -> None:
        expected = self.paper.scan(code, HOMES[counter])
        scans = [Scan(code, str(new_id()))]
        said, answers = self._said(lambda s: actions.redeem_vouchers(s, actor=self.counters[counter], scans=scans))
        self.seen[expected] += 1
        assert (said, answers[0].verdict.reason) == ("ok", expected)

    @rule(hours=st.sampled_from([1, 24, 24, 48, 24 * DAYS, 24 * DAYS]), job=st.booleans())
    def let_time_pass(self, hours: int, job: bool) -> None:
        self._to(self.paper.now + timedelta(hours=hours))
        if job:
            self.run_the_job()

    @precondition(lambda self: self.paper.vouchers)
    @rule(place=which, counter=st.integers(0, 1))
    def come_on_saturday(self, place: int, counter: int) -> None:
        days = (5 - self.paper.now.astimezone(LOCAL).weekday()) % 7
        self._to(self.paper.now + timedelta(days=days))
        self._scan(self._code(place), counter)

    @rule()
    def run_the_job(self) -> None:
        with self.bank.session() as session:
            found = set(actions.expired_vouchers(session, limit=999))
        due = [c for c, v in self.paper.vouchers.items() if v.status == "issued" and v.expires_at <= self.paper.now]
        assert {self.ids[code] for code in due} == found & set(self.ids.values())
        for code in due:
            said, done = self._said(lambda s, code=code: actions.expire_voucher(s, voucher_id=self.ids[code]))  # type: ignore[misc]
            assert (said, done) == ("ok", True)
            self.paper.end(code, "expired")
            self.seen[f"expired to {self.paper.vouchers[code].on_expiry}"] += 1

    @rule(where=st.sampled_from(["refund", "pool"]))
    def change_what_expiry_means(self, where: str) -> None:
        with self.bank.unit_of_work() as session:
            change_policy(session, "voucher_on_expiry", where)
        self.paper.on_expiry = where

    def _to(self, moment: datetime) -> None:
        self.paper.now = moment
        clock.freeze(moment)

    def _pools(self, session: Session) -> dict[str, int]:
        return {
            home: session.get_one(Account, pool, populate_existing=True).posted for home, pool in self.pools.items()
        }

    def _owed(self, session: Session) -> dict[str, int]:
        return {p.township_code: p.position_minutes for p in positions(session, window_name=None)[1]}

    @invariant()
    def the_books_say_what_stands_on_paper(self) -> None:
        self._to(self.paper.now + timedelta(minutes=1))
        with self.bank.session() as session:
            for number, person in enumerate(self.people):
                found = balance_of(session, person.person())
                granted, saved = (self.paper.purses[number, kind] for kind in ("granted", "savings"))
                assert (found.granted_minutes, found.savings_minutes) == (granted, saved)
                assert found.voucher_minutes == self.paper.in_vouchers(number)
            pools = {home: minutes - self.pooled[home] for home, minutes in self._pools(session).items()}
            assert pools == {home: self.paper.pools.get(home, 0) for home in HOMES}
            owed = {code: minutes - self.owed[code] for code, minutes in self._owed(session).items()}
            assert {code: minutes for code, minutes in owed.items() if minutes} == {
                code: minutes for code, minutes in self.paper.owed.items() if minutes
            }
            assert (session.scalar(_TWICE_PAID), session.scalar(_BELOW_FLOOR)) == (0, 0)
        assert self.paper.total() == self.whole

    def teardown(self) -> None:
        self.times.next = self.paper.now
