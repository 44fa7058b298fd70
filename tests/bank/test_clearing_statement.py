"""The statement of one township in one window: always the sums that make its position, with every line behind them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

from tests.factories.clearing import close, confirm_all, eat, payments_of, settle, transfer_of
from tests.factories.people import (
    DAYAN,
    SHANGTIAN,
    XIWU,
    add_canteen,
    add_elder,
    add_person,
    clerk,
    district,
    steward,
)
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, ask, confirm, serve
from tests.factories.vouchers import bought
from timebank.clearing import actions as clearing
from timebank.clearing.queries import StatementView, every_line, find_window, lines, positions, statement
from timebank.clearing.queries import statements as module
from timebank.clearing.queries.statement_view import BothWays
from timebank.clearing.statement_words import standing_text
from timebank.core import clock
from timebank.core.clock import LOCAL
from timebank.core.db import Database, of_one_moment
from timebank.core.errors import Conflict
from timebank.ledger.rules import Leg
from timebank.redemption.actions import redeem_vouchers
from timebank.redemption.rules import Scan

posting = import_module("timebank.ledger.actions.post")

APRIL = datetime(2026, 4, 1, tzinfo=LOCAL)
PRICES = {"meal": 1755, "care": 3000, "aid": 900}


def drawn_up(bank: Database, township_code: str, window: str | None = None) -> StatementView:
    with bank.session() as session:
        return statement(session, find_window(session, window), township_code)


def help_elder_of(bank: Database, township_code: str, *, minutes: int) -> None:
    """Somebody of 尚田 helps an elder elsewhere."""
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, township_code)
        task = ask(session, elder, minutes=minutes)
    serve(bank, volunteer, task, minutes=minutes)
    confirm(bank, elder, task)


def busy_month(bank: Database) -> None:
    """尚田 eats three times in 大堰 and once in 西坞, 西坞 eats twice in 尚田, 尚田 helps for 45 minutes in 大堰."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        change_policy(session, "reference_price_fen_per_hour", PRICES)
    eat(bank, DAYAN, meals=3)
    eat(bank, XIWU)
    eat(bank, SHANGTIAN, meals=2, of=XIWU)
    help_elder_of(bank, DAYAN, minutes=45)


def ways(both: BothWays) -> tuple[object, ...]:
    """Given and received as (transfers, minutes, fen), then the net."""
    given, received = both.given, both.received
    return (
        (given.transfers, given.minutes, given.fen),
        (received.transfers, received.minutes, received.fen),
        (both.net_minutes, both.net_fen),
    )


def test_a_statement_says_by_price_and_counterpart_what_was_given_and_received(bank: Database) -> None:
    busy_month(bank)
    said = drawn_up(bank, SHANGTIAN)
    assert {total.price_kind: ways(total) for total in said.kinds} == {
        "meal": ((2, 120, 3510), (4, 240, 7020), (-120, -3510)),
        "care": ((1, 45, 2250), (0, 0, 0), (45, 2250)),
        "aid": ((0, 0, 0), (0, 0, 0), (0, 0)),
    }
    assert ways(said.total) == ((3, 165, 5760), (4, 240, 7020), (-75, -1260))
    assert (said.position_minutes, said.position_fen) == (-75, -1260)
    assert {(one.counterpart_township_code, one.counterpart_name): ways(one) for one in said.counterparts} == {
        (XIWU, "西坞街道"): ((2, 120, 3510), (1, 60, 1755), (60, 1755)),
        (DAYAN, "大堰镇"): ((1, 45, 2250), (3, 180, 5265), (-135, -3015)),
    }
    assert [[part.price_kind for part in one.parts] for one in said.counterparts] == [["meal"], ["meal", "care"]]
    assert (said.township_name, said.prices_fen_per_hour) == ("尚田街道", PRICES)
    assert said.file_stem == "对账单-尚田街道-2026-03"


@pytest.mark.parametrize("stage", ["open", "closed", "settled"])
def test_the_position_of_a_statement_is_the_townships_position(bank: Database, stage: str) -> None:
    busy_month(bank)
    if stage != "open":
        close(bank, APRIL)
        with bank.unit_of_work() as session:
            change_policy(session, "reference_price_fen_per_hour", {"meal": 9999, "care": 9999, "aid": 9999})
    if stage == "settled":
        confirm_all(bank, "2026-03")
        settle(bank, "2026-03")
    with bank.session() as session:
        window, found = positions(session, window_name="2026-03")
        assert window is not None
        assert window.status == stage
        drawn = {one.township_code: statement(session, window, one.township_code) for one in found}
    stands = {one.township_code: (one.position_minutes, one.position_fen) for one in found}
    assert {code: (said.position_minutes, said.position_fen) for code, said in drawn.items()} == stands
    assert stands[SHANGTIAN] == (-75, -1260)
    assert [said.prices_fen_per_hour for said in drawn.values()] == [PRICES] * 12
    # What everybody gave, everybody received.
    assert sum(said.total.given.minutes for said in drawn.values()) == 405
    assert sum(said.total.received.minutes for said in drawn.values()) == 405


