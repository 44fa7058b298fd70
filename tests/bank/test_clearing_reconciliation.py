"""A township's own list against the books: what matches, what does not, who is to look into it, and for how long."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.factories.clearing import close, eat
from tests.factories.lists import breaks_seen_by, credit, hand_in, workbook
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, staff, steward
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.clearing.queries import reconciliations
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError, NotAllowed, NotFound, Refused
from timebank.core.sorting import Part
from timebank.ledger.rules import second_leg_id
from timebank.notifications.models import Notice
from timebank.people.models import Person

DAY = "2026-03-10"
NONE_FOUND = {"missing_here": 0, "missing_there": 0, "amount": 0, "duplicate": 0, "window": 0}
APRIL = datetime(2026, 4, 1, tzinfo=LOCAL)


@pytest.fixture
def volunteer(bank: Database) -> Actor:
    """王梅 of 西坞, who helps in 大堰 and 尚田; the clock stands at nine on 10 March."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return add_person(session, XIWU)


def test_a_list_that_agrees_leaves_no_break(bank: Database, volunteer: Actor) -> None:
    first, second = credit(bank, DAYAN, volunteer), credit(bank, SHANGTIAN, volunteer, 90)
    rows = [[str(first), DAY, "大堰", 60], [str(second_leg_id(second)), "2026年3月9日", None, "90分钟"]]
    made = hand_in(bank, XIWU, workbook(rows, ["划转编号", "日期", "对方镇街", "分钟"]))
    assert (made.rows, made.matched, made.found, made.unreadable) == (2, 2, NONE_FOUND, [])
    assert breaks_seen_by(bank, district(), open_only=False) == []


def test_the_other_side_lists_the_same_movement_as_owed_by_it(bank: Database, volunteer: Actor) -> None:
    credit(bank, DAYAN, volunteer)
    rows = [[DAY, "王梅", "西坞街道", "应付", 1]]
    made = hand_in(bank, DAYAN, workbook(rows, ["日期", "人员", "对方镇街", "方向", "时长（小时）"]))
    assert (made.matched, made.found) == (1, NONE_FOUND)


def test_a_meal_is_matched_by_its_holders_identity_number(bank: Database, volunteer: Actor) -> None:
    eat(bank, DAYAN)
    with bank.session() as session:
        holder = session.scalars(select(Person).where(Person.township_code == SHANGTIAN)).one()
    rows = [[DAY, "名字写错", holder.id_number.lower(), -60]]
    made = hand_in(bank, SHANGTIAN, workbook(rows, ["日期", "姓名", "身份证号", "分钟"]))
    assert (made.matched, made.found) == (1, NONE_FOUND)


def test_every_kind_of_break_is_listed_with_its_owner(bank: Database, volunteer: Actor) -> None:
    agreed, wrong = credit(bank, DAYAN, volunteer, 60), credit(bank, SHANGTIAN, volunteer, 90)
    only_ours = credit(bank, DAYAN, volunteer, 45)
    close(bank, APRIL)
    clock.freeze(APRIL + timedelta(hours=9))
    later = credit(bank, DAYAN, volunteer, 30, on=NINE)
    rows = [
        [DAY, "王梅", "大堰镇", 60],
        [DAY, "王梅", "大堰镇", 60],
        [DAY, "王梅", "尚田街道", 120],
        [DAY, "陈不在", "大堰镇", 75],
        [DAY, "陈不在", None, 80],
        [DAY, "王梅", "大堰镇", 30],
    ]
    made = hand_in(bank, XIWU, workbook(rows))
    assert (made.preliminary, made.rows, made.matched) == (False, 6, 1)
    assert made.found == {"missing_here": 2, "missing_there": 1, "amount": 1, "duplicate": 1, "window": 1}
    found = breaks_seen_by(bank, district())
    assert [(b.type, b.row, b.minutes_here, b.minutes_there, b.owner_township_code) for b in found] == [
        ("duplicate", 3, None, 60, XIWU),
        ("amount", 4, 90, 120, SHANGTIAN),
        ("missing_here", 5, None, 75, DAYAN),
        ("missing_here", 6, None, 80, None),
        ("window", 7, 30, 30, XIWU),
        ("missing_there", None, 45, None, XIWU),
    ]
    assert [b.transfer_id for b in found] == [agreed, wrong, None, None, later, only_ours]
    assert [b.other_window for b in found] == [None] * 4 + ["2026-04", None]
    assert [b.person_name for b in found] == ["王*", "王*", "陈**", "陈**", "王*", "王*"]
    assert {b.window for b in found} == {"2026-03"}


