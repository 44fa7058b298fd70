"""Caps on what a volunteer may earn: what lies beyond goes to the pool at home, the honour stays, nobody slips past."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from tests.factories.minutes import balance_at, fill_pool, posted_in
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, ask, confirm, only_part, past_service, serve
from tests.factories.threads import at_once
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.actions import reverse, township_accounts
from timebank.ledger.actions.post import transfers_by_cause
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation
from timebank.tasks.honours import honours_of
from timebank.tasks.models import Assignment, Task
from timebank.tasks.queries import lock_task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def capped(bank: Database, **caps: int) -> None:
    """Caps in force from now on, and an empty pool that nobody was paid from."""
    with bank.unit_of_work() as session:
        for key, minutes in caps.items():
            change_policy(session, f"{key}_cap_minutes", minutes)


def people(bank: Database, *, home: str = SHANGTIAN) -> tuple[Actor, Actor]:
    with bank.unit_of_work() as session:
        return add_person(session, home), add_elder(session, XIWU)


def served(bank: Database, volunteer: Actor, elder: Actor, minutes: int) -> Task:
    with bank.unit_of_work() as session:
        task = ask(session, elder, minutes=minutes)
    return serve(bank, volunteer, task, minutes=minutes)


def helped(bank: Database, volunteer: Actor, elder: Actor, minutes: int) -> Task:
    return confirm(bank, elder, served(bank, volunteer, elder, minutes))


def pool_of(session: Session, code: str) -> int:
    return balance_at(session, township_accounts(session, [code], AccountKind.POOL)[code])


def savings_and_pools(bank: Database, volunteer: Actor, *codes: str) -> tuple[int, ...]:
    with bank.session() as session:
        return (posted_in(session, AccountKind.SAVINGS, volunteer), *(pool_of(session, code) for code in codes))


def told(bank: Database, person: Actor) -> list[tuple[str, str]]:
    with bank.session() as session:
        query = select(Notice.title, Notice.body).where(Notice.person_id == person.person_id).order_by(Notice.id)
        return [(row.title, row.body) for row in session.execute(query)]


def test_an_hour_that_passes_the_cap_is_split_between_savings_and_the_pool_at_home(bank: Database) -> None:
    capped(bank, lifetime=100)
    volunteer, elder = people(bank)
    helped(bank, volunteer, elder, 80)
    task = helped(bank, volunteer, elder, 60)
    assert savings_and_pools(bank, volunteer, SHANGTIAN, XIWU) == (100, 40, 0)
    assert only_part(task).payable_minutes == 60
    with bank.session() as session:
        part = only_part(lock_task(session, task.id))
        assert part.surplus_minutes == 40
        legs = [leg for leg in transfers_by_cause(session, part.id) if leg.id == leg.link_id]
        assert sorted((leg.kind, leg.amount, leg.book_code) for leg in legs) == [
            ("service_credit", 20, XIWU),
            ("surplus", 40, XIWU),
        ]
    title, body = told(bank, volunteer)[-1]
    assert (title, "20分钟已记入" in body, "40分钟转入公益时间池（一生最多记入1小时40分钟）" in body) == (
        "时长已到账",
        True,
        True,
    )


def test_the_day_of_service_is_capped_and_the_next_day_begins_anew(bank: Database) -> None:
    capped(bank, daily=120)
    volunteer, elder = people(bank)
    helped(bank, volunteer, elder, 90)
    helped(bank, volunteer, elder, 90)
    assert savings_and_pools(bank, volunteer, SHANGTIAN) == (120, 60)
    clock.freeze(NINE + timedelta(days=1))
    helped(bank, volunteer, elder, 90)
    assert savings_and_pools(bank, volunteer, SHANGTIAN) == (210, 60)


def test_hours_recorded_later_count_for_the_day_on_which_they_were_served(bank: Database) -> None:
    capped(bank, daily=120)
    volunteer, elder = people(bank)
    helped(bank, volunteer, elder, 100)
    for days, minutes in ((0, 60), (1, 60)):
        with bank.unit_of_work() as session:
            form = past_service(volunteer, elder, ended_at=NINE - timedelta(days=days), minutes=minutes)
            task = tasks.record(session, actor=steward(XIWU), form=form)
            tasks.approve_record(session, actor=district(), task_id=task.id)
    assert savings_and_pools(bank, volunteer, SHANGTIAN) == (180, 40)


def test_a_township_may_cap_its_own_volunteers_otherwise(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "lifetime_cap_minutes", 50, township_code=SHANGTIAN)
    here, elder = people(bank)
    there, _ = people(bank, home=DAYAN)
    for volunteer in (here, there):
        helped(bank, volunteer, elder, 60)
    assert savings_and_pools(bank, here, SHANGTIAN) == (50, 10)
    assert savings_and_pools(bank, there, DAYAN) == (60, 0)


def test_a_pool_does_not_pay_into_itself(bank: Database) -> None:
    capped(bank, lifetime=50)
    volunteer, elder = people(bank, home=XIWU)
    with bank.unit_of_work() as session:
        fill_pool(session, XIWU, 55)
    task = helped(bank, volunteer, elder, 60)
    # Of the pool's 55, 50 went to the volunteer; the 10 beyond the cap were issued and came into the pool.
    assert savings_and_pools(bank, volunteer, XIWU) == (50, 15)
    with bank.session() as session:
        paid = [(t.kind, t.amount) for t in transfers_by_cause(session, only_part(task).id)]
    assert paid == [("service_credit", 50), ("surplus", 10)]


def test_confirmations_at_once_do_not_both_pass_the_cap(bank: Database) -> None:
    capped(bank, lifetime=100)
    volunteer, elder = people(bank)
    waiting = [served(bank, volunteer, elder, 30) for _ in range(6)]
    answers = at_once(bank, [lambda s, t=t: tasks.confirm(s, confirmation=Confirmation(t.id, elder)) for t in waiting])
    assert not any(isinstance(answer, BankError) for answer in answers)
    assert savings_and_pools(bank, volunteer, SHANGTIAN) == (100, 80)
    with bank.session() as session:
        assert session.scalar(text("SELECT sum(surplus_minutes) FROM task_assignment")) == 80


def test_a_reversed_service_makes_room_below_the_cap_again(bank: Database) -> None:
    capped(bank, lifetime=100)
    volunteer, elder = people(bank)
    first = helped(bank, volunteer, elder, 80)
    with bank.session() as session:
        credit = session.scalars(
            select(Transfer.id).where(Transfer.cause_id == only_part(first).id, Transfer.id == Transfer.link_id)
        ).one()
    for actor in (steward(XIWU), district()):
        with bank.unit_of_work() as session:
            reverse(session, actor=actor, transfer_id=credit, reason="记错了人")
    with bank.unit_of_work() as session:
        for part_id in tasks.reversed_parts(session, limit=10):
            tasks.take_back(session, part_id=part_id)
    helped(bank, volunteer, elder, 60)
    assert savings_and_pools(bank, volunteer, SHANGTIAN) == (60, 0)


def test_a_reversed_surplus_comes_out_of_the_pool(bank: Database) -> None:
    capped(bank, lifetime=20)
    volunteer, elder = people(bank)
    task = helped(bank, volunteer, elder, 60)
    with bank.session() as session:
        surplus = session.scalars(select(Transfer.id).where(Transfer.kind == "surplus").order_by(Transfer.seq)).first()
        assert surplus is not None
    for actor in (steward(XIWU), district()):
        with bank.unit_of_work() as session:
            reverse(session, actor=actor, transfer_id=surplus, reason="没有服务")
    assert savings_and_pools(bank, volunteer, SHANGTIAN) == (20, 0)
    with bank.session() as session:
        assert lock_task(session, task.id).parts[0].status == "confirmed"


def test_a_reversed_credit_takes_its_surplus_along(bank: Database) -> None:
    capped(bank, lifetime=20)
    volunteer, elder = people(bank)
    task = helped(bank, volunteer, elder, 60)
    part_id = only_part(task).id
    with bank.session() as session:
        posted = {leg.kind: leg.id for leg in transfers_by_cause(session, part_id) if leg.link_id in (None, leg.id)}
    # The surplus was asked for by itself before; it is answered together with the credit.
    for actor, kind in ((steward(XIWU), "surplus"), (steward(XIWU), "service_credit"), (district(), "service_credit")):
        with bank.unit_of_work() as session:
            reverse(session, actor=actor, transfer_id=posted[kind], reason="记错了人")
    assert savings_and_pools(bank, volunteer, SHANGTIAN) == (0, 0)
    with bank.unit_of_work() as session:
        assert [tasks.take_back(session, part_id=one) for one in tasks.reversed_parts(session, limit=10)] == [True]
    with bank.unit_of_work() as session:
        assert honours_of(session, volunteer.person()).honour_minutes == 0
        with pytest.raises(BankError) as refusal:
            reverse(session, actor=district(), transfer_id=posted["surplus"], reason="再来一次")
    assert refusal.value.code == "already_reversed"


def test_honour_counts_every_minute_and_stars_are_told_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "lifetime_cap_minutes", 100)
        change_policy(session, "star_minutes", [60, 120, 1000])
    volunteer, elder = people(bank)
    for minutes in (59, 1, 90):
        helped(bank, volunteer, elder, minutes)
    with bank.session() as session:
        honours = honours_of(session, volunteer.person())
    assert (honours.honour_minutes, honours.stars, honours.next_star_minutes) == (150, 2, 1000)
    assert (honours.surplus_minutes, honours.donated_minutes) == (50, 0)
    titles = [title for title, _ in told(bank, volunteer) if "星级" in title]
    assert titles == ["恭喜您成为1星级志愿者", "恭喜您成为2星级志愿者"]
    with bank.unit_of_work() as session:
        # Reaching a star again, after a reversal or a change of policy, is not told again.
        change_policy(session, "star_minutes", [155], at=clock.now() + timedelta(minutes=1))
    clock.freeze(clock.now() + timedelta(minutes=2))
    helped(bank, volunteer, elder, 10)
    assert [title for title, _ in told(bank, volunteer) if "星级" in title] == titles


def test_two_stars_reached_by_one_service_are_both_told(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "star_minutes", [10, 20, 1000])
    volunteer, elder = people(bank)
    helped(bank, volunteer, elder, 60)
    assert sum("星级" in title for title, _ in told(bank, volunteer)) == 2


def test_the_caps_of_a_batch_are_looked_up_at_once(bank: Database) -> None:
    capped(bank, lifetime=70, daily=65)
    pairs = [people(bank) for _ in range(4)]
    waiting = [(served(bank, volunteer, elder, 60), elder) for volunteer, elder in pairs for _ in range(2)]
    asked: list[str] = []

    @event.listens_for(bank.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    counts = []
    for some in (waiting[:1], waiting[1:]):
        asked.clear()
        with bank.unit_of_work() as session:
            tasks.confirm_many(session, [Confirmation(task.id, elder) for task, elder in some])
        counts.append(sum("FROM task_assignment" in one and "sum(" in one for one in asked))
    assert counts == [2, 2]


VISITS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 90)), min_size=1, max_size=6)


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(visits=VISITS, lifetime=st.sampled_from([0, 50, 100, 160]), daily=st.sampled_from([0, 40, 120]))
def test_a_batch_is_credited_as_its_confirmations_one_by_one(
    bank: Database, visits: list[tuple[int, int]], lifetime: int, daily: int
) -> None:
    morning = clock.day_start(clock.local_date(clock.now()) + timedelta(days=2)) + timedelta(hours=7)
    clock.freeze(morning)
    capped(bank, lifetime=lifetime, daily=daily)
    with bank.unit_of_work() as session:
        # So that the pools only take in.
        change_policy(session, "payment_order", ["issuance"])
    worlds = []
    for home in (DAYAN, SHANGTIAN):
        clock.freeze(morning + timedelta(hours=1))
        with bank.unit_of_work() as session:
            volunteers, elder = [add_person(session, home) for _ in range(2)], add_elder(session, home)
            before = pool_of(session, home)
        worlds.append((home, volunteers, elder, before, [served(bank, volunteers[w], elder, m) for w, m in visits]))
    (_, _, elder, _, waiting) = worlds[0]
    with bank.unit_of_work() as session:
        tasks.confirm_many(session, [Confirmation(task.id, elder) for task in waiting])
    for task in worlds[1][4]:
        confirm(bank, worlds[1][2], task)
    with bank.session() as session:
        batched, single = (
            (
                [posted_in(session, AccountKind.SAVINGS, volunteer) for volunteer in volunteers],
                pool_of(session, home) - before,
                [session.get_one(Assignment, only_part(task).id).surplus_minutes for task in done],
            )
            for home, volunteers, _, before, done in worlds
        )
        assert batched == single
        assert sum(batched[0]) + batched[1] == sum(minutes for _, minutes in visits)
        assert batched[1] == sum(batched[2])


@pytest.mark.parametrize("surplus", [-1, 61])
def test_a_part_has_no_more_surplus_than_it_was_payable(bank: Database, surplus: int) -> None:
    volunteer, elder = people(bank)
    helped(bank, volunteer, elder, 60)
    with pytest.raises(IntegrityError, match="surplus_range"), bank.unit_of_work() as session:
        session.execute(text("UPDATE task_assignment SET surplus_minutes = :m"), {"m": surplus})


@pytest.mark.parametrize("statement", ["UPDATE volunteer_star SET star = 2", "DELETE FROM volunteer_star"])
def test_a_star_stays(bank: Database, statement: str) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "star_minutes", [10])
    volunteer, elder = people(bank)
    helped(bank, volunteer, elder, 60)
    with pytest.raises(DBAPIError, match="never changed or removed"), bank.unit_of_work() as session:
        session.execute(text(statement))