def test_a_township_without_anything_has_an_empty_statement(bank: Database) -> None:
    clock.freeze(NINE)
    said = drawn_up(bank, XIWU)
    assert ways(said.total) == ((0, 0, 0), (0, 0, 0), (0, 0))
    assert (said.counterparts, said.disputes, said.moved_in, said.moved_out) == ([], [], [], [])
    assert (said.confirmation, said.settlement, said.seal) == (None, None, None)


def test_the_seal_is_none_then_provisional_then_final(bank: Database) -> None:
    busy_month(bank)
    assert (drawn_up(bank, DAYAN).seal, drawn_up(bank, DAYAN).seal_is_final) == (None, False)
    close(bank, APRIL)
    closed = drawn_up(bank, DAYAN, "2026-03")
    assert closed.seal is not None
    assert (len(closed.seal), closed.seal_is_final) == (64, False)
    confirm_all(bank, "2026-03")
    settle(bank, "2026-03")
    settled = drawn_up(bank, DAYAN, "2026-03")
    assert (settled.seal, settled.seal_is_final) == (closed.seal, True)
    assert settled.window.seal == settled.seal


def test_a_moved_line_leaves_one_statement_and_comes_into_the_next(bank: Database) -> None:
    busy_month(bank)
    line = transfer_of(bank, eat(bank, DAYAN))
    close(bank, APRIL)
    clock.freeze(APRIL + timedelta(days=1))
    with bank.unit_of_work() as session:
        dispute = clearing.dispute_line(
            session, actor=steward(SHANGTIAN), window_name="2026-03", transfer_id=line, reason="当天住院"
        )
    raised = drawn_up(bank, SHANGTIAN, "2026-03")
    assert [(one.reason, one.minutes, one.ruling, one.ruled_at) for one in raised.disputes] == [
        ("当天住院", -60, None, None)
    ]
    before = raised.seal
    with bank.unit_of_work() as session:
        clearing.rule_dispute(session, actor=district(), dispute_id=dispute.id, ruling="moved", reason="属实")
    for code, counterpart, minutes in ((SHANGTIAN, DAYAN, -60), (DAYAN, SHANGTIAN, 60)):
        left, came = drawn_up(bank, code, "2026-03"), drawn_up(bank, code, "2026-04")
        for moved in (*left.moved_out, *came.moved_in):
            assert (moved.transfer_id, moved.minutes, moved.counterpart_township_code) == (line, minutes, counterpart)
            assert (moved.from_window, moved.to_window) == ("2026-03", "2026-04")
        assert (len(left.moved_out), len(left.moved_in), len(came.moved_in), len(came.moved_out)) == (1, 0, 1, 0)
        assert came.position_minutes == minutes
        [ruled] = left.disputes
        assert (ruled.raised_by_township_code, ruled.minutes, ruled.ruling_name) == (SHANGTIAN, minutes, "移入下一周期")
        assert came.disputes == []
    assert drawn_up(bank, SHANGTIAN, "2026-03").position_minutes == -75
    assert drawn_up(bank, SHANGTIAN, "2026-03").seal != before
    assert drawn_up(bank, XIWU, "2026-03").disputes == []


def test_confirmation_and_payments_stand_on_the_townships_own_statement(bank: Database) -> None:
    busy_month(bank)
    close(bank, APRIL)
    with bank.unit_of_work() as session:
        clearing.confirm_statement(
            session, actor=district(), window_name="2026-03", township_code=DAYAN, note="电话确认"
        )
    assert drawn_up(bank, SHANGTIAN, "2026-03").confirmation is None
    confirmation = drawn_up(bank, DAYAN, "2026-03").confirmation
    assert confirmation is not None
    assert (confirmation.confirmed_at, confirmation.note) == (APRIL, "电话确认")
    for code in (SHANGTIAN, XIWU):
        with bank.unit_of_work() as session:
            clearing.confirm_statement(session, actor=steward(code), window_name="2026-03")
    settle(bank, "2026-03")
    first = payments_of(bank, "2026-03")[SHANGTIAN]
    with bank.unit_of_work() as session:
        clearing.payment_failed(session, actor=district(), payment_id=first.id, problem="账号有误")
    with bank.unit_of_work() as session:
        again = clearing.instruct_again(session, actor=district(), payment_id=first.id)
    with bank.unit_of_work() as session:
        clearing.payment_paid(session, actor=district(), payment_id=again.id, outside_reference="ICBC-1")
    settlement = drawn_up(bank, SHANGTIAN, "2026-03").settlement
    assert settlement is not None
    assert (settlement.method_name, settlement.carried_into) == ("付款结算", None)
    assert [(p.attempt, p.direction_name, p.amount_fen, p.state_name) for p in settlement.payments] == [
        (1, "付款", 1260, "支付失败"),
        (2, "付款", 1260, "已支付"),
    ]
    assert [(p.problem, p.outside_reference) for p in settlement.payments] == [("账号有误", None), (None, "ICBC-1")]
    received = drawn_up(bank, DAYAN, "2026-03").settlement
    assert received is not None
    assert [(p.direction, p.amount_fen) for p in received.payments] == [("receive", 3015)]