def test_a_row_that_gives_the_id_of_another_windows_line_is_in_the_wrong_window(
    bank: Database, volunteer: Actor
) -> None:
    named = credit(bank, DAYAN, volunteer)
    close(bank, APRIL)
    rows = [[str(named), "2026-04-01", 60]]
    hand_in(bank, XIWU, workbook(rows, ["编号", "日期", "分钟"]), window="2026-04")
    (found,) = breaks_seen_by(bank, steward(XIWU))
    assert (found.type, found.transfer_id, found.other_window, found.window) == ("window", named, "2026-03", "2026-04")


def test_an_open_window_is_reconciled_for_the_time_being(bank: Database, volunteer: Actor) -> None:
    content = workbook([[DAY, "王梅", "大堰镇", 60]])
    assert hand_in(bank, XIWU, content).preliminary
    credit(bank, DAYAN, volunteer)
    close(bank, APRIL)
    final = hand_in(bank, XIWU, content)
    assert (final.preliminary, final.matched, final.found) == (False, 1, NONE_FOUND)
    (ended,) = breaks_seen_by(bank, district(), open_only=False)
    assert (ended.ended_reason, ended.age_days) == ("books_changed", 22)


def test_rows_that_nobody_can_read_are_told_and_break_nothing(bank: Database, volunteer: Actor) -> None:
    rows = [
        ["某天", "王梅", "大堰镇", 60],
        [DAY, "王梅", "大堰镇", 0],
        [DAY, "王梅", "大堰镇", 1.5],
        [DAY, "王梅", "上海", 60],
        ["合计", None, None, 120],
    ]
    made = hand_in(bank, XIWU, workbook(rows))
    assert (made.rows, made.matched, made.found) == (4, 0, NONE_FOUND)
    assert made.unreadable == [
        {"row": 2, "reason": "day_unreadable"},
        {"row": 3, "reason": "minutes_unreadable"},
        {"row": 4, "reason": "minutes_unreadable"},
        {"row": 5, "reason": "counterpart_unknown"},
    ]


def test_the_same_file_again_changes_nothing_and_answers_the_same(bank: Database, volunteer: Actor) -> None:
    credit(bank, DAYAN, volunteer)
    content = workbook([[DAY, "王梅", "尚田街道", 45]])
    first = hand_in(bank, XIWU, content)
    before = breaks_seen_by(bank, district())
    clock.freeze(NINE + timedelta(days=2))
    again = hand_in(bank, XIWU, content, file_name="另存.xlsx")
    assert again == first
    assert [b.age_days for b in breaks_seen_by(bank, district())] == [2, 2]
    assert [b.break_id for b in breaks_seen_by(bank, district())] == [b.break_id for b in before]
    # For another township it is another list.
    assert hand_in(bank, DAYAN, content).reconciliation_id != first.reconciliation_id


