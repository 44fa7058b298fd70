"""Positions, the matrix and single lines: by the window in which something was redeemed, always summing to zero."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.factories.minutes import save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk, district
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, ask, confirm, serve
from tests.factories.vouchers import bought, scan
from timebank.clearing.actions import close_window, tally_new_movements
from timebank.clearing.queries import Line, matrix, open_window, positions
from timebank.clearing.queries import lines as lines_of
from timebank.core import clock
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import NotFound

APRIL = datetime(2026, 4, 1, tzinfo=LOCAL)
MOMENT = timedelta(microseconds=1)


def owed(bank: Database, window_name: str | None) -> dict[str, int]:
    with bank.session() as session:
        _, found = positions(session, window_name=window_name)
    assert len(found) == 12
    assert sum(position.position_minutes for position in found) == 0
    return {p.township_code: p.position_minutes for p in found if p.position_minutes}


def owing(bank: Database, window_name: str | None) -> dict[tuple[str, str], tuple[int, int]]:
    with bank.session() as session:
        _, lines = matrix(session, window_name=window_name)
    return {(x.debtor_township_code, x.creditor_township_code): (x.minutes, x.transfers) for x in lines}


def eat(bank: Database, township_code: str, *, at: datetime, meals: int = 1) -> None:
    """Vouchers of 尚田, bought at nine, eaten somewhere at some time."""
    clock.freeze(NINE)
    _, vouchers = bought(bank, meals)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, township_code))
    clock.freeze(at)
    for voucher in vouchers:
        assert scan(bank, counter, voucher.code).verdict.accepted


def test_buying_owes_nothing_and_eating_does(bank: Database) -> None:
    clock.freeze(NINE)
    bought(bank)
    assert owing(bank, None) == {}
    eat(bank, DAYAN, at=NINE)
    assert owing(bank, None) == {(SHANGTIAN, DAYAN): (60, 1)}
    assert owed(bank, None) == {SHANGTIAN: -60, DAYAN: 60}


def close(bank: Database, name: str, at: datetime | None = None) -> None:
    if at is not None:
        clock.freeze(at)
    with bank.unit_of_work() as session:
        close_window(session, actor=district(), window_name=name)


def test_what_comes_after_the_closing_is_in_the_next_window(bank: Database) -> None:
    eat(bank, DAYAN, at=APRIL - MOMENT)
    close(bank, "2026-03", APRIL)
    eat(bank, XIWU, at=APRIL)
    assert owed(bank, "2026-03") == {SHANGTIAN: -60, DAYAN: 60}
    assert owed(bank, "2026-04") == {SHANGTIAN: -60, XIWU: 60}
    assert owed(bank, None) == owed(bank, "2026-04")
    assert owed(bank, "all") == {SHANGTIAN: -120, DAYAN: 60, XIWU: 60}


@pytest.mark.parametrize("tallied", [0, 1, 2])
def test_the_tally_and_its_tail_make_the_same_as_either_alone(bank: Database, tallied: int) -> None:
    for number in range(2):
        eat(bank, (DAYAN, XIWU)[number], at=NINE, meals=2)
        if number < tallied:
            with bank.unit_of_work() as session:
                assert tally_new_movements(session) > 0
    assert owing(bank, None) == {(SHANGTIAN, DAYAN): (120, 2), (SHANGTIAN, XIWU): (120, 2)}
    assert owing(bank, "all") == owing(bank, None)


def test_debts_both_ways_stand_in_the_matrix_and_cancel_in_the_position(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, DAYAN)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    confirm(bank, elder, task)
    eat(bank, DAYAN, at=clock.now(), meals=3)
    assert owing(bank, None) == {(DAYAN, SHANGTIAN): (60, 1), (SHANGTIAN, DAYAN): (180, 3)}
    assert owed(bank, None) == {SHANGTIAN: -120, DAYAN: 120}


def test_help_within_a_township_is_owed_by_nobody(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, XIWU), add_elder(session, XIWU)
        save_minutes(session, elder, 30)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    confirm(bank, elder, task)
    assert (owing(bank, None), owed(bank, None)) == ({}, {})


def test_limits_and_debts_are_those_of_now_also_where_the_window_is_an_old_one(bank: Database) -> None:
    eat(bank, DAYAN, at=NINE, meals=2)
    close(bank, "2026-03", APRIL)
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 60, township_code=SHANGTIAN)
        change_policy(session, "position_hard_limit_minutes", 120, township_code=SHANGTIAN)
    for name in ("2026-03", None):
        with bank.session() as session:
            _, found = positions(session, window_name=name)
        of = next(p for p in found if p.township_code == SHANGTIAN)
        assert (of.owed_minutes, of.soft_limit_minutes, of.hard_limit_minutes, of.limit_state) == (120, 60, 120, "hard")


def test_a_window_that_does_not_exist_is_refused(bank: Database) -> None:
    for name in ("2019-05", "2026-04", "x"):
        with pytest.raises(NotFound, match="window_unknown:"), bank.session() as session:
            positions(session, window_name=name)


def test_a_positions_fen_follow_the_price_of_what_was_done(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        change_policy(session, "reference_price_fen_per_hour", {"meal": 1800, "care": 3000, "aid": 900})
    eat(bank, DAYAN, at=NINE, meals=2)
    with bank.session() as session:
        _, found = positions(session, window_name=None)
        _, lines = matrix(session, window_name=None)
    assert {p.township_code: p.position_fen for p in found if p.position_fen} == {SHANGTIAN: -3600, DAYAN: 3600}
    assert [(part.price_kind, part.minutes, part.fen) for part in lines[0].parts] == [("meal", 120, 3600)]


def test_every_line_behind_a_position_can_be_seen_page_by_page(bank: Database) -> None:
    eat(bank, DAYAN, at=NINE, meals=5)
    for code, sign in ((SHANGTIAN, -1), (DAYAN, 1)):
        seen: list[Line] = []
        while True:
            with bank.session() as session:
                found = lines_of(session, open_window(session), code, limit=2, after_seq=seen[-1].seq if seen else None)
            seen += found
            if len(found) < 2:
                break
        assert [(line.minutes, line.kind, line.person_name) for line in seen] == [
            (sign * 60, "voucher_redemption", "王*")
        ] * 5
        assert len({line.transfer_id for line in seen}) == 5
        assert {line.counterpart_township_code for line in seen} == {DAYAN if code == SHANGTIAN else SHANGTIAN}
