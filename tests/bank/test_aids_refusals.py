"""Who may do what about aids, and what is refused why; a refusal leaves everything as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy.orm import Session

from tests.factories.aids import add_aid, borrower_with, days_pass, lent, reserved
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.sorting import Part
from timebank.ledger.queries import balance_of
from timebank.people.actions import register_proxy
from timebank.people.rules import ProxyScope
from timebank.redemption.aids.actions import (
    NewItem,
    Wish,
    cancel,
    enter_item,
    extend,
    lend,
    lose,
    mark_repaired,
    reserve,
    retire_item,
    return_aid,
    send_to_repair,
)
from timebank.redemption.aids.queries import ItemFilter, find_items
from timebank.redemption.aids.views import LoanFilter, find_loans, loan_for

AUDITOR = staff(StaffRole.AUDITOR)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def refusal(bank: Database, call: Callable[[Session], object]) -> str:
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        call(session)
    return refused.value.code


def refusals(bank: Database, calls: list[Callable[[Session], object]]) -> list[str]:
    return [refusal(bank, call) for call in calls]


def test_a_reservation_needs_an_own_account_a_sound_wish_and_enough_minutes(bank: Database) -> None:
    with bank.unit_of_work() as session:
        item, borrower, young = add_aid(session), borrower_with(session, 60), borrower_with(session, 60, age=59)
        broken, stranger = add_aid(session), add_person(session, XIWU, age=70)
        send_to_repair(session, actor=steward(XIWU), item_id=broken.id, reason="轮胎")

    def wish(actor: Actor = borrower, days: int = 1, **more: object) -> Callable[[Session], object]:
        return lambda s: reserve(s, actor=actor, wish=Wish(days, **more))  # type: ignore[arg-type]

    own, proxied = {"item_id": item.id}, {"item_id": item.id, "for_person_id": borrower.person()}
    assert refusals(
        bank,
        [
            wish(young, **own),
            wish(stranger, **proxied),
            wish(steward(XIWU), **own),
            wish(steward(XIWU), **proxied),
            wish(steward(XIWU), **proxied, evidence="  "),
            wish(steward(DAYAN), **proxied, evidence="电话"),
            wish(),
            wish(**own, kind="wheelchair"),
            wish(kind="sledge"),
            wish(kind="walker"),
            wish(kind="wheelchair", township_code="330213999"),
            wish(item_id=borrower.person()),
            wish(item_id=broken.id),
            wish(days=91, **own),
            wish(days=3, **own),
        ],
    ) == [
        "too_young_to_redeem",
        "not_your_elder",
        "registration_needed",
        "evidence_missing",
        "evidence_missing",
        "other_township",
        "aid_choice_needed",
        "aid_choice_needed",
        "aid_kind_unknown",
        "aid_none_of_kind",
        "township_unknown",
        "aid_unknown",
        "aid_not_usable",
        "aid_days_too_many",
        "insufficient_minutes",
    ]
    with bank.session() as session:
        assert balance_of(session, borrower.person()).held_minutes == 0
        items = find_items(session, wanted=ItemFilter(), part=Part(9)).items
        assert [view.available for view in items] == [True, False]


def test_what_is_missing_is_named_for_all_days_together(bank: Database) -> None:
    with bank.unit_of_work() as session:
        item, borrower = add_aid(session), borrower_with(session, 100)
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        reserve(session, actor=borrower, wish=Wish(5, item_id=item.id))
    assert refused.value.facts == {"available_minutes": 100, "needed_minutes": 150}


def test_a_proxy_without_consent_to_aids_reserves_none(bank: Database) -> None:
    with bank.unit_of_work() as session:
        item, elder, proxy = add_aid(session), borrower_with(session, 60), add_person(session, XIWU, age=40)
        register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=elder.person(),
            proxy_id=proxy.person(),
            relation="邻居",
            consent_evidence="委托书",
            scopes=[ProxyScope.MEALS],
        )
    wish = Wish(1, item_id=item.id, for_person_id=elder.person())
    assert refusal(bank, lambda s: reserve(s, actor=proxy, wish=wish)) == "proxy_scope_missing"


def test_an_aid_is_handed_over_where_it_is_to_whoever_shows_the_code(bank: Database) -> None:
    borrower, loan = reserved(bank)
    wrong = f"{(int(loan.code) + 1) % 1_000_000:06}"

    def handing(actor: Actor, **how: str) -> Callable[[Session], object]:
        return lambda s: lend(s, actor=actor, loan_id=loan.id, condition="good", **how)

    here = steward(XIWU)
    calls = [
        handing(borrower, code=loan.code),
        handing(steward(DAYAN), code=loan.code),
        handing(here),
        handing(here, evidence=" "),
        handing(here, code=wrong, evidence="身份证"),
    ]
    assert refusals(bank, calls) == [
        "steward_only",
        "other_township",
        "aid_code_needed",
        "aid_code_needed",
        "aid_code_wrong",
    ]
    with bank.unit_of_work() as session:
        handing(here, code=f" {loan.code[:3]} {loan.code[3:]}")(session)
    assert refusal(bank, handing(here, code=loan.code)) == "wrong_state"


def test_an_aid_is_taken_back_by_any_steward_in_the_own_township(bank: Database) -> None:
    borrower, loan = lent(bank)

    def back(actor: Actor, condition: str = "good", **how: str) -> Callable[[Session], object]:
        return lambda s: return_aid(s, actor=actor, loan_id=loan.id, condition=condition, **how)

    calls = [
        back(borrower),
        back(AUDITOR),
        back(district()),
        back(district(), township_code="330213999"),
        back(steward(DAYAN), township_code=XIWU),
        back(steward(DAYAN), condition="in_repair"),
        lambda s: cancel(s, actor=borrower, loan_id=loan.id),
        lambda s: lose(s, actor=steward(DAYAN), loan_id=loan.id, reason="丢了"),
        lambda s: lose(s, actor=steward(XIWU), loan_id=loan.id, reason=" "),
    ]
    assert refusals(bank, calls) == [
        "steward_only",
        "steward_only",
        "township_needed",
        "township_unknown",
        "other_township",
        "damage_needed",
        "wrong_state",
        "other_township",
        "reason_needed",
    ]
    with bank.unit_of_work() as session:
        assert back(district(), township_code=SHANGTIAN)(session)
    assert refusal(bank, back(steward(DAYAN))) == "wrong_state"


def test_days_are_added_by_the_borrower_or_with_evidence_up_to_what_policy_says(bank: Database) -> None:
    borrower, loan = lent(bank, days=3, minutes=150)
    with bank.unit_of_work() as session:
        change_policy(session, "aid_max_days", 5)
        stranger = add_person(session, XIWU, age=70)

    def more(actor: Actor, days: int = 1, **how: str) -> Callable[[Session], object]:
        return lambda s: extend(s, actor=actor, loan_id=loan.id, days=days, **how)

    calls = [more(stranger), more(steward(XIWU)), more(steward(DAYAN), evidence="电话"), more(borrower, 0)]
    codes = ["aid_loan_unknown", "evidence_missing", "aid_loan_unknown", "amount_invalid"]
    assert refusals(bank, [*calls, more(borrower, 3)]) == [*codes, "aid_days_too_many"]
    with bank.unit_of_work() as session:
        more(steward(XIWU), 2, evidence="电话确认")(session)
    days_pass(1)
    with bank.session() as session:
        assert loan_for(session, actor=borrower, loan_id=loan.id).held_minutes == 150


def test_a_steward_cancels_with_a_reason_and_a_stranger_not_at_all(bank: Database) -> None:
    _, loan = reserved(bank)
    with bank.unit_of_work() as session:
        stranger = add_person(session, XIWU, age=70)
    calls: list[Callable[[Session], object]] = [
        lambda s: cancel(s, actor=stranger, loan_id=loan.id),
        lambda s: cancel(s, actor=steward(DAYAN), loan_id=loan.id, reason="错了"),
        lambda s: cancel(s, actor=steward(XIWU), loan_id=loan.id),
    ]
    assert refusals(bank, calls) == ["aid_loan_unknown", "aid_loan_unknown", "reason_needed"]


def test_aids_are_entered_and_changed_by_their_stewards_only(bank: Database) -> None:
    with bank.unit_of_work() as session:
        item = add_aid(session, SHANGTIAN)
        serial = item.serial

    def entering(actor: Actor, **how: object) -> Callable[[Session], object]:
        form = {"serial": "新-1", "kind": "walker", "name": "助行器", "home_township_code": XIWU}
        told = {**form, "acquired_on": date(2026, 1, 5), **how}
        return lambda s: enter_item(s, actor=actor, form=NewItem(**told))  # type: ignore[arg-type]

    calls: list[Callable[[Session], object]] = [
        entering(AUDITOR),
        entering(steward(DAYAN)),
        entering(steward(XIWU), kind="sledge"),
        entering(steward(XIWU), home_township_code="330213999"),
        entering(steward(XIWU), acquired_on=date(2026, 3, 11)),
        entering(steward(XIWU), serial=serial),
        lambda s: send_to_repair(s, actor=steward(DAYAN), item_id=item.id, reason="轮胎"),
        lambda s: send_to_repair(s, actor=steward(SHANGTIAN), item_id=item.id, reason=" "),
        lambda s: mark_repaired(s, actor=steward(SHANGTIAN), item_id=item.id, condition="good"),
        lambda s: retire_item(s, actor=steward(DAYAN), item_id=item.id, reason="太旧"),
    ]
    assert refusals(bank, calls) == [
        "steward_only",
        "other_township",
        "aid_kind_unknown",
        "township_unknown",
        "date_in_future",
        "aid_serial_taken",
        "other_township",
        "reason_needed",
        "aid_not_in_repair",
        "other_township",
    ]
    with bank.unit_of_work() as session:
        retire_item(session, actor=steward(SHANGTIAN), item_id=item.id, reason="太旧")
    again = [lambda s: send_to_repair(s, actor=steward(SHANGTIAN), item_id=item.id, reason="轮胎")]
    assert refusals(bank, again) == ["aid_retired"]


def test_each_sees_the_loans_that_are_their_business(bank: Database) -> None:
    borrower, loan = lent(bank, home=XIWU, at=SHANGTIAN)
    other, _ = reserved(bank, home=DAYAN, at=DAYAN)

    def seen(actor: Actor, **wanted: object) -> int:
        with bank.session() as session:
            asked = LoanFilter(**wanted)  # type: ignore[arg-type]
            return len(find_loans(session, actor=actor, wanted=asked, part=Part(9)).items)

    people = (borrower, other, steward(XIWU), steward(SHANGTIAN), steward(DAYAN), district(), AUDITOR)
    assert [seen(actor) for actor in people] == [1, 1, 1, 1, 1, 2, 2]
    with bank.session() as session:
        serial = loan_for(session, actor=district(), loan_id=loan.id).item.serial
        assert loan_for(session, actor=borrower, loan_id=loan.id).code is None
    # Whoever is brought the aid finds out who has it; out of mere interest nobody does.
    assert [seen(steward(DAYAN), serial=serial), seen(other, serial=serial)] == [1, 0]
    assert refusal(bank, lambda s: loan_for(s, actor=other, loan_id=loan.id)) == "aid_loan_unknown"
    assert refusal(bank, lambda s: loan_for(s, actor=steward(DAYAN), loan_id=loan.id)) == "aid_loan_unknown"
    clerk = staff(StaffRole.CANTEEN_CLERK, XIWU)
    for_other = LoanFilter(for_person_id=other.person())
    calls: list[Callable[[Session], object]] = [
        lambda s: find_loans(s, actor=clerk, wanted=LoanFilter(), part=Part(9)),
        lambda s: find_loans(s, actor=borrower, wanted=for_other, part=Part(9)),
    ]
    assert refusals(bank, calls) == ["books_not_yours", "not_your_elder"]
    days_pass(3)
    assert [seen(district(), overdue=True), seen(district(), status="reserved")] == [1, 1]