def test_going_back_to_an_earlier_file_ends_the_break_that_a_later_one_opened(bank: Database, volunteer: Actor) -> None:
    credit(bank, DAYAN, volunteer)
    right = [DAY, "王梅", "大堰镇", 60]
    earlier, later = workbook([right]), workbook([right, [DAY, "陈不在", "大堰镇", 75]])
    first, second = hand_in(bank, XIWU, earlier), hand_in(bank, XIWU, later)
    assert [b.type for b in breaks_seen_by(bank, district())] == ["missing_here"]
    clock.freeze(NINE + timedelta(days=1))
    back = hand_in(bank, XIWU, earlier)
    assert back.reconciliation_id not in (first.reconciliation_id, second.reconciliation_id)
    assert (back.matched, back.found, back.uploaded_at) == (1, NONE_FOUND, clock.now())
    (ended,) = breaks_seen_by(bank, district(), open_only=False)
    assert (ended.ended_at, ended.ended_reason) == (clock.now(), "list_corrected")
    # Now that one is the newest.
    assert hand_in(bank, XIWU, earlier) == back


def test_the_same_file_after_the_books_changed_is_matched_anew(bank: Database, volunteer: Actor) -> None:
    content = workbook([[DAY, "王梅", "大堰镇", 60]])
    first = hand_in(bank, XIWU, content)
    assert (first.matched, first.found["missing_here"]) == (0, 1)
    credit(bank, DAYAN, volunteer)
    matched = hand_in(bank, XIWU, content)
    assert (matched.matched, matched.found) == (1, NONE_FOUND)
    credit(bank, SHANGTIAN, volunteer, 30)
    # As many rows match as before, but the books have a line more.
    more = hand_in(bank, XIWU, content)
    assert (more.matched, more.found["missing_there"]) == (1, 1)
    assert len({one.reconciliation_id for one in (first, matched, more)}) == 3
    assert [(b.type, b.ended_reason) for b in breaks_seen_by(bank, district(), open_only=False)] == [
        ("missing_here", "books_changed"),
        ("missing_there", None),
    ]
    assert hand_in(bank, XIWU, content) == more


def test_what_a_new_list_still_shows_stays_as_old_as_it_is_and_what_it_corrects_is_ended(
    bank: Database, volunteer: Actor
) -> None:
    credit(bank, DAYAN, volunteer)
    wrong, missing = [DAY, "王梅", "大堰镇", 90], [DAY, "陈不在", "大堰镇", 75]
    hand_in(bank, XIWU, workbook([wrong, missing, missing]))
    old = {b.row: b for b in breaks_seen_by(bank, district())}
    assert {row: b.type for row, b in old.items()} == {2: "amount", 3: "missing_here", 4: "missing_here"}
    clock.freeze(NINE + timedelta(days=3))
    made = hand_in(bank, XIWU, workbook([missing, [DAY, "王梅", "大堰镇", 60]]))
    assert (made.matched, made.found["missing_here"]) == (1, 1)
    (still,) = breaks_seen_by(bank, district())
    assert (still.break_id, still.opened_at, still.age_days, still.row) == (old[3].break_id, NINE, 3, 2)
    ended = [b for b in breaks_seen_by(bank, district(), open_only=False) if b.ended_at]
    assert [(b.break_id, b.ended_reason) for b in ended] == [
        (old[2].break_id, "list_corrected"),
        (old[4].break_id, "list_corrected"),
    ]
    clock.freeze(NINE + timedelta(days=5))
    hand_in(bank, XIWU, workbook([missing, missing, [DAY, "王梅", "大堰镇", 60]]))
    assert [(b.row, b.age_days) for b in breaks_seen_by(bank, district())] == [(2, 5), (3, 0)]


def test_a_line_that_the_next_list_has_is_no_break_any_more(bank: Database, volunteer: Actor) -> None:
    credit(bank, DAYAN, volunteer)
    hand_in(bank, XIWU, workbook([[DAY, "陈不在", None, 15]]))
    hand_in(bank, XIWU, workbook([[DAY, "王梅", "大堰", 60]]))
    found = breaks_seen_by(bank, district(), open_only=False)
    assert {b.type: b.ended_reason for b in found} == {
        "missing_here": "list_corrected",
        "missing_there": "list_corrected",
    }


