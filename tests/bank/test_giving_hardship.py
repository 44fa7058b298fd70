"""Hardship help: asked by one steward, approved by a second, out of a pool that is never overdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.family import in_hardship
from tests.factories.giving import asked_for, moved_for, pool_of
from tests.factories.leaving import leave
from tests.factories.minutes import fill_pool, grant_minutes, posted_in
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.reversals import reversed_by_two
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.audit.models import AuditEntry
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.core.sorting import Part
from timebank.giving.actions import approve_hardship, decline_hardship, request_hardship
from timebank.giving.queries import HardshipFilter, HardshipSeen, hardship_requests
from timebank.ledger.actions import ensure_lot, reverse
from timebank.ledger.models import Account, Transfer
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.people.models import Person

GRANTED = AccountKind.GRANTED


@pytest.fixture
def elder(bank: Database) -> Actor:
    """An elder of 西坞, whose pool has 200 minutes."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        fill_pool(session, XIWU, 200)
        return add_elder(session, XIWU, name="周桂芬")


def _requests(session: Session, actor: Actor, after: Any = None, **wanted: Any) -> Sequence[HardshipSeen]:
    part = Part(9, after=after)
    return hardship_requests(session, actor=actor, wanted=HardshipFilter(**wanted), part=part).items


def noted(session: Session, subject_id: object) -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.subject_id == str(subject_id))
    return list(session.scalars(query.order_by(AuditEntry.id)))