def test_a_statement_shows_how_its_township_stands_against_its_limits(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 60, township_code=SHANGTIAN)
    eat(bank, DAYAN)
    for name, state in ((SHANGTIAN, "已到软限额"), (DAYAN, "在限额内")):
        with bank.session() as session:
            said = statement(session, find_window(session, None), name)
        assert said.standing is not None
        assert (said.standing.owed_minutes, said.standing.limit_state_name) == (60 if name == SHANGTIAN else -60, state)
        assert state in standing_text(said)
    window = close(bank)
    confirm_all(bank, window)
    settle(bank, window)
    with bank.session() as session:
        assert statement(session, find_window(session, window), SHANGTIAN).standing is None


def test_an_aborted_settlement_stands_on_no_statement(bank: Database) -> None:
    busy_month(bank)
    close(bank, APRIL)
    confirm_all(bank, "2026-03")
    settle(bank, "2026-03")
    with bank.unit_of_work() as session:
        clearing.abort_settlement(session, actor=district(), window_name="2026-03", reason="账号有误")
    said = drawn_up(bank, DAYAN, "2026-03")
    assert (said.settlement, said.seal_is_final, said.window.status) == (None, False, "under_review")


def test_what_is_carried_over_is_owed_to_or_by_the_house(bank: Database) -> None:
    busy_month(bank)
    close(bank, APRIL)
    confirm_all(bank, "2026-03")
    with bank.unit_of_work() as session:
        change_policy(session, "clearing_settlement_method", "carry")
    settle(bank, "2026-03")
    settled = drawn_up(bank, SHANGTIAN, "2026-03").settlement
    assert settled is not None
    assert (settled.method, settled.carried_into, settled.payments) == ("carry", "2026-04", [])
    said = drawn_up(bank, SHANGTIAN, "2026-04")
    assert [(one.counterpart_name, ways(one)) for one in said.counterparts] == [
        ("区清算中心", ((1, 45, 2250), (1, 120, 3510), (-75, -1260)))
    ]
    with bank.session() as session:
        found = list(every_line(session, find_window(session, "2026-04"), said))
    assert [(line.counterpart_township_code, said.party_names[line.counterpart_township_code]) for line in found] == [
        ("house", "区清算中心")
    ] * 2


def test_a_missing_price_leaves_the_money_open_and_the_minutes_said(bank: Database) -> None:
    busy_month(bank)
    with bank.unit_of_work() as session:
        change_policy(session, "reference_price_fen_per_hour", {"meal": 1755})
    said = drawn_up(bank, SHANGTIAN)
    assert (said.position_minutes, said.position_fen) == (-75, None)
    assert [total.net_fen for total in said.kinds] == [-3510, None, 0]
    assert said.prices_fen_per_hour == {"meal": 1755}


def test_all_lines_are_streamed_in_pages_that_stay_small(bank: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    busy_month(bank)
    close(bank, APRIL)
    asked: list[int] = []

    def counted(*args: object, limit: int, after_seq: int | None) -> object:
        asked.append(limit)
        return lines(*args, limit=limit, after_seq=after_seq)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "lines", counted)
    said = drawn_up(bank, SHANGTIAN, "2026-03")
    with bank.session() as session:
        window = find_window(session, "2026-03")
        found = list(every_line(session, window, said, page_lines=2))
        whole = lines(session, window, SHANGTIAN, limit=100)
    assert found == list(whole)
    assert sorted(line.minutes for line in found) == [-60, -60, -60, -60, 45, 60, 60]
    assert asked == [2, 2, 2, 2]


def test_lines_that_do_not_make_the_totals_are_refused_at_the_end(bank: Database) -> None:
    busy_month(bank)
    said = drawn_up(bank, DAYAN)
    eat(bank, DAYAN)
    with bank.session() as session, pytest.raises(Conflict, match="lines_do_not_add_up:"):
        list(every_line(session, find_window(session, None), said))


def test_a_session_of_one_moment_sees_totals_and_lines_that_fit_while_others_post(bank: Database) -> None:
    busy_month(bank)
    with bank.session() as session:
        of_one_moment(session)
        window = find_window(session, None)
        said = statement(session, window, DAYAN)
        eat(bank, DAYAN)
        assert len(list(every_line(session, window, said, page_lines=2))) == 4
    assert drawn_up(bank, DAYAN).total.transfers == 5


def test_no_line_is_lost_between_pages_where_two_movements_were_posted_at_the_same_moment(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two postings at once may number their legs as first, first, second, second, the other way round."""
    numbered = posting._columns

    def crossed(legs: Sequence[Leg]) -> dict[str, list[Any]]:
        return numbered([legs[0], legs[2], legs[3], legs[1]] if len(legs) == 4 else legs)

    clock.freeze(NINE)
    monkeypatch.setattr(posting, "_columns", crossed)
    _, vouchers = bought(bank, 2)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
        redeem_vouchers(session, actor=counter, scans=[Scan(one.code, f"n{one.code}") for one in vouchers])
    for code in (SHANGTIAN, DAYAN):
        said = drawn_up(bank, code)
        with bank.session() as session:
            assert len(list(every_line(session, find_window(session, None), said, page_lines=1))) == 2
