"""Lists and what goes on beside them: windows settled and carried over, lines moved, two who hand in at once."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import func, select, text

from tests.factories.clearing import close, confirm_all, settle
from tests.factories.lists import breaks_seen_by, credit, hand_in, workbook
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from timebank.clearing.actions import dispute_line, rule_dispute
from timebank.clearing.reconciliation_models import Break, Reconciliation
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.importing.actions import reconcile_workbook

DAY = "2026-03-10"
APRIL = datetime(2026, 4, 1, tzinfo=LOCAL)
CARRIED = """SELECT id, amount FROM ledger_transfer
WHERE kind = 'carried_care' AND :township_code IN (book_code, counterpart_book_code)"""


@pytest.fixture
def volunteer(bank: Database) -> Actor:
    """王梅 of 西坞; the clock stands at nine on 10 March."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return add_person(session, XIWU)


def test_minutes_carried_over_are_in_nobodys_list(bank: Database, volunteer: Actor) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "clearing_settlement_method", "carry")
    credit(bank, DAYAN, volunteer)
    window = close(bank, APRIL)
    confirm_all(bank, window)
    settle(bank, window)
    with bank.session() as session:
        carried = session.execute(text(CARRIED), {"township_code": XIWU}).all()
    assert len(carried) == 2
    made = hand_in(bank, XIWU, workbook([]), window="2026-04")
    assert sum(made.found.values()) == 0
    ids = [[str(row.id), "2026-04-01", "区清算中心", row.amount] for row in carried]
    heading = ["划转编号", "日期", "对方", "分钟"]
    # Both legs name one line.
    made = hand_in(bank, XIWU, workbook(ids, heading), window="2026-04")
    assert (made.matched, made.found["duplicate"], sum(made.found.values())) == (1, 1, 1)


def test_a_settled_window_is_reconciled_like_a_closed_one(bank: Database, volunteer: Actor) -> None:
    credit(bank, DAYAN, volunteer)
    window = close(bank, APRIL)
    confirm_all(bank, window)
    settle(bank, window)
    made = hand_in(bank, XIWU, workbook([[DAY, "王梅", "大堰", 60], [DAY, "王梅", "大堰", 20]]), window=window)
    assert (made.preliminary, made.matched, made.found["missing_here"]) == (False, 1, 1)


def test_a_line_that_was_moved_is_a_line_of_its_new_window(bank: Database, volunteer: Actor) -> None:
    line = credit(bank, DAYAN, volunteer)
    close(bank, APRIL)
    hand_in(bank, XIWU, workbook([]))
    assert [b.type for b in breaks_seen_by(bank, district())] == ["missing_there"]
    with bank.unit_of_work() as session:
        dispute = dispute_line(session, actor=steward(XIWU), window_name="2026-03", transfer_id=line, reason="属下月")
        rule_dispute(session, actor=district(), dispute_id=dispute.id, ruling="moved", reason="同意")
    hand_in(bank, XIWU, workbook([["合计"]]))
    (ended,) = breaks_seen_by(bank, district(), open_only=False)
    assert ended.ended_reason == "books_changed"
    row = [DAY, "王梅", "大堰", 60]
    assert hand_in(bank, XIWU, workbook([row]), window="2026-04").matched == 1
    hand_in(bank, XIWU, workbook([[str(line), DAY, 60]], ["编号", "日期", "分钟"]), window="2026-03")
    (elsewhere,) = breaks_seen_by(bank, district())
    assert (elsewhere.type, elsewhere.other_window, elsewhere.transfer_id) == ("window", "2026-04", line)


def test_a_duplicate_ends_when_the_second_movement_is_posted_or_the_second_row_is_gone(
    bank: Database, volunteer: Actor
) -> None:
    credit(bank, DAYAN, volunteer)
    row = [DAY, "王梅", "大堰", 60]
    hand_in(bank, XIWU, workbook([row, row, row]))
    assert [(b.type, b.row) for b in breaks_seen_by(bank, district())] == [("duplicate", 3), ("duplicate", 4)]
    credit(bank, DAYAN, volunteer)
    hand_in(bank, XIWU, workbook([row, row]))
    ended = breaks_seen_by(bank, district(), open_only=False)
    assert [b.ended_reason for b in ended] == ["books_changed", "list_corrected"]


def test_a_movement_of_two_others_is_nobodys_line_here(bank: Database, volunteer: Actor) -> None:
    with bank.unit_of_work() as session:
        other = add_person(session, DAYAN)
    theirs = credit(bank, SHANGTIAN, other)
    rows = [[str(theirs), DAY, 60]]
    made = hand_in(bank, XIWU, workbook(rows, ["编号", "日期", "分钟"]))
    assert made.found["missing_here"] == 1
    (found,) = breaks_seen_by(bank, district())
    assert (found.transfer_id, found.person_name, found.other_window) == (None, None, None)


def test_two_who_hand_the_same_file_in_at_once_get_one_answer(bank: Database, volunteer: Actor) -> None:
    content = workbook([[DAY, "王梅", "大堰", 60 + n] for n in range(20)])
    calls = [
        partial(
            reconcile_workbook,
            actor=actor,
            window_name="2026-03",
            content=content,
            file_name="x.xlsx",
            township_code=XIWU,
        )
        for actor in (steward(XIWU), district(), steward(XIWU))
    ]
    answers = at_once(bank, calls)
    assert len({answer.id for answer in answers if isinstance(answer, Reconciliation)}) == 1
    assert len(answers) == 3
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(Break)) == 20


def test_two_lists_at_once_leave_the_breaks_of_one_after_the_other(bank: Database, volunteer: Actor) -> None:
    rows = [[DAY, "王梅", "大堰", 60 + n] for n in range(20)]
    lists = [workbook(rows[:15]), workbook(rows[5:])]
    calls = [
        partial(reconcile_workbook, actor=steward(XIWU), window_name="2026-03", content=content, file_name="x.xlsx")
        for content in lists
    ]
    assert all(isinstance(answer, Reconciliation) for answer in at_once(bank, calls))
    found = breaks_seen_by(bank, district(), open_only=False)
    assert len(found) == 20
    assert [b.ended_reason for b in found if b.ended_at] == ["list_corrected"] * 5
    clock.freeze(NINE + timedelta(days=1))
    assert {b.age_days for b in breaks_seen_by(bank, district())} == {1}