def test_what_a_second_steward_approves_is_a_lot_that_expires(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        asked = asked_for(session, elder, 120)
        assert (asked.status, asked.circumstances, pool_of(session, XIWU)) == ("waiting", ["低保"], 200)
        second = steward(XIWU)
        approve_hardship(session, actor=second, hardship_id=asked.id)
        assert (asked.status, asked.decided_by_name, asked.expires_on) == ("approved", second.name, date(2026, 9, 6))
        assert (pool_of(session, XIWU), posted_in(session, GRANTED, elder)) == (80, 120)
        assert moved_for(session, asked.id) == [(XIWU, "hardship_help", 120)]
        lot = session.scalars(select(Account).where(Account.person_id == elder.person_id, Account.kind == GRANTED))
        assert [one.expires_on for one in lot] == [date(2026, 9, 6)]
        assert noted(session, asked.id) == ["hardship_requested", "hardship_approved"]
        told = session.scalars(select(Notice.body).where(Notice.person_id == elder.person_id)).all()
        assert told == ["镇街从公益时间池拨付您2小时，可用到2026年09月06日。"]
        waiting = select(Notice.township_code).where(Notice.title == "有困难帮扶待批准")
        assert set(session.scalars(waiting)) == {XIWU, None}


def test_nobody_approves_what_they_asked_for(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        asker = steward(XIWU)
        asked = asked_for(session, elder, by=asker)
        for actor, code in (
            (asker, "second_person_needed"),
            (steward(DAYAN), "other_township"),
            (staff(StaffRole.AUDITOR), "steward_only"),
            (elder, "steward_only"),
        ):
            with pytest.raises(BankError, match=f"{code}:"):
                approve_hardship(session, actor=actor, hardship_id=asked.id)
        for act in (approve_hardship, lambda s, **k: decline_hardship(s, **k, reason="x")):
            with pytest.raises(BankError, match="hardship_unknown:"):
                act(session, actor=district(), hardship_id=new_id())  # type: ignore[operator]
        assert approve_hardship(session, actor=district(), hardship_id=asked.id).status == "approved"
        with pytest.raises(BankError, match="hardship_decided:"):
            approve_hardship(session, actor=steward(XIWU), hardship_id=asked.id)


def test_a_pool_that_is_short_is_not_overdrawn_and_the_request_goes_on_waiting(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        first, second = asked_for(session, elder, 120), asked_for(session, elder, 120)
        approve_hardship(session, actor=district(), hardship_id=first.id)
    with pytest.raises(BankError, match="pool_short:") as refusal, bank.unit_of_work() as session:
        approve_hardship(session, actor=district(), hardship_id=second.id)
    assert refusal.value.facts == {"available_minutes": 80, "needed_minutes": 120}
    with bank.unit_of_work() as session:
        assert [r.status for r in _requests(session, district())] == ["waiting", "approved"]
        fill_pool(session, XIWU, 40)
        approve_hardship(session, actor=district(), hardship_id=second.id)
        assert (pool_of(session, XIWU), posted_in(session, GRANTED, elder)) == (0, 240)


def test_help_is_for_circumstances_that_policy_counts(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        wanted = {"person_id": elder.person(), "minutes": 60, "reason": "r", "evidence": "e"}
        xiwu = steward(XIWU)
        for circumstances in ((), ("独居",)):
            in_hardship(session, elder, *circumstances)
            with pytest.raises(BankError, match="not_in_hardship:"):
                request_hardship(session, actor=xiwu, **wanted)  # type: ignore[arg-type]
        change_policy(session, "hardship_circumstances", ["独居"], township_code=XIWU)
        asked = request_hardship(session, actor=xiwu, **wanted)  # type: ignore[arg-type]
        assert asked.circumstances == ["独居"]
        # An elder of whom there is no file at all.
        other = {**wanted, "person_id": add_person(session, XIWU).person()}
        with pytest.raises(BankError, match="not_in_hardship:"):
            request_hardship(session, actor=xiwu, **other)  # type: ignore[arg-type]


def test_askings_that_do_not_hold(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        wanted = {"person_id": in_hardship(session, elder, "低保"), "minutes": 60, "reason": "r", "evidence": "e"}
        xiwu = steward(XIWU)
        wrong: list[tuple[Actor, dict[str, object], str]] = [
            (xiwu, {"minutes": 601}, "hardship_help_too_much"),
            (xiwu, {"minutes": 0}, "amount_invalid"),
            (xiwu, {"reason": " "}, "reason_needed"),
            (xiwu, {"evidence": ""}, "evidence_missing"),
            (xiwu, {"person_id": new_id()}, "person_unknown"),
            (steward(DAYAN), {}, "other_township"),
            (elder, {"person_id": new_id()}, "steward_only"),
        ]
        for actor, changed, code in wrong:
            with pytest.raises(BankError, match=f"{code}:"):
                request_hardship(session, actor=actor, **{**wanted, **changed})  # type: ignore[arg-type]
        session.get_one(Person, elder.person()).left_at = clock.now()
        session.flush()
        with pytest.raises(BankError, match="person_left:"):
            request_hardship(session, actor=xiwu, **wanted)  # type: ignore[arg-type]


def test_an_elder_who_has_moved_is_asked_for_anew_at_home(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        asked = asked_for(session, elder)
    with bank.unit_of_work() as session:
        move_home(session, actor=district(), person_id=elder.person(), township_code=DAYAN, evidence="户口本")
    with bank.unit_of_work() as session:
        with pytest.raises(BankError, match="elder_moved:") as refusal:
            approve_hardship(session, actor=district(), hardship_id=asked.id)
        assert refusal.value.facts == {"township_code": DAYAN}
        decline_hardship(session, actor=steward(XIWU), hardship_id=asked.id, reason="已迁出")


def test_a_request_is_declined_with_a_reason_also_by_who_made_it(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        asker = steward(XIWU)
        for decider in (asker, district()):
            asked = asked_for(session, elder, by=asker)
            with pytest.raises(BankError, match="reason_needed:"):
                decline_hardship(session, actor=decider, hardship_id=asked.id, reason=" ")
            decline_hardship(session, actor=decider, hardship_id=asked.id, reason="材料不全")
            assert (asked.status, asked.decline_reason, asked.transfer_id) == ("declined", "材料不全", None)
            for act in (approve_hardship, lambda s, **k: decline_hardship(s, **k, reason="x")):
                with pytest.raises(BankError, match="hardship_decided:"):
                    act(session, actor=district(), hardship_id=asked.id)  # type: ignore[operator]
        assert pool_of(session, XIWU) == 200


def test_what_was_granted_by_mistake_goes_back_to_the_pool(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        asked = approve_hardship(session, actor=district(), hardship_id=asked_for(session, elder).id)
        assert asked.transfer_id is not None
        reverse(session, actor=steward(XIWU), transfer_id=asked.transfer_id, reason="同名")
        assert reverse(session, actor=district(), transfer_id=asked.transfer_id, reason="同意")[0] == "reversed"
        assert (pool_of(session, XIWU), posted_in(session, GRANTED, elder)) == (200, 0)
        assert [r.reversed for r in _requests(session, district())] == [True]


def test_why_somebody_is_in_need_does_not_stand_in_the_ledger(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        asked = approve_hardship(session, actor=district(), hardship_id=asked_for(session, elder).id)
        assert asked.transfer_id is not None
        assert asked.reason
        assert session.get_one(Transfer, asked.transfer_id).note == "困难帮扶"


def test_help_that_went_on_when_the_elder_left_is_not_taken_back(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        approve_hardship(session, actor=district(), hardship_id=asked_for(session, elder).id)
    leave(bank, elder)
    with pytest.raises(BankError, match="person_left:"):
        reversed_by_two(bank, "hardship_help")
    with bank.session() as session:
        assert pool_of(session, XIWU) == 200
        assert [r.reversed for r in _requests(session, district())] == [False]


def test_lists_are_for_stewards_of_the_township_and_can_be_narrowed(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        other = add_elder(session, DAYAN)
        here = [asked_for(session, elder, n) for n in (1, 2)]
        there = asked_for(session, other, 3, township_code=DAYAN)
        decline_hardship(session, actor=district(), hardship_id=here[0].id, reason="材料不全")

        def seen(actor: Actor, **wanted: object) -> list[int]:
            return [r.minutes for r in _requests(session, actor, **wanted)]

        assert seen(steward(XIWU)) == seen(district(), township_code=XIWU) == [2, 1]
        assert seen(staff(StaffRole.AUDITOR)) == [3, 2, 1]
        assert seen(district(), status="declined") == [1]
        assert seen(district(), person_id=other.person()) == [3]
        assert seen(district(), after=(there.id, there.id)) == [2, 1]
        with pytest.raises(BankError, match="other_township:"):
            seen(steward(XIWU), township_code=DAYAN)
        with pytest.raises(BankError, match="books_not_yours:"):
            seen(elder)


@pytest.mark.parametrize("times", range(3))
def test_of_approvals_at_once_one_grants(bank: Database, elder: Actor, times: int) -> None:
    with bank.unit_of_work() as session:
        asked = asked_for(session, elder, 60)
    approvers = [district(), district(), steward(XIWU), steward(XIWU)]
    answers = at_once(bank, [lambda s, a=a: approve_hardship(s, actor=a, hardship_id=asked.id) for a in approvers])
    assert codes_of(answers) == ["hardship_decided"] * 3 + ["ok"]
    with bank.session() as session:
        assert (pool_of(session, XIWU), posted_in(session, GRANTED, elder)) == (140, 60)


def test_approvals_at_once_take_no_more_than_the_pool_has(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        asked = [asked_for(session, add_elder(session, XIWU), 60) for _ in range(5)]
    answers = at_once(bank, [lambda s, r=r: approve_hardship(s, actor=district(), hardship_id=r.id) for r in asked])
    assert codes_of(answers) == ["ok"] * 3 + ["pool_short"] * 2
    with bank.session() as session:
        assert pool_of(session, XIWU) == 20


def test_a_lot_opened_by_several_at_once_is_one_account(bank: Database, elder: Actor) -> None:
    until = clock.today() + timedelta(days=10)
    lot = {"person_id": elder.person(), "book_code": XIWU}
    answers = at_once(bank, [lambda s: ensure_lot(s, expires_on=until, **lot)] * 6)
    assert len(set(map(str, answers))) == 1
    with bank.unit_of_work() as session:
        assert ensure_lot(session, expires_on=until, **lot) == answers[0]
        assert ensure_lot(session, expires_on=until + timedelta(days=1), **lot) != answers[0]
        assert ensure_lot(session, expires_on=until, person_id=elder.person(), book_code=SHANGTIAN) != answers[0]
        granted = grant_minutes(session, elder, 5, expires_on=date(2026, 12, 31))
        assert ensure_lot(session, expires_on=date(2026, 12, 31), **lot) == granted
        assert session.scalar(select(func.count()).where(Account.kind == GRANTED)) == 4
