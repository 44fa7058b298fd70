"""Government allotments: once a person and month, at the level that stood when the month began."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import event, select, text

from tests.factories.allotments import add_assessed, assess, assessed, grant_month
from tests.factories.minutes import posted_in
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from timebank.allotments import actions, queries
from timebank.allotments.actions import MonthsBatch, NewAssessment
from timebank.allotments.models import Allotment, Assessment
from timebank.allotments.queries import AllotmentFilter
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, Refused
from timebank.ledger.models import Account, Transfer
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.people.models import ElderFile, Person
from timebank.policies.queries import in_force


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def granted_to(bank: Database, elder: Actor) -> list[tuple[date, int, int]]:
    with bank.session() as session:
        rows = session.scalars(select(Allotment).where(Allotment.person_id == elder.person_id).order_by(Allotment.id))
        return [(row.month, row.level, row.minutes) for row in rows]


def next_month(*, days: int = 0) -> datetime:
    return clock.day_start(date(2026, 4, 1)) + timedelta(days=days)


def test_each_level_gets_its_minutes_in_a_lot_of_the_month(bank: Database) -> None:
    elders = {level: assessed(bank, level) for level in (None, 0, 1, 2, 3, 4)}
    assert grant_month(bank) == 4
    with bank.session() as session:
        got = {level: posted_in(session, AccountKind.GRANTED, elder) for level, elder in elders.items()}
        assert got == {None: 0, 0: 0, 1: 60, 2: 120, 3: 180, 4: 240}
        lots = session.scalars(select(Account).where(Account.kind == AccountKind.GRANTED)).all()
        assert {(lot.expires_on, lot.book_code) for lot in lots} == {(date(2026, 3, 31), XIWU)}
        transfers = session.scalars(select(Transfer)).all()
        assert {(t.kind, t.policy_version) for t in transfers} == {
            ("allotment", in_force(session, at=clock.now()).version)
        }
        body = session.scalars(select(Notice.body).where(Notice.person_id == elders[4].person_id)).one()
        assert body == "政府为您购买了4小时服务时长，可用于上门服务和用餐，请在3月31日前使用。"


def test_a_month_is_granted_once_and_the_next_one_again(bank: Database) -> None:
    elder = assessed(bank, 2)
    assert [grant_month(bank), grant_month(bank)] == [1, 0]
    clock.freeze(next_month(days=3))
    assert [grant_month(bank), grant_month(bank)] == [1, 0]
    assert granted_to(bank, elder) == [(date(2026, 3, 1), 2, 120), (date(2026, 4, 1), 2, 120)]


def test_a_month_that_two_processes_grant_at_once_is_granted_once(bank: Database) -> None:
    elders = [assessed(bank, 1) for _ in range(6)]
    people = [elder.person() for elder in elders]
    orders = (people, people[::-1], people[3:] + people[:3])
    batches = [MonthsBatch(date(2026, 3, 1), tuple(order)) for order in orders]
    answers = at_once(bank, [lambda s, b=b: actions.grant_allotments(s, batch=b) for b in batches])
    assert sorted(answer for answer in answers if isinstance(answer, int)) == [0, 0, 6]
    assert {posted for elder in elders for _, _, posted in granted_to(bank, elder)} == {60}


def test_a_level_that_changes_within_a_month_counts_from_the_next_one(bank: Database) -> None:
    elder = assessed(bank, 1)
    clock.freeze(NINE + timedelta(days=1))
    assess(bank, elder, 4)
    grant_month(bank)
    assert granted_to(bank, elder) == [(date(2026, 3, 1), 1, 60)]
    clock.freeze(next_month())
    grant_month(bank)
    assert granted_to(bank, elder)[1:] == [(date(2026, 4, 1), 4, 240)]


def test_who_is_assessed_for_the_first_time_waits_for_the_next_month(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    assess(bank, elder, 3)
    assert grant_month(bank) == 0
    clock.freeze(next_month())
    assess(bank, elder, 2)
    # The assessment of the month's first moment is one of this month, not from before it.
    grant_month(bank)
    assert granted_to(bank, elder) == [(date(2026, 4, 1), 3, 180)]


def test_of_two_assessments_before_the_month_the_later_counts(bank: Database) -> None:
    elder = assessed(bank, 1)
    for days, level in ((1, 4), (2, 2)):
        clock.freeze(NINE + timedelta(days=days))
        assess(bank, elder, level)
    clock.freeze(next_month(days=5))
    assess(bank, elder, 1)
    grant_month(bank)
    assert granted_to(bank, elder) == [(date(2026, 4, 1), 2, 120)]


def test_a_township_may_grant_more_and_longer(bank: Database) -> None:
    with bank.unit_of_work() as session:
        more = {"0": 30, "1": 90, "2": 150, "3": 200, "4": 300}
        change_policy(session, "allotment_minutes_by_level", more, township_code=DAYAN)
        change_policy(session, "allotment_valid_months", 3, township_code=DAYAN)
    here, able, there = assessed(bank, 1), assessed(bank, 0, DAYAN), assessed(bank, 1, DAYAN)
    assert grant_month(bank) == 3
    assert [granted_to(bank, elder)[0][2] for elder in (here, able, there)] == [60, 30, 90]
    with bank.session() as session:
        lasting = select(Account.expires_on).where(Account.person_id == there.person_id, Account.kind == "granted")
        assert session.scalars(lasting).all() == [date(2026, 5, 31)]


def test_whoever_has_left_or_is_reported_dead_gets_nothing(bank: Database) -> None:
    gone, reported = assessed(bank, 2), assessed(bank, 2)
    people = (gone.person(), reported.person())
    with bank.unit_of_work() as session:
        session.get_one(Person, gone.person()).left_at = clock.now()
        session.get_one(Person, reported.person()).death_reported_at = clock.now()
    assert grant_month(bank) == 0
    with bank.unit_of_work() as session:
        # Also where the job had found them before.
        assert actions.grant_allotments(session, batch=MonthsBatch(date(2026, 3, 1), people)) == 0


def test_whoever_moved_is_granted_by_the_new_home(bank: Database) -> None:
    elder = assessed(bank, 1)
    with bank.unit_of_work() as session:
        move_home(session, actor=steward(XIWU), person_id=elder.person(), township_code=DAYAN, evidence="户口迁移证")
    grant_month(bank)
    with bank.session() as session:
        assert session.scalars(select(Allotment.township_code)).all() == [DAYAN]


def test_many_people_take_no_more_statements_than_few(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elders = [
            add_assessed(session, code, level) for code in (XIWU, SHANGTIAN) for level in (1, 2) for _ in range(15)
        ]
    people = [elder.person() for elder in elders]
    asked: list[str] = []

    @event.listens_for(bank.engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    counts = []
    for some in (people[:2], people[2:]):
        asked.clear()
        with bank.unit_of_work() as session:
            actions.grant_allotments(session, batch=MonthsBatch(date(2026, 3, 1), tuple(some)))
        counts.append(len(asked))
    assert counts[0] == counts[1] < 20


def test_an_assessment_goes_into_the_file_and_the_history(bank: Database) -> None:
    elder = assessed(bank, 1)
    assess(bank, elder, 3)
    with bank.unit_of_work() as session:
        found = NewAssessment(2, " 复评表 ", ["独居", "低保", "独居"])
        made = actions.assess(session, actor=district(), person_id=elder.person(), found=found)
        assert (made.previous_level, made.evidence, made.circumstances) == (3, "复评表", ["独居", "低保"])
    with bank.session() as session:
        file = session.get_one(ElderFile, elder.person())
        assert (file.assessment_level, file.circumstances) == (2, ["独居", "低保"])
        assert session.scalars(select(Assessment.level).order_by(Assessment.assessed_at, Assessment.id)).all() == [3, 2]
        assert session.scalar(text("SELECT count(*) FROM audit_entry WHERE action = 'elder_assessed'")) == 2
    with bank.unit_of_work() as session:
        nothing = NewAssessment(2, "复评表", ["无"])
        assert actions.assess(session, actor=district(), person_id=elder.person(), found=nothing).circumstances == []


@pytest.mark.parametrize(
    ("actor", "level", "evidence", "code"),
    [
        (steward(SHANGTIAN), 2, "表", "other_township"),
        (staff(StaffRole.AUDITOR), 2, "表", "steward_only"),
        (steward(XIWU), 2, "  ", "evidence_missing"),
        (steward(XIWU), 5, "表", "level_unknown"),
    ],
)
def test_who_may_not_assess_or_says_nothing_is_refused(
    bank: Database, actor: Actor, level: int, evidence: str, code: str
) -> None:
    elder = assessed(bank, 1)
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        actions.assess(session, actor=actor, person_id=elder.person(), found=NewAssessment(level, evidence))
    assert refused.value.code == code
    with bank.session() as session:
        assert session.get_one(ElderFile, elder.person()).assessment_level == 1


def test_nobody_is_assessed_after_leaving(bank: Database) -> None:
    elder = assessed(bank, 1)
    with bank.unit_of_work() as session:
        session.get_one(Person, elder.person()).left_at = clock.now()
    with pytest.raises(Conflict, match="person_left"):
        assess(bank, elder, 2)


def test_the_next_month_is_foreseen_with_the_levels_and_policies_that_will_stand_then(bank: Database) -> None:
    elders = [assessed(bank, 1), assessed(bank, 1), assessed(bank, 2, DAYAN)]
    assess(bank, elders[0], 3)
    with bank.unit_of_work() as session:
        more = {"0": 0, "1": 90, "2": 120, "3": 180, "4": 240}
        change_policy(session, "allotment_minutes_by_level", more, at=next_month())
    with bank.session() as session:
        month, lines = queries.next_month(session, actor=district(), township_code=None)
        own = queries.next_month(session, actor=steward(DAYAN), township_code=None)[1]
    said = [(line.township_code, line.level, line.people, line.minutes) for line in lines]
    assert (month, said) == (date(2026, 4, 1), [(XIWU, 1, 1, 90), (XIWU, 3, 1, 180), (DAYAN, 2, 1, 120)])
    assert [line.township_code for line in own] == [DAYAN]
    clock.freeze(next_month())
    grant_month(bank)
    assert sum(granted_to(bank, elder)[0][2] for elder in elders) == sum(line.minutes for line in lines)


def test_allotments_are_seen_by_whom_they_concern(bank: Database) -> None:
    here, there = assessed(bank, 1), assessed(bank, 2, DAYAN)
    grant_month(bank)

    def seen(actor: Actor, **wanted: object) -> list[object]:
        with bank.session() as session:
            found = queries.allotments_seen(
                session,
                actor=actor,
                wanted=AllotmentFilter(**wanted),  # type: ignore[arg-type]
                limit=10,
            )
        return [row[0].person_id for row in found]

    assert seen(here) == [here.person_id]
    assert seen(steward(DAYAN)) == [there.person_id]
    assert set(seen(district())) == {here.person_id, there.person_id}
    assert seen(district(), township_code=XIWU, month="2026-03") == [here.person_id]
    assert seen(district(), month="2026-02") == []
    for wanted in ({"for_person_id": there.person_id},):
        with pytest.raises(NotAllowed, match="not_your_elder"):
            seen(here, **wanted)
    with pytest.raises(NotAllowed, match="other_township"):
        seen(steward(DAYAN), township_code=XIWU)
    with pytest.raises(Refused, match="month_invalid"):
        seen(district(), month="2026-3")
