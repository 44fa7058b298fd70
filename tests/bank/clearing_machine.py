"""Clearing and its model on paper, doing the same things side by side and compared after every one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.bank.clearing_days import PRICES, days
from tests.bank.clearing_facts import facts_of_bank, facts_on_paper, must_sum_to_zero
from tests.bank.clearing_model import TwelveBooks
from tests.bank.clearing_paper import Line, Month, Objection
from tests.bank.clearing_scene import SAVED, Scene
from tests.conftest import BANK_OPENED, books_must_balance
from tests.factories.people import district
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.clearing import actions as clearing
from timebank.clearing.models import ClearingWindow, Dispute, Payment, Settlement
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger import actions as ledger
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind, Movement
from timebank.redemption.actions import buy_vouchers, redeem_vouchers, refund_voucher
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan

Something = TypeVar("Something")

SORTS = {
    **dict.fromkeys(("voucher_redemption", "voucher_purchase", "voucher_refund", "carried_meal"), "meal"),
    **dict.fromkeys(("aid_use", "carried_aid"), "aid"),
}
PRICE_OF_A_MEAL = 60
MOST_MONTHS = 8


class ClearingMachine(RuleBasedStateMachine):
    """Six people of the twelve townships over some months; each example has a database of its own.

    A step is what some people do and one thing that a steward does, drawn by name: among many rules Hypothesis would
    leave out about half in every example, and a month that is never closed tells little.
    """

    def __init__(self, scene: Scene, seen: Counter[object]) -> None:
        super().__init__()
        self.scene, self.seen, self.deed, self.closing = scene, seen, "", ExitStack()
        self.codes, self.stewards = scene.codes, scene.stewards
        self.bank = self.closing.enter_context(scene.open_bank())
        self.chen, self.sun, self.now = district(), district(), NINE
        self.paper = TwelveBooks(self.codes, BANK_OPENED, PRICES[0])
        for number, person in enumerate(scene.people):
            self.paper.settle_down(str(number), str(person.township_code), SAVED)
        self.vouchers: list[Voucher] = []
        self.earned: list[UUID] = []
        self.went_wrong, self.compared = False, False
        clock.freeze(self.now)

    @rule(day=days)
    def a_day_passes(self, day: list[tuple[Any, ...]]) -> None:
        for name, *how in day:
            self.deed, self.compared = name, self.compared and name == "nothing"
            getattr(self, f"_{name}")(*how)

    def _earn(self, who: int, where: int, minutes: int, back_filled: bool) -> None:
        kind = "back_fill_credit" if back_filled else "service_credit"
        source, code = self._own(self.codes[where], AccountKind.ISSUANCE), self.codes[where]
        movement = self._movement(source, self._savings(who), minutes, kind)
        self.earned.append(movement.id)
        self._answer(lambda s: ledger.post_one(s, (movement,)), lambda: self.paper.earn(str(who), code, minutes))

    def _borrow(self, who: int, where: int, minutes: int) -> None:
        target, code = self._own(self.codes[where], AccountKind.REDEEMED), self.codes[where]
        movement = self._movement(self._savings(who), target, minutes, "aid_use")
        self._answer(lambda s: ledger.post_one(s, (movement,)), lambda: self.paper.borrow(str(who), code, minutes))

    def _buy(self, who: int) -> None:
        def bought(session: Session) -> None:
            self.vouchers += buy_vouchers(session, actor=self.scene.people[who], quantity=1)

        self._answer(bought, lambda: self.paper.buy(str(who), PRICE_OF_A_MEAL))

    def _eat(self, which: int, where: int) -> None:
        if not self.vouchers:
            return
        number, code = self._coupon(which), self.codes[where]

        def scanned(session: Session) -> str:
            scans = [Scan(self.vouchers[number].code, str(new_id()))]
            return redeem_vouchers(session, actor=self.scene.counters[code], scans=scans)[0].verdict.reason

        self._answer(scanned, lambda: self.paper.eat(self.paper.coupons[number], code))

    def _give_back(self, which: int) -> None:
        if not self.vouchers:
            return
        number = self._coupon(which)
        coupon, holder = self.paper.coupons[number], self.scene.people[int(self.paper.coupons[number].person)]
        voucher_id = self.vouchers[number].id
        self._answer(
            lambda s: refund_voucher(s, actor=holder, voucher_id=voucher_id),
            lambda: self.paper.give_back(coupon),
        )

    def _reverse(self, which: int) -> None:
        if not self.earned:
            return
        number = which % len(self.earned)
        credit, transfer_id = self.paper.credits[number], self.earned[number]
        asked = {"transfer_id": transfer_id, "reason": "记错了人"}
        self._answer(lambda s: ledger.reverse(s, actor=self.chen, **asked)[0], lambda: self.paper.ask_back(credit))
        self._answer(lambda s: ledger.reverse(s, actor=self.sun, **asked)[0], lambda: self.paper.reverse(credit))

    def _move(self, who: int, where: int) -> None:
        to, actor = self.codes[where], self.stewards[self.paper.savings[str(who)][0]]
        asked: dict[str, Any] = {
            "person_id": self.scene.people[who].person(),
            "township_code": to,
            "evidence": "户口迁移证",
        }
        self._answer(lambda s: clearing.move_home(s, actor=actor, **asked), lambda: self.paper.move(str(who), to))

    def _nothing(self) -> None:
        """Stewards rest, too."""

    def _tally(self) -> None:
        with self.bank.unit_of_work() as session:
            clearing.tally_new_movements(session)

    def _set_prices(self, table: dict[str, int]) -> None:
        self._policy("reference_price_fen_per_hour", table)
        self.paper.set_prices(table, self.now)

    def _close(self, again: bool, days: int) -> None:
        if len(self.paper.months) == MOST_MONTHS:
            return
        self.now += timedelta(days=days)
        month = self.paper.months[-2] if again and len(self.paper.months) > 1 else self.paper.open
        self._answer(
            lambda s: clearing.close_window(s, actor=self.chen, window_name=month.name),
            lambda: self.paper.close(month, self.now),
        )

    def _object(self, which: int, at: int, by_other: bool) -> None:
        month = self._month(which, [m for m in self.paper.months if m.state in ("closed", "under_review") and m.lines])
        lines = month.lines if at % 8 and month.lines else self.paper.everything
        if not lines:
            return
        line = lines[at % len(lines)]
        parties = [code for code in (line.debtor, line.creditor) if code in self.codes]
        by = self.codes[at % 12] if by_other else parties[which % len(parties)]
        asked: dict[str, Any] = {"window_name": month.name, "transfer_id": line.id, "reason": "人不对"}
        self._answer(
            lambda s: clearing.dispute_line(s, actor=self.stewards[by], **asked),
            lambda: self.paper.object(month, line, by),
        )

    def _rule(self, which: int, ruling: Any) -> None:
        objections = [objection for month in self.paper.months for objection in month.objections]
        if not objections:
            return
        self._rule_on(self._pick(which, [o for o in objections if not o.ruling], objections), ruling)

    def _rule_on(self, chosen: Objection, ruling: Any) -> None:
        query = select(Dispute.id).join(ClearingWindow, ClearingWindow.number == Dispute.window_number)
        query = query.where(Dispute.transfer_id == chosen.line.id, ClearingWindow.name == chosen.month.name)
        with self.bank.session() as session:
            dispute_id = session.scalars(query).one()
        asked: dict[str, Any] = {"dispute_id": dispute_id, "ruling": ruling, "reason": "已核实"}
        self._answer(
            lambda s: clearing.rule_dispute(s, actor=self.chen, **asked), lambda: self.paper.rule(chosen, ruling)
        )

    def _agree(self, which: int, how: str) -> None:
        month = self._month(which, [m for m in self.paper.months if m.state != "open" and not all(m.agreed.values())])
        codes = sorted(month.agreed) if how == "everybody" else [self.codes[which % 12]]
        for code in codes:
            by_district = how == "the district"
            self._agree_by(
                month, code, self.chen if by_district else self.stewards[code], "电话确认" if by_district else None
            )

    def _agree_by(self, month: Month, code: str, actor: Actor, note: str | None) -> None:
        asked: dict[str, Any] = {"window_name": month.name, "township_code": code, "note": note}
        self._answer(
            lambda s: clearing.confirm_statement(s, actor=actor, **asked), lambda: self.paper.agree(month, code)
        )

    def _settle(self, which: int, method: str, thorough: bool) -> None:
        """Settle a month; where one is ``thorough``, after everything that stands in its way."""
        if method != self.paper.method:
            self._policy("clearing_settlement_method", method)
            self.paper.method = method
        month = self._month(which, [m for m in self.paper.months if m.can_be_settled()])
        if thorough:
            month = self._month(which, [m for m in self.paper.months if m.state in ("closed", "under_review")])
            for objection in [one for one in month.objections if not one.ruling]:
                self._rule_on(objection, "stays" if which % 2 else "moved")
            for code in [code for code, agreed in sorted(month.agreed.items()) if not agreed]:
                self._agree_by(month, code, self.stewards[code], None)
        self.deed = f"settle, {method}"
        self._answer(
            lambda s: clearing.settle_window(s, actor=self.chen, window_name=month.name),
            lambda: self.paper.settle(month),
        )

    def _undo(self, which: int) -> None:
        month = self._month(which, [m for m in self.paper.months if m.state == "settled"][-2:])
        asked = {"window_name": month.name, "reason": "账号有误"}
        self._answer(lambda s: clearing.abort_settlement(s, actor=self.chen, **asked), lambda: self.paper.undo(month))

    def _pay(self, which: int, how: str) -> None:
        found = list(self._cheques())
        if not found:
            return
        wanted = "failed" if how == "again" else "instructed"
        _, settling, _ = chosen = self._pick(which, [one for one in found if one[2].state == wanted], found)
        for number, one, cheque in [one for one in found if one[1] is settling] if how == "all" else [chosen]:
            payment_id = self._payment(one.month, number, cheque.township, cheque.tries)
            acts: dict[str, Callable[[Session], object]] = {
                "failed": lambda s, p=payment_id: clearing.payment_failed(
                    s, actor=self.chen, payment_id=p, problem="x"
                ),
                "again": lambda s, p=payment_id: clearing.instruct_again(s, actor=self.chen, payment_id=p),
                "paid": lambda s, p=payment_id: clearing.payment_paid(
                    s, actor=self.chen, payment_id=p, outside_reference=str(new_id())
                ),
            }
            if how == "again":
                self._answer(acts[how], lambda one=one, cheque=cheque: self.paper.pay_again(one, cheque))
            else:
                act = acts["failed" if how == "failed" else "paid"]
                self._answer(act, lambda one=one, cheque=cheque: self.paper.pay(one, cheque, how != "failed"))

    @invariant()
    def the_bank_says_what_the_paper_says(self) -> None:
        if self.went_wrong or self.compared:
            return
        self.went_wrong, self.compared = True, True
        with self.bank.session() as session:
            shown = facts_of_bank(session)
        for name, facts in facts_on_paper(self.paper).items():
            assert shown[name] == facts, name
        must_sum_to_zero(shown)
        self.went_wrong = False

    def teardown(self) -> None:
        with self.closing:
            if not self.went_wrong:
                self.recompute()

    def recompute(self) -> None:
        """What was right all along must also look right to those who recompute it."""
        books_must_balance(self.bank)
        with self.bank.unit_of_work() as session:
            assert clearing.recompute(session, day=clock.today()) == []

    def _answer(self, act: Callable[[Session], object], expected: Callable[[], str]) -> None:
        """Do it in the bank and on paper: what either says must be the same."""
        self.now += timedelta(minutes=7)
        clock.freeze(self.now)
        self.went_wrong = True
        try:
            with self.bank.unit_of_work() as session:
                done = act(session)
                said = done if isinstance(done, str) else "done"
        except BankError as refusal:
            said = refusal.code
        wanted = expected()
        self.seen[self.deed, wanted] += 1
        assert said == wanted, f"{self.deed}: the bank says {said}, the paper {wanted}"
        self._name_new_lines()
        self.went_wrong = False

    def _name_new_lines(self) -> None:
        """Give the lines that are new on paper the names that they have in the bank."""
        new = sorted((line for line in self.paper.everything if line.id is None), key=_looks)
        known = select(Transfer).where(Transfer.link_id == Transfer.id, Transfer.kind.not_like("settlement%"))
        with self.bank.session() as session:
            rows = session.scalars(known.order_by(Transfer.seq.desc()).limit(len(new))).all() if new else []
        found = [
            Line(row.book_code, row.counterpart_book_code or "", SORTS.get(row.kind, "care"), row.amount, id=row.id)
            for row in rows
        ]
        for line, row in zip(new, sorted(found, key=_looks), strict=True):
            assert _looks(line) == _looks(row)
            line.id = row.id

    def _policy(self, key: str, value: Any) -> None:
        self.now += timedelta(minutes=7)
        clock.freeze(self.now)
        with self.bank.unit_of_work() as session:
            change_policy(session, key, value)

    def _movement(self, source: int, target: int, minutes: int, kind: str) -> Movement:
        return Movement(new_id(), source, target, minutes, kind, clock.now())

    def _own(self, code: str, kind: AccountKind) -> int:
        with self.bank.session() as session:
            return ledger.township_accounts(session, [code], kind)[code]

    def _savings(self, who: int) -> int:
        person_id, (book, _) = self.scene.people[who].person(), self.paper.savings[str(who)]
        with self.bank.unit_of_work() as session:
            return ledger.ensure_accounts(session, [(person_id, book)], AccountKind.SAVINGS)[person_id]

    def _payment(self, month: Month, attempt: int, township: str, tries: int) -> UUID:
        query = select(Payment.id).join(Settlement, Settlement.id == Payment.settlement_id)
        query = query.join(ClearingWindow, ClearingWindow.number == Settlement.window_number)
        query = query.where(ClearingWindow.name == month.name, Settlement.attempt == attempt)
        with self.bank.session() as session:
            return session.scalars(query.where(Payment.township_code == township, Payment.attempt == tries)).one()

    def _cheques(self) -> Iterator[Any]:
        for month in self.paper.months:
            for number, settling in enumerate(month.settlings, 1):
                yield from ((number, settling, cheque) for cheque in settling.cheques)

    def _coupon(self, which: int) -> int:
        unused = [number for number, coupon in enumerate(self.paper.coupons) if coupon.state == "issued"]
        return self._pick(which, unused, range(len(self.paper.coupons)))

    def _month(self, which: int, fitting: Sequence[Month]) -> Month:
        return self._pick(which, fitting, self.paper.months)

    @staticmethod
    def _pick(which: int, fitting: Sequence[Something], everything: Sequence[Something]) -> Something:
        """Mostly one of those that fit; now and then any."""
        chosen = fitting if fitting and which % 5 else everything
        return chosen[which % len(chosen)]


def _looks(line: Line) -> tuple[str, str, str, int]:
    return line.debtor, line.creditor, line.sort, line.minutes
