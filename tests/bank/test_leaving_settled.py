"""Leaving: everything is settled and closed in one go, or nothing changes; who comes back begins anew."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select, text

from tests.factories.aids import lent, reserved
from tests.factories.care import add_provider, arrive, assigned, booked, elder_with, send
from tests.factories.family import make_relatives
from tests.factories.leaving import accounts_of, approve, is_here, leave, report
from tests.factories.minutes import balance_at, grant_minutes, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, accept, ask, check_in, check_out, confirm
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed
from timebank.core.ids import new_id
from timebank.leaving import queries
from timebank.ledger.actions import place_hold, township_accounts
from timebank.ledger.models import Hold, Transfer
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.people.actions import Enrolment, enrol, register_proxy
from timebank.people.family_queries import relatives_of
from timebank.people.family_rules import Relation
from timebank.people.models import Person, Proxy
from timebank.people.queries import actor_of
from timebank.redemption.actions import buy_vouchers
from timebank.redemption.aids.models import AidLoan
from timebank.redemption.care.models import CareBooking
from timebank.redemption.models import Voucher
from timebank.tasks.honours import honours_of


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def member(bank: Database, minutes: int = 200, *, code: str = XIWU) -> Actor:
    with bank.unit_of_work() as session:
        person = add_person(session, code, age=70)
        if minutes:
            save_minutes(session, person, minutes)
        return person


def pool_of(bank: Database, code: str) -> int:
    with bank.session() as session:
        return balance_at(session, township_accounts(session, [code], AccountKind.POOL)[code])


def not_settled(bank: Database, person: Actor) -> list[tuple[str, str]]:
    """What is named as open when this person wants to leave."""
    with pytest.raises(Conflict) as refused:
        leave(bank, person)
    assert refused.value.code == "not_settled_yet"
    with bank.session() as session:
        assert is_here(session, person)
    return [(item["kind"], item["id"]) for item in refused.value.facts["items"]]


def test_savings_and_grants_go_to_the_pool_and_accounts_close(bank: Database) -> None:
    person = member(bank, 200)
    with bank.unit_of_work() as session:
        grant_minutes(session, person, 90, expires_on=date(2026, 3, 31))
        grant_minutes(session, person, 5, expires_on=date(2026, 3, 1))
    left = leave(bank, person)
    assert (left.savings_minutes, left.granted_minutes, left.savings_to) == (200, 95, "pool")
    assert pool_of(bank, XIWU) == 295
    with bank.session() as session:
        assert {(minutes, closed) for _, minutes, closed in accounts_of(session, person)} == {(0, True)}
        kinds = session.execute(select(Transfer.kind, func.sum(Transfer.amount)).group_by(Transfer.kind)).all()
        assert ("left_to_pool", 295) in [tuple(row) for row in kinds]


def test_savings_follow_the_relative_into_another_township_but_grants_do_not(bank: Database) -> None:
    person, child = member(bank, 200), member(bank, 0, code=DAYAN)
    with bank.unit_of_work() as session:
        grant_minutes(session, person, 90, expires_on=date(2026, 3, 31))
        make_relatives(session, person, child)
    left = leave(bank, person, to="relative", to_person_id=child.person_id)
    assert (left.savings_to, left.to_person_id) == ("relative", child.person_id)
    assert pool_of(bank, XIWU) == 90
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, child) == 200
        assert relatives_of(session, child.person()) == []
        told = session.scalars(select(Notice.body).where(Notice.person_id == child.person_id)).all()
    assert any("3小时20分钟储蓄时长已转入您的时间账户" in body for body in told)


def test_unused_vouchers_are_refunded_first(bank: Database) -> None:
    person = member(bank, 200)
    with bank.unit_of_work() as session:
        bought = buy_vouchers(session, actor=person, quantity=3)
    clock.freeze(NINE + timedelta(days=181))
    with bank.unit_of_work() as session:
        save_minutes(session, person, 60)
        [late] = buy_vouchers(session, actor=person, quantity=1)
    # The first three have expired, and no job has come round to them.
    left = leave(bank, person)
    assert (left.savings_minutes, left.vouchers_refunded) == (260, 4)
    with bank.session() as session:
        statuses = {v.id: v.status for v in session.scalars(select(Voucher))}
    assert [statuses[v.id] for v in (*bought, late)] == ["expired", "expired", "expired", "refunded"]


def test_visits_that_nobody_set_out_for_are_cancelled_by_their_own_rules(bank: Database) -> None:
    with bank.unit_of_work() as session:
        provider, elder = add_provider(session), elder_with(session, 300)
    waiting = booked(bank, elder)
    sent = send(bank, booked(bank, elder, starts_at=NINE + timedelta(days=2)), provider)
    left = leave(bank, elder)
    assert left.savings_minutes == 300
    with bank.session() as session:
        assert {session.get_one(CareBooking, one.id).status for one in (waiting, sent)} == {"cancelled"}
        assert set(session.scalars(select(Hold.state))) == {"released"}


def test_a_late_cancellation_costs_what_policy_says_also_when_leaving(bank: Database) -> None:
    with bank.unit_of_work() as session:
        provider, elder = add_provider(session), elder_with(session, 300)
    booking = assigned(bank, elder, provider)
    clock.freeze(booking.starts_at - timedelta(hours=1))
    assert leave(bank, elder).savings_minutes == 270


def test_a_visit_that_has_begun_is_in_the_way(bank: Database) -> None:
    with bank.unit_of_work() as session:
        provider, elder = add_provider(session), elder_with(session, 300)
    booking = assigned(bank, elder, provider)
    clock.freeze(booking.starts_at)
    arrive(bank, booking, provider)
    assert not_settled(bank, elder) == [("care_booking", str(booking.id))]


def test_a_loan_is_in_the_way(bank: Database) -> None:
    borrower, loan = lent(bank)
    assert not_settled(bank, borrower) == [("aid_loan", str(loan.id))]


@pytest.mark.parametrize("died", [False, True])
def test_an_aid_that_is_only_reserved_is_given_up(bank: Database, died: bool) -> None:
    borrower, loan = reserved(bank, days=3)
    with bank.session() as session:
        seen = queries.preview(session, actor=borrower, person_id=None)
        assert (seen.may_leave, seen.aid_reservations, seen.open_things) == (True, 1, [])
    if died:
        reported = report(bank, borrower)
        for _ in range(2):
            approve(bank, reported.id)
    else:
        assert leave(bank, borrower).savings_minutes == 90
    assert pool_of(bank, XIWU) == 90
    with bank.session() as session:
        ended = session.get_one(AidLoan, loan.id)
        assert (ended.status, ended.ended_reason) == ("cancelled", "本人身故" if died else "本人退出")
        assert set(session.scalars(select(Hold.state))) == {"released"}


def test_a_task_is_in_the_way_for_both_sides_until_it_is_confirmed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, volunteer = add_elder(session, XIWU), add_person(session, SHANGTIAN)
        task = ask(session, elder)
    assert not_settled(bank, elder) == [("task", str(task.id))]
    accept(bank, volunteer, task)
    assert not_settled(bank, volunteer) == [("task", str(task.id))]
    check_in(bank, volunteer, task)
    check_out(bank, volunteer, task, after=timedelta(hours=1))
    assert not_settled(bank, volunteer) == [("task", str(task.id))]
    confirm(bank, elder, task)
    assert leave(bank, volunteer).savings_minutes == 60
    assert leave(bank, elder).savings_minutes == 0


def test_minutes_set_aside_for_something_unknown_are_in_the_way(bank: Database) -> None:
    person, cause = member(bank, 0), new_id()
    with bank.unit_of_work() as session:
        account_id = save_minutes(session, person, 60)
        until = NINE + timedelta(hours=1)
        hold = {"hold_id": new_id(), "account_id": account_id, "amount": 5, "expires_at": until}
        place_hold(session, **hold, cause_kind="something_new", cause_id=cause)  # type: ignore[arg-type]
    assert not_settled(bank, person) == [("hold", str(cause))]


def test_the_login_dies_at_once_and_ties_end(bank: Database) -> None:
    person, helper, elder = member(bank), member(bank, 0), member(bank, 0)
    with bank.unit_of_work() as session:
        for old, proxy in ((person, helper), (elder, person)):
            register_proxy(
                session,
                actor=district(),
                elder_id=old.person(),
                proxy_id=proxy.person(),
                relation="邻居",
                consent_evidence="委托书1号",
            )
    leave(bank, person)
    with bank.session() as session:
        assert person.login_id is not None
        assert actor_of(session, person.login_id) is None
        assert session.scalar(select(func.count()).where(Proxy.ended_at.is_(None))) == 0


def test_nobody_leaves_twice_and_nothing_new_is_done_for_whoever_left(bank: Database) -> None:
    person, child = member(bank), member(bank, 0)
    leave(bank, person)
    with pytest.raises(Conflict, match="person_left"):
        leave(bank, person)
    for deed in (
        lambda s: buy_vouchers(s, actor=person, quantity=1),
        lambda s: ask(s, person),
        lambda s: make_relatives(s, child, person),
    ):
        with pytest.raises(Conflict, match="person_left"), bank.unit_of_work() as session:
            deed(session)


def test_whoever_comes_back_has_new_accounts_the_old_login_and_the_old_honours(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, volunteer = add_elder(session, XIWU), add_person(session, SHANGTIAN, name="林志远")
        task = ask(session, elder)
    accept(bank, volunteer, task)
    check_in(bank, volunteer, task)
    check_out(bank, volunteer, task, after=timedelta(hours=1))
    confirm(bank, elder, task)
    leave(bank, volunteer)
    with bank.unit_of_work() as session:
        number = session.get_one(Person, volunteer.person()).id_number
        # Living in 西坞 by now.
        again = enrol(session, actor=steward(XIWU), form=Enrolment("林志远", number, XIWU, roles=("volunteer",)))
        assert (again.id, again.township_code, again.left_at) == (volunteer.person_id, XIWU, None)
        save_minutes(session, Actor(volunteer.login_id, "林志远", volunteer.person_id, township_code=XIWU), 30)
    with bank.session() as session:
        assert volunteer.login_id is not None
        assert actor_of(session, volunteer.login_id) is not None
        assert accounts_of(session, volunteer) == [("savings", 0, True), ("savings", 30, False)]
        assert honours_of(session, volunteer.person()).honour_minutes == 60
    back = Actor(volunteer.login_id, "林志远", volunteer.person_id, township_code=XIWU)
    assert leave(bank, back).savings_minutes == 30


def test_a_steward_does_it_for_whoever_has_no_phone_with_a_paper(bank: Database) -> None:
    person = member(bank)
    wish = {"person_id": person.person_id}
    for actor, evidence, code in (
        (steward(XIWU), " ", "evidence_missing"),
        (steward(DAYAN), "申请书", "other_township"),
        (staff(StaffRole.AUDITOR), "申请书", "steward_only"),
        (member(bank, 0), "申请书", "steward_only"),
    ):
        with pytest.raises(BankError) as refused:
            leave(bank, actor, evidence=evidence, **wish)
        assert refused.value.code == code
    left = leave(bank, steward(XIWU), evidence="申请书第2号", **wish)
    assert (left.person_id, left.evidence) == (person.person_id, "申请书第2号")
    with bank.session() as session:
        assert session.scalar(text("SELECT count(*) FROM audit_entry WHERE action = 'person_left'")) == 1


def test_savings_go_to_no_stranger_and_only_to_relatives_that_policy_allows(bank: Database) -> None:
    person, other = member(bank), member(bank, 0)
    with pytest.raises(BankError, match="not_relatives"):
        leave(bank, person, to="relative", to_person_id=other.person_id)
    with pytest.raises(BankError, match="not_relatives"):
        leave(bank, person, to="relative", to_person_id=new_id())
    with bank.unit_of_work() as session:
        make_relatives(session, person, other, Relation.SIBLING)
        change_policy(session, "gift_relations", ["spouse", "child"])
    with pytest.raises(BankError, match="gift_relation_not_allowed"):
        leave(bank, person, to="relative", to_person_id=other.person_id)
    with bank.session() as session:
        assert is_here(session, person)
        assert posted_in(session, AccountKind.SAVINGS, person) == 200


def test_the_preview_says_what_leaving_then_does(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 300)
        grant_minutes(session, elder, 60, expires_on=date(2026, 3, 31))
    booking = booked(bank, elder)
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=elder, quantity=2)
        seen = queries.preview(session, actor=elder, person_id=None)
    assert (seen.may_leave, seen.vouchers, seen.voucher_minutes, seen.care_bookings) == (True, 2, 120, 1)
    total = seen.savings_minutes + seen.granted_minutes + seen.voucher_minutes
    left = leave(bank, elder)
    assert total == left.savings_minutes + left.granted_minutes == 360
    assert booking.id is not None
    with pytest.raises(NotAllowed, match="other_township"), bank.session() as session:
        queries.preview(session, actor=steward(DAYAN), person_id=elder.person_id)
