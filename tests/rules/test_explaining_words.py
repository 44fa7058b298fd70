"""Every kind of transfer and every code named has words, and the policies behind them exist."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from timebank.core.clock import LOCAL
from timebank.explaining.movements import EXPLAINED_KINDS, Moved, explain_movement, rules_of_kind
from timebank.explaining.refusals import EXPLAINED_CODES, explain_refusal, rules_of_refusal
from timebank.explaining.rules import Wanted, keys_of, rules_said, subsidy_sentences
from timebank.ledger.queries import TRANSFER_KIND_NAMES
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.in_words import RuleInForce, value_text

NOON = datetime(2026, 11, 22, 12, tzinfo=LOCAL)
OF_THE_HOUSE = {
    *("settlement", "settlement_undone", "carried_meal", "carried_care", "carried_aid", "offline_loss"),
    "operating_subsidy",
    *("money_donated", "donation_allotted", "produce_given"),
    *("subsidy_disallowed", "in_kind_settled", "till_netted", "canteen_paid"),
    *("meal_government", "meal_donation", "meal_garden", "meal_volunteers", "till_handed_in"),
}
"""What happens between townships, canteens and the house, on nobody's own account."""


def moved(kind: str, minutes: int, **more: str | None) -> Moved:
    return Moved(
        kind=kind,
        kind_name=TRANSFER_KIND_NAMES[kind],
        minutes=minutes,
        at=NOON,
        effective_at=NOON,
        own_township="西坞街道",
        other_township="大堰镇",
        other_name=more.get("other_name"),
        note=more.get("note") or "",
        done_by=more.get("done_by"),
        approved_by=more.get("approved_by"),
        policy_version=3,
        reversed_kind_name=more.get("reversed_kind_name"),
        expires_on=more.get("expires_on"),
    )


def test_every_kind_on_a_persons_account_has_a_sentence_of_its_own() -> None:
    assert set(TRANSFER_KIND_NAMES) - OF_THE_HOUSE == EXPLAINED_KINDS


@pytest.mark.parametrize("kind", sorted(EXPLAINED_KINDS))
@pytest.mark.parametrize("minutes", [90, -90])
def test_every_kind_says_how_much_in_a_whole_sentence(kind: str, minutes: int) -> None:
    said = explain_movement(moved(kind, minutes, note="备注"), [])
    assert "1小时30分钟" in said.reason
    assert "None" not in said.reason
    assert said.title == f"{TRANSFER_KIND_NAMES[kind]}：{'收入' if minutes > 0 else '支出'}1小时30分钟"


@pytest.mark.parametrize("kind", sorted(EXPLAINED_KINDS))
def test_the_policies_behind_a_kind_exist(kind: str) -> None:
    assert [wanted.key for wanted in rules_of_kind(kind) if wanted.key not in DEFINITIONS] == []


def test_money_is_told_in_yuan() -> None:
    said = explain_movement(replace(moved("meal_elder", -650, note="西坞食堂午餐"), unit="fen"), [])
    assert (said.title, said.facts[0].name, said.facts[0].text) == (
        "餐费（老人付一点）：支出6.50元",
        "fen",
        "-6.50元",
    )
    assert said.reason.startswith("西坞食堂午餐，您本人付6.50元")


def test_a_gift_is_told_from_both_sides() -> None:
    assert explain_movement(moved("gift", -60, other_name="周桂芬"), []).reason == "您把1小时赠给了周桂芬。"
    assert explain_movement(moved("gift", 60, other_name="周小敏"), []).reason == "周小敏把1小时赠给了您。"


def test_a_reversal_names_what_it_undoes_and_both_stewards() -> None:
    said = explain_movement(
        moved(
            "reversal",
            -60,
            reversed_kind_name="服务所得",
            done_by="西坞街道管理员",
            approved_by="区级管理员",
            note="记错了人",
        ),
        [],
    )
    assert said.reason == "原来的“服务所得”经西坞街道管理员、区级管理员核实后冲正，1小时扣回。理由：记错了人。"


def test_granted_minutes_say_until_when() -> None:
    said = explain_movement(moved("allotment", 60, expires_on="2026年12月31日"), [])
    assert "到2026年12月31日为止有效" in said.reason


def test_the_codes_explained_are_codes_that_the_bank_says_and_their_policies_exist() -> None:
    known = Path("openapi/problems.md").read_text(encoding="utf-8")
    for code in EXPLAINED_CODES:
        assert f"| `{code}` |" in known or code in _SCAN_REASONS, code
        assert [wanted.key for wanted in rules_of_refusal(code) if wanted.key not in DEFINITIONS] == []


_SCAN_REASONS = {"voucher_expired"}