def test_owners_are_told_of_new_breaks_only(bank: Database, volunteer: Actor) -> None:
    rows = [[DAY, "陈不在", "大堰", 75], [DAY, "陈不在", None, 80]]
    hand_in(bank, XIWU, workbook(rows))
    hand_in(bank, XIWU, workbook([*rows, ["合计"]]))
    with bank.session() as session:
        told = session.scalars(select(Notice).where(Notice.title == "2026-03 往来核对有差异")).all()
        deeds = session.scalars(select(AuditEntry).where(AuditEntry.action == "list_reconciled")).all()
    assert {notice.township_code for notice in told} == {DAYAN, None}
    assert len(told) == 2
    assert all("西坞街道" in notice.body and "清单有，账上无 1 项" in notice.body for notice in told)
    assert [(deed.facts["rows"], deed.facts["found"]) for deed in deeds] == [(2, {"missing_here": 2})] * 2
    assert "陈" not in str([deed.facts for deed in deeds])


def test_a_township_sees_the_breaks_of_its_lists_and_those_it_owns(bank: Database, volunteer: Actor) -> None:
    hand_in(bank, XIWU, workbook([[DAY, "陈不在", "大堰", 75], [DAY, "陈不在", "尚田", 80]]))
    hand_in(bank, DAYAN, workbook([[DAY, "陈不在", "尚田", 10]]))

    def seen(actor: Actor) -> list[int | None]:
        return [b.minutes_there for b in breaks_seen_by(bank, actor)]

    assert seen(steward(XIWU)) == [75, 80]
    assert seen(steward(DAYAN)) == [75, 10]
    assert seen(steward(SHANGTIAN)) == [80, 10]
    assert seen(district()) == seen(staff(StaffRole.AUDITOR)) == [75, 80, 10]
    with bank.session() as session:
        assert [r.township_code for r in reconciliations(session, steward(DAYAN), part=Part(9)).items] == [DAYAN]
        assert [r.township_code for r in reconciliations(session, district(), part=Part(9)).items] == [DAYAN, XIWU]
        with pytest.raises(NotAllowed, match="books_not_yours:"):
            reconciliations(session, volunteer, part=Part(9))
    with pytest.raises(NotAllowed, match="books_not_yours:"):
        seen(volunteer)


@pytest.mark.parametrize(
    ("actor", "whose", "window", "refusal", "code"),
    [
        (steward(DAYAN), XIWU, "2026-03", NotAllowed, "other_township"),
        (staff(StaffRole.AUDITOR), XIWU, "2026-03", NotAllowed, "steward_only"),
        (staff(StaffRole.CANTEEN_CLERK, XIWU), XIWU, "2026-03", NotAllowed, "steward_only"),
        (district(), "330213999", "2026-03", Refused, "township_unknown"),
        (district(), XIWU, "2031-01", NotFound, "window_unknown"),
    ],
)
def test_whoever_may_not_hand_it_in_is_refused_before_the_file_is_looked_at(
    bank: Database, actor: Actor, whose: str, window: str, refusal: type[BankError], code: str
) -> None:
    with pytest.raises(refusal, match=f"{code}:"):
        hand_in(bank, whose, b"no workbook at all", window=window, actor=actor)


def test_a_file_that_is_no_list_is_refused_with_what_is_wrong(bank: Database) -> None:
    clock.freeze(NINE)
    for content, code in (
        (b"no workbook at all", "workbook_not_excel"),
        (workbook([])[:-300], "workbook_damaged"),
        (workbook([], ["日期", "时长"]), "column_missing"),
        (workbook([], ["姓名", "分钟"]), "column_missing"),
    ):
        with pytest.raises(Refused, match=f"{code}:") as refused:
            hand_in(bank, XIWU, content)
        if code == "column_missing":
            assert "“往来”" in refused.value.title
    assert breaks_seen_by(bank, district(), open_only=False) == []
