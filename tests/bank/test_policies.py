"""Changing policies: scheduled, approved by a second person, never rewriting what was."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.factories.people import SHANGTIAN, XIWU, add_elder, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.core.sorting import Part
from timebank.policies.actions import NewValue, approve_change, propose_change
from timebank.policies.models import PolicyChange
from timebank.policies.queries import changes, in_force, values_of

KEY = "tolerance_minutes"
SHIPPED = 15


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def propose(
    bank: Database, values: Sequence[NewValue], at: datetime = NINE, actor: Actor | None = None
) -> PolicyChange:
    with bank.unit_of_work() as session:
        return propose_change(
            session,
            actor=actor or district(),
            values=values,
            effective_at=at,
            reason="试点办公室会议",
            source="会议纪要第1号",
        )


def approve(bank: Database, change: PolicyChange, actor: Actor | None = None) -> PolicyChange:
    with bank.unit_of_work() as session:
        return approve_change(session, actor=actor or district(), change_id=change.id)


def changed(bank: Database, value: Any, at: datetime, township_code: str | None = None) -> PolicyChange:
    with bank.unit_of_work() as session:
        return change_policy(session, KEY, value, township_code=township_code, at=at)


def seen(bank: Database, at: datetime, township_code: str | None = None) -> int:
    with bank.session() as session:
        return in_force(session, at=at).whole(KEY, township_code)


def test_a_proposal_binds_nobody_before_a_second_person_approves_it(bank: Database) -> None:
    proposer = district()
    change = propose(bank, [NewValue(KEY, 0)], actor=proposer)
    assert seen(bank, NINE) == SHIPPED
    with pytest.raises(NotAllowed, match="second_person_needed:"):
        approve(bank, change, proposer)
    assert seen(bank, NINE) == SHIPPED
    done = approve(bank, change)
    assert (done.approved_at, done.proposed_by_name) == (NINE, proposer.name)
    assert seen(bank, NINE) == 0
    with pytest.raises(Conflict, match="policy_already_approved:"):
        approve(bank, change)


def test_only_the_district_changes_policy(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    change = propose(bank, [NewValue(KEY, 0)])
    for actor in (elder, steward(XIWU), staff(StaffRole.AUDITOR)):
        with pytest.raises(NotAllowed, match="district_only:"):
            propose(bank, [NewValue(KEY, 1)], actor=actor)
        with pytest.raises(NotAllowed, match="district_only:"):
            approve(bank, change, actor)
    with pytest.raises(NotFound, match="policy_change_unknown:"), bank.unit_of_work() as session:
        approve_change(session, actor=district(), change_id=change.id + 1)


def test_a_scheduled_change_is_in_force_from_its_moment_on(bank: Database) -> None:
    april = NINE + timedelta(days=22)
    change = changed(bank, 5, april)
    assert seen(bank, april - timedelta(microseconds=1)) == SHIPPED
    assert seen(bank, april) == 5
    with bank.session() as session:
        before, after = in_force(session, at=NINE), in_force(session, at=april)
        assert (before.version < change.id, after.version) == (True, change.id)


def test_history_keeps_its_values_whatever_comes_later(bank: Database) -> None:
    moments = [NINE + timedelta(days=n) for n in (0, 10, 20)]
    for value, moment in zip((10, 20, 30), moments, strict=True):
        changed(bank, value, moment)
    clock.freeze(NINE + timedelta(days=25))
    changed(bank, 40, clock.now())
    assert [seen(bank, m - timedelta(microseconds=1)) for m in moments] == [SHIPPED, 10, 20]
    assert [seen(bank, m) for m in (*moments, clock.now())] == [10, 20, 30, 40]


def test_a_change_between_two_lasts_until_the_later_one(bank: Database) -> None:
    changed(bank, 30, NINE + timedelta(days=30))
    changed(bank, 10, NINE + timedelta(days=10))
    assert [seen(bank, NINE + timedelta(days=n)) for n in (0, 10, 29, 30, 99)] == [SHIPPED, 10, 10, 30, 30]


def test_a_township_overrides_the_district_and_keeps_its_value_when_the_district_changes(bank: Database) -> None:
    changed(bank, 0, NINE + timedelta(days=1), XIWU)
    changed(bank, 45, NINE + timedelta(days=2))
    late = NINE + timedelta(days=3)
    assert seen(bank, NINE, XIWU) == SHIPPED
    assert (seen(bank, late, XIWU), seen(bank, late, SHANGTIAN), seen(bank, late)) == (0, 45, 45)


def test_nothing_is_changed_in_the_past(bank: Database) -> None:
    with pytest.raises(Refused, match="policy_in_the_past:"):
        propose(bank, [NewValue(KEY, 0)], NINE - timedelta(microseconds=1))
    change = propose(bank, [NewValue(KEY, 0)], NINE + timedelta(hours=1))
    clock.freeze(NINE + timedelta(hours=2))
    with pytest.raises(Refused, match="policy_in_the_past:"):
        approve(bank, change)
    assert seen(bank, clock.now()) == SHIPPED


def test_what_makes_no_sense_is_not_even_proposed(bank: Database) -> None:
    wrong: list[tuple[list[NewValue], str]] = [
        ([NewValue("price_of_tea", 1)], "policy_unknown"),
        ([NewValue(KEY, -1)], "policy_value_invalid"),
        ([NewValue(KEY, 1), NewValue(KEY, 2)], "policy_repeated"),
        ([NewValue("service_rates_percent", {"bathing": 150})], "policy_value_invalid"),
        ([NewValue("service_rates_percent", {"dancing": 150}, XIWU)], "policy_value_invalid"),
    ]
    for values, code in wrong:
        with pytest.raises(Refused, match=f"{code}:"):
            propose(bank, values)
    with bank.session() as session:
        assert len(changes(session, part=Part(9)).items) == 1


def test_two_changes_for_one_moment_are_refused_and_for_two_places_are_not(bank: Database) -> None:
    tomorrow = NINE + timedelta(days=1)
    first, second = propose(bank, [NewValue(KEY, 1)], tomorrow), propose(bank, [NewValue(KEY, 2)], tomorrow)
    elsewhere = propose(bank, [NewValue(KEY, 3, XIWU), NewValue(KEY, 4, SHANGTIAN)], tomorrow)
    answers = at_once(
        bank,
        [lambda s, c=c: approve_change(s, actor=district(), change_id=c.id).id for c in (first, second, elsewhere)],
    )
    assert answers[2] == elsewhere.id
    assert codes_of(answers[:2]) == ["ok", "policy_same_moment"]
    refused = next(c for c, answer in zip((first, second), answers, strict=False) if isinstance(answer, BankError))
    with bank.session() as session:
        assert session.get_one(PolicyChange, refused.id).approved_at is None
        assert [value.valid_from for value in values_of(session, [refused.id])] == [None]


def test_one_change_approved_by_two_at_once_is_approved_once(bank: Database) -> None:
    change = propose(bank, [NewValue(KEY, 1)])
    answers = at_once(bank, [lambda s: approve_change(s, actor=district(), change_id=change.id).id] * 3)
    assert codes_of(answers) == ["ok", "policy_already_approved", "policy_already_approved"]


def test_the_database_itself_lets_nobody_rewrite_what_was_in_force(bank: Database) -> None:
    changed(bank, 5, NINE)
    for statement in (
        "UPDATE policy_value SET value = '99'",
        "UPDATE policy_value SET key = 'voucher_price_minutes'",
        "UPDATE policy_value SET township_code = '330213004'",
        "UPDATE policy_value SET valid_from = valid_from - interval '1 day' WHERE valid_from IS NOT NULL",
        "UPDATE policy_value SET valid_to = NULL WHERE valid_to IS NOT NULL",
        "UPDATE policy_value SET valid_to = valid_to + interval '1 day' WHERE valid_to IS NOT NULL",
        "DELETE FROM policy_value",
    ):
        with pytest.raises(DBAPIError, match="policy values are never rewritten"), bank.unit_of_work() as session:
            session.execute(text(statement))
    assert seen(bank, NINE) == 5


def test_the_database_itself_wants_a_second_person_and_no_backdating(bank: Database) -> None:
    propose(bank, [NewValue(KEY, 5)])
    approved = "UPDATE policy_change SET approved_by = {}, approved_at = {} WHERE approved_at IS NULL AND id > 1"
    for statement, constraint in (
        (approved.format("proposed_by", "effective_at"), "second_person"),
        (approved.format("gen_random_uuid()", "effective_at + interval '1 second'"), "never_backdated"),
        (approved.format("gen_random_uuid()", "NULL"), "approved_whole"),
    ):
        with pytest.raises(IntegrityError, match=constraint), bank.unit_of_work() as session:
            session.execute(text(statement))


SECOND_IN_FORCE = """
INSERT INTO policy_value (change_id, key, value, valid_from)
SELECT max(id), 'tolerance_minutes', '1', '2026-01-01' FROM policy_change
"""


def test_two_values_are_never_in_force_at_once_even_without_the_guard(bank: Database) -> None:
    propose(bank, [NewValue("voucher_price_minutes", 50)])
    with bank.unit_of_work() as session:
        session.execute(text("ALTER TABLE policy_value DISABLE TRIGGER policy_value_guarded"))
    with pytest.raises(IntegrityError, match="one_in_force"), bank.unit_of_work() as session:
        session.execute(text(SECOND_IN_FORCE))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        (SECOND_IN_FORCE, "comes into force by approval"),
        ("UPDATE policy_value SET valid_from = now() WHERE change_id > 1", "values are never rewritten"),
        ("UPDATE policy_value SET value = '1' WHERE change_id = 1", "values are never rewritten"),
        ("DELETE FROM policy_value", "values are never rewritten"),
        ("TRUNCATE policy_value", "policies are never removed"),
        ("UPDATE policy_change SET reason = 'another' WHERE id > 1", "changes are never rewritten"),
        ("UPDATE policy_change SET approved_by_name = 'somebody' WHERE approved_at IS NOT NULL", "never rewritten"),
        ("DELETE FROM policy_change WHERE id > 1", "changes are never rewritten"),
        ("TRUNCATE policy_change CASCADE", "policies are never removed"),
    ],
)
def test_history_is_not_rewritten_by_hand(bank: Database, statement: str, said: str) -> None:
    propose(bank, [NewValue("voucher_price_minutes", 50)])
    changed(bank, 20, NINE)
    with pytest.raises(DBAPIError, match=said), bank.unit_of_work() as session:
        session.execute(text(statement))


def test_before_the_first_policy_there_is_none(bank: Database) -> None:
    with pytest.raises(LookupError, match="no policy"), bank.session() as session:
        in_force(session, at=datetime(2019, 12, 31, tzinfo=NINE.tzinfo))