def test_a_refusal_is_told_with_its_facts_in_hours() -> None:
    problem = {
        "type": "urn:timebank:problem:insufficient_minutes",
        "title": "可用时长不足",
        "status": 422,
        "detail": "可用时长不足",
        "code": "insufficient_minutes",
        "request_id": "r",
        "available_minutes": 30,
        "needed_minutes": 120,
    }
    said = explain_refusal(problem, at=NOON, what="购买用餐券", policy_version=3, rules=[])
    assert (said.title, said.reason) == ("购买用餐券没有办成", "可用时长不足。")
    assert [(fact.label, fact.value, fact.text) for fact in said.facts] == [
        ("当时可用", 30, "30分钟"),
        ("需要", 120, "2小时"),
    ]
    assert said.advice is not None


def test_a_refused_order_is_told_with_its_facts_in_yuan_days_and_times() -> None:
    problem = {
        "title": "已过截止时间11月22日09:00，不能再订餐、改餐或退餐",
        "code": "cut_off_passed",
        "cut_off_at": "2026-11-22T09:00:00+08:00",
        "available_fen": 650,
        "state": "cancelled",
        "reasons": ["“红烧肉”含有大豆，您对它过敏", "“红烧肉”不能做成软食"],
        "counters": [{"name": "西坞食堂"}],
    }
    said = explain_refusal(problem, at=NOON, what="订餐", policy_version=3, rules=[])
    assert [(fact.label, fact.text) for fact in said.facts] == [
        ("截止时间", "2026年11月22日（周日）09:00"),
        ("当时可用", "6.50元"),
        ("当时状态", "已取消"),
        ("原因", "“红烧肉”含有大豆，您对它过敏；“红烧肉”不能做成软食"),
    ]
    assert said.advice == "可以到助餐点柜台现买，或订下一餐。"
    assert [wanted.key for wanted in rules_of_refusal("cut_off_passed")] == ["order_cut_offs"]


def test_rules_of_subsidies_name_categories_as_people_call_them() -> None:
    half = {"key": "half", "label": "半价", "share": "government", "base": "food", "pays_percent": 50, "source": "纪要"}
    rules = RuleInForce("meal_subsidy_rules", [{**half, "who": {"any_category": ["low_income"]}}], 4, NOON, "纪要")
    names = RuleInForce("diner_categories", {"low_income": "低保"}, 2, NOON, "纪要")
    wanted = [Wanted("meal_subsidy_rules")]
    assert keys_of(wanted) == ["meal_subsidy_rules", "diner_categories"]
    assert keys_of([Wanted("purse_max_fen")]) == ["purse_max_fen"]
    [said] = rules_said(wanted, {"meal_subsidy_rules": rules, "diner_categories": names})
    assert said.text == "半价：低保，本人付餐费的50%，其余由政府补。"
    assert subsidy_sentences({"diner_categories": names}) == {}


def test_a_code_without_words_of_its_own_is_told_by_its_title_and_detail() -> None:
    problem = {"title": "有1小时冻结中，暂不能迁出", "detail": "请先取消预约。", "code": "some_other_code"}
    said = explain_refusal(problem, at=NOON, what="办理迁居", policy_version=None, rules=[])
    assert said.reason == "有1小时冻结中，暂不能迁出。请先取消预约。"
    assert said.advice is None


def test_only_the_entry_that_counts_of_a_policy_is_shown() -> None:
    rates = RuleInForce("service_rates_percent", {"cleaning": 100, "bathing": 150}, 4, NOON, "会议纪要")
    [rule] = rules_said([Wanted("service_rates_percent", "bathing")], {"service_rates_percent": rates})
    assert (rule.value, rule.text, rule.policy_version, rule.source) == (150, "150%", 4, "会议纪要")


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (4320, "分钟", "72小时"),
        (180, "天", "180天"),
        (["低保", "特困"], "", "低保、特困"),
        (["granted", "issuance"], "", "政府购买服务时长、镇街发行"),
        ([], "", "无"),
        ({"default": 30}, "分钟", "其他 30分钟"),
        ([1, 7], "", "周一、周日"),
        (["breakfast", "supper"], "", "早餐、晚餐"),
        ([6000, 18000], "分钟", "100小时、300小时"),
        ([-1, 0, 7], "天", "-1天、0天、7天"),
        ({"0": 0, "1": 60}, "分钟", "0级 0分钟；1级 1小时"),
        ({"5": 3000}, "分/小时", "5级 30.00元/小时"),
        ({"wheelchair": 30}, "分钟/天", "wheelchair 30分钟/天"),
        ({"breakfast": [-1, "20:00"], "lunch": [0, "09:00"]}, "", "早餐 提前1天20:00前；午餐 当天09:00前"),
        (None, "", "未定"),
    ],
)
def test_values_are_read_out(value: object, unit: str, text: str) -> None:
    assert value_text(value, unit) == text
