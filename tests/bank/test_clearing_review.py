"""Reviewing a closed window: confirmed by townships, disputed line by line, ruled by the district once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories.clearing import close, confirm_all, eat, owed, position_minutes, settle, transfer_of
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, district, staff, steward
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.clearing import actions as clearing
from timebank.clearing.models import Dispute, Statement
from timebank.clearing.queries import find_window, lines, statements_of
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.rules import second_leg_id
from timebank.notifications.models import Notice


@pytest.fixture(autouse=True)
def _at_nine() -> None:
    clock.freeze(NINE)


def refused(bank: Database, code: str, call: Callable[[Session], Any]) -> None:
    """``call`` is refused with this code and changes nothing."""
    with bank.session() as session:
        before = _facts(session)
    with pytest.raises(BankError) as refusal, bank.unit_of_work() as session:
        call(session)
    assert refusal.value.code == code
    with bank.session() as session:
        assert _facts(session) == before


def _facts(session: Session) -> list[Any]:
    return [
        session.execute(select(func.count()).select_from(table)).scalar_one() for table in (AuditEntry, Notice, Dispute)
    ] + [(s.township_code, s.confirmed_at, s.position_minutes) for s in session.scalars(select(Statement))]


def dispute(bank: Database, window: str, transfer_id: UUID, code: str = SHANGTIAN) -> Dispute:
    with bank.unit_of_work() as session:
        return clearing.dispute_line(
            session, actor=steward(code), window_name=window, transfer_id=transfer_id, reason="当天没有这位老人"
        )


def rule(bank: Database, found: Dispute, ruling: Any) -> None:
    with bank.unit_of_work() as session:
        clearing.rule_dispute(session, actor=district(), dispute_id=found.id, ruling=ruling, reason="查过签到表")


def test_closing_draws_up_a_statement_for_everybody_with_lines_and_tells_the_stewards(bank: Database) -> None:
    eat(bank, DAYAN, meals=2)
    eat(bank, XIWU)
    window = close(bank)
    with bank.session() as session:
        found = find_window(session, window)
        assert (found.status, found.closed_by_name) == ("closed", district().name)
        statements = statements_of(session, found)
        assert [(s.township_code, s.position_minutes, s.position_fen) for s in statements] == [
            (XIWU, 60, 3000),
            (SHANGTIAN, -180, -9000),
            (DAYAN, 120, 6000),
        ]
        told = set(session.scalars(select(Notice.township_code).where(Notice.title.contains(window))))
        assert told == {XIWU, SHANGTIAN, DAYAN, None}
        assert session.scalar(select(func.count()).where(AuditEntry.action == "window_closed")) == 1


def test_the_last_confirmation_tells_the_district_that_all_is_ready(bank: Database) -> None:
    eat(bank, DAYAN)
    window = close(bank)
    confirm_all(bank, window)
    with bank.session() as session:
        assert find_window(session, window).status == "under_review"
        ready = select(func.count()).where(Notice.title.contains("可以结算"), Notice.township_code.is_(None))
        assert session.scalar(ready) == 1


def test_confirming_is_refused_where_it_does_not_fit(bank: Database) -> None:
    eat(bank, DAYAN)
    open_name = "2026-03"
    refused(
        bank, "window_still_open", lambda s: clearing.confirm_statement(s, actor=steward(DAYAN), window_name=open_name)
    )
    window = close(bank)

    def confirm(actor: Any, **more: Any) -> Callable[[Session], Any]:
        return lambda s: clearing.confirm_statement(s, actor=actor, window_name=more.pop("window", window), **more)

    refused(bank, "window_unknown", confirm(steward(DAYAN), window="2019-01"))
    refused(bank, "statement_unknown", confirm(steward(XIWU)))
    refused(bank, "other_township", confirm(steward(XIWU), township_code=DAYAN))
    refused(bank, "steward_only", confirm(staff(StaffRole.AUDITOR), township_code=DAYAN))
    refused(bank, "township_needed", confirm(district(), note="已电话核对"))
    refused(bank, "note_needed", confirm(district(), township_code=DAYAN))
    confirm_all(bank, window)
    refused(bank, "statement_already_confirmed", confirm(steward(DAYAN)))


def test_the_district_confirms_for_a_township_saying_why(bank: Database) -> None:
    eat(bank, DAYAN)
    window = close(bank)
    with bank.unit_of_work() as session:
        said = clearing.confirm_statement(
            session, actor=district(), window_name=window, township_code=DAYAN, note="该镇尚无管理员，已电话核对"
        )
    assert (said.note, said.confirmed_by_name) == ("该镇尚无管理员，已电话核对", district().name)


def test_a_line_that_stays_stays_and_its_statement_can_then_be_confirmed(bank: Database) -> None:
    line = transfer_of(bank, eat(bank, DAYAN))
    window = close(bank)
    raised = dispute(bank, window, line)
    refused(
        bank,
        "disputes_unruled",
        lambda s: clearing.confirm_statement(s, actor=steward(SHANGTIAN), window_name=window),
    )
    rule(bank, raised, "stays")
    assert position_minutes(bank, window) == {SHANGTIAN: -60, DAYAN: 60}
    confirm_all(bank, window)
    settle(bank, window)


def test_a_moved_line_leaves_both_statements_and_is_in_the_next_window(bank: Database) -> None:
    first = transfer_of(bank, eat(bank, DAYAN, meals=3))
    window = close(bank)
    confirm_all(bank, window)
    # Named by its other leg, and although the township had confirmed.
    raised = dispute(bank, window, second_leg_id(first))
    assert raised.transfer_id == first
    before = owed(bank)
    rule(bank, raised, "moved")
    assert position_minutes(bank, window) == {SHANGTIAN: -120, DAYAN: 120}
    assert position_minutes(bank, None) == {SHANGTIAN: -60, DAYAN: 60}
    assert position_minutes(bank, "all") == {SHANGTIAN: -180, DAYAN: 180}
    assert owed(bank) == before
    with bank.session() as session:
        old = find_window(session, window)
        # Both have to look again at what has changed.
        statements = {s.township_code: (s.position_fen, s.confirmed_at) for s in statements_of(session, old)}
        assert statements == {SHANGTIAN: (-6000, None), DAYAN: (6000, None)}
        assert [line.minutes for line in lines(session, old, SHANGTIAN, limit=9)] == [-60, -60]
        following = find_window(session, None)
        moved = lines(session, following, DAYAN, limit=9)
        assert [(line.transfer_id, line.minutes, line.moved_in) for line in moved] == [(first, 60, True)]
    confirm_all(bank, window)
    settle(bank, window)
    assert owed(bank) == {SHANGTIAN: 60, DAYAN: -60}


def test_a_moved_line_can_be_disputed_and_moved_again(bank: Database) -> None:
    line = transfer_of(bank, eat(bank, DAYAN))
    first = close(bank)
    rule(bank, dispute(bank, first, line), "moved")
    second = close(bank)
    assert (position_minutes(bank, first), position_minutes(bank, second)) == ({}, {SHANGTIAN: -60, DAYAN: 60})
    refused(bank, "line_unknown", lambda s: clearing.dispute_line(
        s, actor=steward(SHANGTIAN), window_name=first, transfer_id=line, reason="再查"))  # fmt: skip
    rule(bank, dispute(bank, second, line, DAYAN), "moved")
    assert position_minutes(bank, second) == {}
    assert position_minutes(bank, None) == {SHANGTIAN: -60, DAYAN: 60}


def test_disputing_is_refused_where_it_does_not_fit(bank: Database) -> None:
    line = transfer_of(bank, eat(bank, DAYAN))

    def object_to(actor: Any, transfer_id: UUID = line, **more: Any) -> Callable[[Session], Any]:
        said: dict[str, Any] = {"window_name": "2026-03", "reason": "不对", **more}
        return lambda s: clearing.dispute_line(s, actor=actor, transfer_id=transfer_id, **said)

    refused(bank, "window_still_open", object_to(steward(SHANGTIAN)))
    window = close(bank)
    later = transfer_of(bank, eat(bank, DAYAN))
    refused(bank, "line_of_others", object_to(steward(XIWU)))
    refused(bank, "line_unknown", object_to(steward(SHANGTIAN), new_id()))
    refused(bank, "line_unknown", object_to(steward(SHANGTIAN), later))
    refused(bank, "township_steward_only", object_to(district()))
    refused(bank, "township_steward_only", object_to(staff(StaffRole.AUDITOR)))
    refused(bank, "other_township", object_to(steward(SHANGTIAN), township_code=DAYAN))
    refused(bank, "reason_needed", object_to(steward(SHANGTIAN), reason="  "))
    dispute(bank, window, line)
    refused(bank, "line_already_disputed", object_to(steward(SHANGTIAN)))
    refused(bank, "line_already_disputed", object_to(steward(DAYAN)))


def test_ruling_is_the_districts_and_is_done_once(bank: Database) -> None:
    line = transfer_of(bank, eat(bank, DAYAN))
    window = close(bank)
    raised = dispute(bank, window, line)

    def ruling(actor: Any, dispute_id: UUID = raised.id, reason: str = "查过") -> Callable[[Session], Any]:
        return lambda s: clearing.rule_dispute(s, actor=actor, dispute_id=dispute_id, ruling="moved", reason=reason)

    refused(bank, "district_only", ruling(steward(DAYAN)))
    refused(bank, "dispute_unknown", ruling(district(), new_id()))
    refused(bank, "reason_needed", ruling(district(), reason=""))
    rule(bank, raised, "stays")
    refused(bank, "dispute_already_ruled", ruling(district()))
