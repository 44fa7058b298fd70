"""A death: reported by one, agreed to by two more, carried out once; frozen meanwhile, unfrozen where it was wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.factories.family import make_relatives
from tests.factories.leaving import accounts_of, approve, is_here, leave, report
from tests.factories.minutes import balance_at, posted_in, save_minutes
from tests.factories.people import DAYAN, XIWU, add_person, district, staff, steward
from tests.factories.tasks import NINE, ask
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed
from timebank.core.sorting import Part
from timebank.leaving import actions as leaving
from timebank.leaving import queries
from timebank.leaving.actions.deaths import Death
from timebank.leaving.models import DeathReport, Leaving
from timebank.ledger.actions import township_accounts
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.people.actions import Enrolment, enrol, name_heir, wechat_login
from timebank.people.models import Person
from timebank.redemption.actions import buy_vouchers


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def dead(bank: Database) -> Actor:
    """Somebody of 西坞 with 200 minutes."""
    with bank.unit_of_work() as session:
        person = add_person(session, XIWU, age=80, name="王梅")
        save_minutes(session, person, 200)
    return person


def child_of(bank: Database, dead: Actor, *, heir: bool = True) -> Actor:
    with bank.unit_of_work() as session:
        child = add_person(session, DAYAN, age=50, name="王小明")
        make_relatives(session, dead, child)
        if heir:
            name_heir(session, actor=dead, heir_id=child.person_id)
    return child


def pool_of(bank: Database) -> int:
    with bank.session() as session:
        return balance_at(session, township_accounts(session, [XIWU], AccountKind.POOL)[XIWU])


def test_the_second_approval_carries_it_out_and_the_heir_gets_the_savings(bank: Database, dead: Actor) -> None:
    child = child_of(bank, dead)
    reported = report(bank, dead)
    assert approve(bank, reported.id).status == "approved_once"
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, dead) == 200
    done = approve(bank, reported.id)
    assert done.status == "carried_out"
    with bank.session() as session:
        assert not is_here(session, dead)
        assert posted_in(session, AccountKind.SAVINGS, child) == 200
        assert accounts_of(session, dead) == [("savings", 0, True)]
        left = session.scalars(select(Leaving)).one()
        assert (left.reason, left.to_person_id, left.id) == ("died", child.person_id, done.leaving_id)
        titles = session.scalars(select(Notice.title).where(Notice.person_id == child.person_id)).all()
        assert {"亲属账户已冻结", "亲属时长已转入"} <= set(titles)
        stewards = session.scalars(select(Notice.title).where(Notice.audience == "stewards")).all()
        assert {"有身故上报待批准", "身故清户已办结"} <= set(stewards)


@pytest.mark.parametrize("why", ["nobody named", "left"])
def test_without_an_heir_who_is_here_the_pool_gets_them(bank: Database, dead: Actor, why: str) -> None:
    child = child_of(bank, dead, heir=why != "nobody named")
    reported = report(bank, dead)
    if why == "left":
        with bank.unit_of_work() as session:
            # As somebody who left without ending the tie would stand.
            session.get_one(Person, child.person()).left_at = clock.now()
    approve(bank, reported.id)
    approve(bank, reported.id)
    assert pool_of(bank) == 200
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, child) == 0


def test_an_heir_whose_own_death_is_only_reported_is_waited_for(bank: Database, dead: Actor) -> None:
    child = child_of(bank, dead)
    reported = report(bank, dead)
    of_the_child = report(bank, child, by=district())
    approve(bank, reported.id)
    with pytest.raises(BankError, match="heir_report_open"):
        approve(bank, reported.id)
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=of_the_child.id, reason="同名同姓，报错了人")
    approve(bank, reported.id)
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, child) == 200


def test_the_reporter_and_those_who_approve_are_three_people(bank: Database, dead: Actor) -> None:
    one, two = steward(XIWU), district()
    reported = report(bank, dead, by=one)
    with pytest.raises(BankError, match="second_person_needed"):
        approve(bank, reported.id, by=one)
    approve(bank, reported.id, by=two)
    for again in (one, two):
        with pytest.raises(BankError, match="second_person_needed"):
            approve(bank, reported.id, by=again)
    for actor, code in ((steward(DAYAN), "other_township"), (staff(StaffRole.AUDITOR), "steward_only")):
        with pytest.raises(BankError, match=code):
            approve(bank, reported.id, by=actor)
    with bank.session() as session:
        assert is_here(session, dead)


def test_two_who_approve_at_once_carry_it_out_once(bank: Database, dead: Actor) -> None:
    reported = report(bank, dead)
    actors = [district() for _ in range(5)]
    calls = [lambda s, a=a: leaving.approve_death(s, actor=a, report_id=reported.id) for a in actors]
    assert codes_of(at_once(bank, calls)) == ["death_report_ended"] * 3 + ["ok"] * 2
    assert pool_of(bank) == 200
    with bank.session() as session:
        assert len(session.scalars(select(Leaving)).all()) == 1


def test_the_same_person_twice_at_once_counts_once(bank: Database, dead: Actor) -> None:
    reported, actor = report(bank, dead), district()
    calls = [lambda s: leaving.approve_death(s, actor=actor, report_id=reported.id)] * 4
    assert codes_of(at_once(bank, calls)) == ["ok"] + ["second_person_needed"] * 3
    with bank.session() as session:
        assert is_here(session, dead)


def test_from_the_report_on_nothing_new_is_spent(bank: Database, dead: Actor) -> None:
    report(bank, dead)
    for deed in (
        lambda s: buy_vouchers(s, actor=dead, quantity=1),
        lambda s: ask(s, dead),
        lambda s: leaving.report_death(s, actor=district(), death=Death(dead.person(), clock.today(), "证明")),
    ):
        with pytest.raises(Conflict, match="person_frozen"), bank.unit_of_work() as session:
            deed(session)
    with pytest.raises(Conflict, match="person_frozen"):
        leave(bank, dead)


def test_a_wrong_report_is_declined_and_the_minutes_can_be_spent_again(bank: Database, dead: Actor) -> None:
    reported = report(bank, dead)
    approve(bank, reported.id)
    with pytest.raises(BankError, match="reason_needed"), bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=reported.id, reason=" ")
    with bank.unit_of_work() as session:
        declined = leaving.decline_death(session, actor=district(), report_id=reported.id, reason="同名之误")
        assert (declined.status, declined.decline_reason) == ("declined", "同名之误")
    with bank.unit_of_work() as session:
        assert len(buy_vouchers(session, actor=dead, quantity=1)) == 1
    with pytest.raises(Conflict, match="death_report_ended"):
        approve(bank, reported.id)
    # The next report begins from the first approval.
    again = report(bank, dead)
    assert approve(bank, again.id).status == "approved_once"


def test_what_is_open_is_told_and_has_to_end_first(bank: Database, dead: Actor) -> None:
    with bank.unit_of_work() as session:
        task = ask(session, dead)
    reported = report(bank, dead)
    with bank.session() as session:
        told = session.scalars(select(Notice.body).where(Notice.title == "有身故上报待批准")).all()
        assert all("尚有1项未办结（服务任务）" in body for body in told)
    approve(bank, reported.id)
    with pytest.raises(Conflict, match="not_settled_yet"):
        approve(bank, reported.id)
    with bank.session() as session:
        assert session.get_one(DeathReport, reported.id).status == "approved_once"
        assert (is_here(session, dead), posted_in(session, AccountKind.SAVINGS, dead)) == (True, 200)
    assert task.id is not None


def test_whoever_died_does_not_come_back(bank: Database, dead: Actor) -> None:
    reported = report(bank, dead)
    for _ in range(2):
        approve(bank, reported.id)
    with bank.session() as session:
        form = Enrolment("王梅", session.get_one(Person, dead.person()).id_number, XIWU, roles=("elder",))
    with pytest.raises(Conflict, match="person_left"), bank.unit_of_work() as session:
        enrol(session, actor=district(), form=form)


def test_the_phone_of_whoever_died_is_told_so_and_not_to_join_again(bank: Database, dead: Actor) -> None:
    reported = report(bank, dead)
    openid = f"openid-{dead.person_id}"
    with bank.unit_of_work() as session:
        assert wechat_login(session, openid=openid).person_id == dead.person_id
    for _ in range(2):
        approve(bank, reported.id)
    with pytest.raises(NotAllowed, match="holder_died:") as refusal, bank.unit_of_work() as session:
        wechat_login(session, openid=openid)
    assert "重新加入" not in refusal.value.title


def test_reports_are_seen_by_the_stewards_they_concern(bank: Database, dead: Actor) -> None:
    first = report(bank, dead)
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=first.id, reason="同名之误")
    second = report(bank, dead)

    def seen(actor: Actor, *, open_only: bool) -> list[object]:
        with bank.session() as session:
            found = queries.death_reports(session, actor=actor, open_only=open_only, part=Part(9)).items
        return [(row[0].id, row[1]) for row in found]

    assert seen(district(), open_only=False) == [(second.id, "王梅"), (first.id, "王梅")]
    assert seen(steward(XIWU), open_only=True) == [(second.id, "王梅")]
    assert seen(steward(DAYAN), open_only=False) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("died_on = died_on - 1", "answered step by step"),
        ("evidence = 'another'", "answered step by step"),
        ("first_approved_by = gen_random_uuid()", "answered step by step"),
        ("first_approved_at = NULL, first_approved_by = NULL, first_approved_by_name = NULL", "answered step by step"),
        ("second_approved_at = now()", "second_whole"),
        ("declined_at = now()", "declined_whole"),
    ],
)
def test_a_report_is_not_rewritten_by_hand(bank: Database, dead: Actor, change: str, said: str) -> None:
    reported = report(bank, dead)
    approve(bank, reported.id)
    with pytest.raises(DBAPIError, match=said), bank.unit_of_work() as session:
        session.execute(text(f"UPDATE death_report SET {change}"))


def test_the_database_itself_wants_three_people(bank: Database, dead: Actor) -> None:
    reported = report(bank, dead)
    first = "first_approved_at = now(), first_approved_by_name = '某', first_approved_by = {}"
    with pytest.raises(IntegrityError, match="three_people"), bank.unit_of_work() as session:
        session.execute(text(f"UPDATE death_report SET {first.format('reported_by')}"))
    approve(bank, reported.id)
    with bank.unit_of_work() as session:
        other = add_person(session, XIWU)
    left = leave(bank, other)
    second = "second_approved_at = now(), second_approved_by_name = '某', leaving_id = :left, second_approved_by = {}"
    for who in ("reported_by", "first_approved_by"):
        with pytest.raises(IntegrityError, match="three_people"), bank.unit_of_work() as session:
            session.execute(text(f"UPDATE death_report SET {second.format(who)}"), {"left": left.id})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE leaving SET savings_minutes = 1",
        "DELETE FROM leaving",
        "DELETE FROM leaving_late_minutes",
        "DELETE FROM death_report",
        "TRUNCATE death_report",
        "UPDATE death_report SET decline_reason = 'x'",
    ],
)
def test_what_has_ended_stays_as_it_is(bank: Database, dead: Actor, statement: str) -> None:
    reported = report(bank, dead)
    for _ in range(2):
        approve(bank, reported.id)
    with pytest.raises(DBAPIError, match=r"never changed or removed|answered step"), bank.unit_of_work() as session:
        session.execute(text(statement))


ANSWERED = """
INSERT INTO death_report (id, person_id, township_code, died_on, evidence, reported_at, reported_by, reported_by_name,
                          declined_at, declined_by, declined_by_name, decline_reason)
SELECT gen_random_uuid(), person_id, township_code, died_on, evidence, reported_at, reported_by, reported_by_name,
       {} FROM death_report
"""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("now(), gen_random_uuid(), 'x', 'x'", "begins unanswered"),
        ("NULL, NULL, NULL, NULL", "uq_death_report_standing"),
    ],
)
def test_a_report_begins_unanswered_and_one_stands_at_a_time(
    bank: Database, dead: Actor, answer: str, said: str
) -> None:
    report(bank, dead)
    with pytest.raises(DBAPIError, match=said), bank.unit_of_work() as session:
        session.execute(text(ANSWERED.format(answer)))


@pytest.mark.parametrize("days", [-1, 40_000])
def test_a_day_that_cannot_be_is_refused(bank: Database, dead: Actor, days: int) -> None:
    death = Death(dead.person(), clock.today() - timedelta(days=days), "证明")
    with pytest.raises(BankError, match="died_on_invalid"), bank.unit_of_work() as session:
        leaving.report_death(session, actor=district(), death=death)
