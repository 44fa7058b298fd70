"""Why a meal cost what it did: every line, the diner that day, and what became of it; for the diner and nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.leaving import report
from tests.factories.leaving_meals import ask_for_estate, die, ordered, with_heir
from tests.factories.orders import (
    GREENS,
    MORNING,
    PORK,
    a_diner,
    a_kitchen,
    at_hour,
    give_money,
    make_proxy,
    placed,
    vouchers_for,
)
from tests.factories.people import XIWU, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.purses import lunch_is_over, run_missed, served
from timebank.canteens.counter.actions import correct
from timebank.canteens.diners.actions import withdraw_category
from timebank.canteens.diners.models import DinerCategory
from timebank.canteens.orders.actions import OrderChange, cancel_order, change_order, place_order
from timebank.canteens.orders.models import MealOrder
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.explaining.eaten import explain_meal_order
from timebank.explaining.queries import explain_transfer
from timebank.explaining.rules import Explanation
from timebank.leaving import actions as leaving
from timebank.ledger.models import Transfer
from timebank.people.rules import ProxyScope


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def why(bank: Database, diner: Actor, order: MealOrder) -> Explanation:
    with bank.session() as session:
        return explain_meal_order(session, person_id=diner.person(), order_id=order.id)


def facts_of(said: Explanation) -> dict[str, str]:
    return {fact.name: fact.text for fact in said.facts}


def rule(key: str, label: str, share: str, **more: object) -> dict[str, object]:
    return {"key": key, "label": label, "share": share, "base": "food", "per": "meal", "source": "会议纪要", **more}


def half_and_a_tenth(session: Session) -> None:
    """Of a meal for somebody of low income the government pays half, and donors a tenth."""
    half = rule("half", "低保半价", "government", pays_percent=50, who={"any_category": ["low_income"]})
    change_policy(session, "meal_subsidy_rules", [half, rule("firm", "企业捐助", "donation", covers_percent=10)])


def test_every_line_is_told_with_its_rule_and_version_and_the_lines_add_up(bank: Database) -> None:
    with bank.unit_of_work() as session:
        half_and_a_tenth(session)
        kitchen, diner = a_kitchen(session), a_diner(session, categories=["low_income"])
        give_money(session, kitchen.canteen.id, 5000)
        order = placed(session, kitchen, diner, PORK)
    said, lines = why(bank, diner, order), []
    for fact in said.facts:
        if fact.name.startswith("line_"):
            lines.append(fact.value)
            assert f"第{order.policy_version}版办法" in fact.text
    assert sum(line["fen"] for line in lines if line["share"]) == order.list_fen == 1200
    assert sum(line["fen"] for line in lines if line["share"] is None) == 1200
    assert {line["rule_key"]: line["fen"] for line in lines} == {
        "dish": 1200,
        "half": 600,
        "firm": 120,
        "elder_pays": 480,
    }
    texts = facts_of(said)
    assert any("低保半价：低保，本人付餐费的50%，其余由政府补" in text for text in texts.values())
    assert (texts["categories"], texts["age"]) == ("低保", "82岁")
    assert said.title == "03月10日午餐已订，您付4.80元"
    assert "价格12.00元：老人付一点4.80元，政府补一点6.00元，企业捐一点1.20元。" in said.reason
    [rules] = [rule for rule in said.rules if rule.key == "meal_subsidy_rules"]
    assert "低保" in rules.text
    assert "low_income" not in rules.text


def test_a_later_policy_and_a_category_withdrawn_since_do_not_change_the_reason(bank: Database) -> None:
    with bank.unit_of_work() as session:
        half_and_a_tenth(session)
        kitchen, diner = a_kitchen(session), a_diner(session, categories=["low_income"])
        order = placed(session, kitchen, diner, PORK)
    before = why(bank, diner, order)
    clock.freeze(MORNING + timedelta(minutes=5))
    with bank.unit_of_work() as session:
        change_policy(session, "meal_subsidy_rules", [rule("less", "少补", "government", pays_percent=90)])
        [held] = session.scalars(select(DinerCategory))
        withdraw_category(session, actor=district(), person_id=diner.person(), category_id=held.id, reason="登记有误")
    after = why(bank, diner, order)
    assert after.rules == before.rules
    assert facts_of(after) == {**facts_of(before), "categories": "低保（后来撤销）"}
    with bank.unit_of_work() as session:
        changed = change_order(
            session, actor=diner, order_id=order.id, change=OrderChange("eat_in", ((kitchen.dish(GREENS), 1),))
        )
    said = why(bank, diner, changed)
    assert [rule.policy_version for rule in said.rules if rule.key == "meal_subsidy_rules"] == [changed.policy_version]
    assert facts_of(said)["changes"] == "改过1次，以下是最后一次的价格"


def test_a_proxy_who_ordered_is_named_and_a_voucher_is_shown(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner, daughter = a_kitchen(session), a_diner(session), add_person(session, XIWU, name="周小敏")
        make_proxy(session, diner, daughter, scopes=[ProxyScope.MEALS])
        [voucher] = vouchers_for(session, diner)
        order = place_order(session, actor=daughter, wanted=kitchen.lunch(diner, PORK, use_voucher=True))
    texts = facts_of(why(bank, diner, order))
    assert texts["placed_by"] == "周小敏（代周桂芬）（代办人）"
    assert texts["voucher"] == f"{voucher.code}（1小时）"


def test_every_share_of_a_meal_served_is_explained_by_the_whole_meal_to_the_diner_alone(bank: Database) -> None:
    with bank.unit_of_work() as session:
        half_and_a_tenth(session)
        kitchen, diner = a_kitchen(session), a_diner(session, categories=["low_income"])
        stranger = a_diner(session)
        give_money(session, kitchen.canteen.id, 5000)
        [order] = served(session, kitchen, placed(session, kitchen, diner, PORK))
    with bank.session() as session:
        shares = session.scalars(select(Transfer).where(Transfer.cause_id == order.id)).all()
        assert {share.kind for share in shares} == {"meal_elder", "meal_government", "meal_donation"}
        for share in shares:
            said = explain_transfer(session, person_id=diner.person(), transfer_id=share.id)
            assert said.title == "03月10日午餐您付了4.80元"
            with pytest.raises(BankError, match="transfer_unknown"):
                explain_transfer(session, person_id=stranger.person(), transfer_id=share.id)
        with pytest.raises(BankError, match="order_unknown"):
            explain_meal_order(session, person_id=stranger.person(), order_id=order.id)


def test_a_missed_meal_says_why_it_was_charged_and_by_which_policy(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order = placed(session, kitchen, diner, PORK)
        change_policy(session, "meal_missed_charge_percent", 50)
    lunch_is_over()
    run_missed(bank)
    said = why(bank, diner, order)
    charged = order.elder_fen // 2
    assert said.title == f"03月10日午餐订了没有来取，收取{charged / 100:.2f}元"
    assert "政府、捐款、菜园都没有出钱" in said.reason
    assert ("meal_missed_charge_percent", 50) in [(rule.key, rule.value) for rule in said.rules]
    with bank.session() as session:
        [moved] = session.scalars(select(Transfer).where(Transfer.kind == "meal_missed"))
        assert explain_transfer(session, person_id=diner.person(), transfer_id=moved.id) == said


def test_a_meal_missed_during_a_wrong_report_of_death_says_that_it_cost_nothing(bank: Database) -> None:
    _, diner, order = ordered(bank)
    clock.freeze(at_hour(10))
    found = report(bank, diner)
    lunch_is_over()
    run_missed(bank)
    clock.freeze(clock.now() + timedelta(minutes=1))
    with bank.unit_of_work() as session:
        leaving.decline_death(session, actor=district(), report_id=found.id, reason="同名之误")
    said = why(bank, diner, order)
    assert said.title == "03月10日午餐订了没有来取，没有收费"
    assert "核实身故上报期间不供餐" in said.reason


def test_a_cancelled_and_a_corrected_meal_say_by_whom_and_why(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner, other = a_kitchen(session), a_diner(session), a_diner(session)
        gone = placed(session, kitchen, diner, PORK)
        cancel_order(session, actor=kitchen.clerk, order_id=gone.id, reason="停水")
        [order] = served(session, kitchen, placed(session, kitchen, other, PORK))
        for actor in (steward(XIWU), district()):
            correct(session, actor=actor, order_id=order.id, reason="刷错了人")
    assert why(bank, diner, gone).title == "03月10日午餐已取消，没有收费"
    assert "原因：停水。" in why(bank, diner, gone).reason
    said = why(bank, other, order)
    assert (said.title, "刷错了人" in said.reason) == ("03月10日午餐已冲正，没有收费", True)
    with bank.session() as session:
        back = session.scalars(select(Transfer).where(Transfer.kind == "reversal").order_by(Transfer.seq)).first()
        assert back is not None
        told = explain_transfer(session, person_id=other.person(), transfer_id=back.id)
        assert "理由：刷错了人" in told.reason


def test_money_of_the_dead_is_explained_to_the_heir(bank: Database) -> None:
    _, diner, _ = ordered(bank)
    with bank.unit_of_work() as session:
        heir = a_diner(session, 0, name="周小敏")
        with_heir(session, diner, heir)
    die(bank, diner)
    with bank.session() as session:
        [moved] = session.scalars(select(Transfer).where(Transfer.kind == "purse_inherited"))
        said = explain_transfer(session, person_id=heir.person(), transfer_id=moved.id)
    assert said.title == "餐费余额继承：收入50.00元"
    assert said.reason == "周桂芬身故后余下的餐费50.00元按登记转入您的餐费余额。"


def test_money_paid_to_heirs_in_cash_is_explained(bank: Database) -> None:
    _, diner, _ = ordered(bank)
    die(bank, diner)
    one = steward(XIWU)
    ask_for_estate(bank, diner, by=one)
    paid = ask_for_estate(bank, diner)
    assert paid.transfer_id is not None
    with bank.session() as session:
        said = explain_transfer(session, person_id=diner.person(), transfer_id=paid.transfer_id)
    assert said.reason == "身故后余下的餐费50.00元由两位管理员凭继承依据退给继承人。领款人：周小敏"
