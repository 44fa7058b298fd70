"""Why a meal cost what it did, in words, for every state of an order."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from timebank.canteens.orders.rules import OrderState
from timebank.canteens.pricing.rules import Way
from timebank.core.clock import LOCAL
from timebank.explaining.meals import CategoryHeld, MealSeen, ReceiptLine, explain_meal, rules_of_ending, rules_of_price
from timebank.policies.definitions import DEFINITIONS

NOON = datetime(2026, 11, 22, 12, tzinfo=LOCAL)

PLACED = MealSeen(
    state=OrderState.PLACED,
    canteen_name="西坞食堂",
    served_on=date(2026, 11, 22),
    meal="lunch",
    way="eat_in",
    diet_form="normal",
    source="phone",
    revision=1,
    pickup_number=12,
    list_fen=1200,
    elder_fen=600,
    cash_fen=0,
    lines=[
        ReceiptLine(1, None, "dish", "红烧肉", 1200, 3),
        ReceiptLine(2, "government", "half", "低保半价", 600, 3),
        ReceiptLine(3, "elder", "elder_pays", "本人支付", 600, 3),
    ],
    rule_sentences={"half": "低保半价：低保，本人付餐费的50%，其余由政府补"},
    placed_at=NOON - timedelta(hours=20),
    placed_by_name="周桂芬",
    cut_off_at=NOON - timedelta(hours=3),
    policy_version=3,
    age=82,
    assessment_level=2,
    categories=[CategoryHeld("低保", withdrawn=False)],
    voucher_code=None,
    voucher_minutes=0,
    ended_at=None,
    ended_by_name=None,
    end_reason="",
    charged_fen=0,
    frozen=False,
    corrected_at=None,
    corrected_by=(),
    correction_reason="",
)

ENDED = replace(PLACED, ended_at=NOON, ended_by_name="沈师傅")


@pytest.mark.parametrize(
    ("meal", "title", "said"),
    [
        (PLACED, "11月22日午餐已订，您付6.00元", "您应付的6.00元冻结在餐费余额里"),
        (replace(ENDED, state=OrderState.SERVED), "11月22日午餐您付了6.00元", "老人付一点6.00元，政府补一点6.00元。"),
        (
            replace(ENDED, state=OrderState.CANCELLED, end_reason="停水"),
            "11月22日午餐已取消，没有收费",
            "由沈师傅取消。原因：停水。",
        ),
        (
            replace(ENDED, state=OrderState.MISSED, charged_fen=600),
            "11月22日午餐订了没有来取，收取6.00元",
            "按办法收取您本人应付6.00元中的6.00元。",
        ),
        (replace(ENDED, state=OrderState.MISSED), "11月22日午餐订了没有来取，没有收费", "按办法不收费。"),
        (
            replace(ENDED, state=OrderState.UNDELIVERED, way="deliver", end_reason="spilled"),
            "11月22日午餐没有送到（餐食洒漏），没有收费",
            "按办法不收费。",
        ),
        (
            replace(ENDED, state=OrderState.MISSED, frozen=True, voucher_code="AB12", voucher_minutes=60),
            "11月22日午餐订了没有来取，没有收费",
            "核实身故上报期间不供餐，所以不收费。政府、捐款、菜园都没有出钱，用餐券已退回。",
        ),
        (
            replace(
                ENDED,
                state=OrderState.CORRECTED,
                corrected_at=NOON,
                corrected_by=("甲", "乙"),
                correction_reason="刷错",
            ),
            "11月22日午餐已冲正，没有收费",
            "经甲、乙核实后冲正",
        ),
    ],
)
def test_every_state_says_what_was_paid_and_why(meal: MealSeen, title: str, said: str) -> None:
    told = explain_meal(meal, [])
    assert told.title == title
    assert said in told.reason
    assert "None" not in told.reason


def test_what_was_paid_in_cash_is_held_nowhere() -> None:
    told = explain_meal(replace(PLACED, cash_fen=600), [])
    assert "冻结" not in told.reason
    assert ("其中付现金", "6.00元") in [(fact.label, fact.text) for fact in told.facts]


def test_each_line_names_its_rule_once_and_the_version() -> None:
    told = {fact.name: (fact.label, fact.text) for fact in explain_meal(PLACED, []).facts}
    assert told["line_1"] == ("列出", "12.00元：红烧肉，菜单价（第3版办法）")
    assert told["line_2"] == ("政府补一点", "6.00元：低保半价：低保，本人付餐费的50%，其余由政府补（第3版办法）")
    assert told["line_3"] == ("老人付一点", "6.00元：本人支付，其余由本人付（第3版办法）")
    assert (told["age"][1], told["assessment_level"][1], told["categories"][1]) == ("82岁", "2级", "低保")


def test_a_category_withdrawn_since_is_said_to_be() -> None:
    held = replace(PLACED, categories=[CategoryHeld("低保", withdrawn=True)])
    assert "低保（后来撤销）" in [fact.text for fact in explain_meal(held, []).facts]


@pytest.mark.parametrize("state", OrderState)
def test_the_policies_behind_a_meal_exist(state: OrderState) -> None:
    wanted = [*rules_of_price(way=Way.DELIVER, with_voucher=True), *rules_of_ending(state)]
    assert [one.key for one in wanted if one.key not in DEFINITIONS] == []
