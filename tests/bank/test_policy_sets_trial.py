"""Trying a set on the bank's own history: each figure from the data, under the rules now and under the set."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.allotments import add_assessed
from tests.factories.family import in_hardship, make_relatives
from tests.factories.minutes import save_minutes
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, past_service
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.giving.actions.give import give
from timebank.people.family_rules import Relation
from timebank.policies.comparing import policy_set
from timebank.redemption.actions import buy_vouchers
from timebank.supervision.policy_trial import try_set
from timebank.tasks import actions as tasks


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def helped(bank: Database, volunteer: Actor, elder: Actor, minutes: int, *, days_ago: int = 1) -> None:
    """Hours recorded and approved, and so credited now."""
    with bank.unit_of_work() as session:
        form = past_service(volunteer, elder, ended_at=NINE - timedelta(days=days_ago), minutes=minutes)
        task = tasks.record(session, actor=steward(XIWU), form=form)
        tasks.approve_record(session, actor=district(), task_id=task.id)


def tried(bank: Database, name: str = "shanghai", *, months: int = 12) -> dict[str, tuple[int, int]]:
    """What each figure is now and would be."""
    with bank.session() as session:
        trial = try_set(session, wanted=policy_set(name), months=months)
    return {figure.what: (figure.now, figure.tried) for figure in trial.figures}


def test_a_bank_without_a_history_has_nothing_to_try(bank: Database) -> None:
    assert set(tried(bank).values()) == {(0, 0)}


def test_the_daily_cap_is_reckoned_by_the_day_of_service(bank: Database) -> None:
    with bank.unit_of_work() as session:
        busy, calm, elder = add_person(session, SHANGTIAN), add_person(session, SHANGTIAN), add_elder(session, XIWU)
    for volunteer, minutes, days in ((busy, 150, 1), (busy, 180, 2), (calm, 120, 1), (busy, 30, 3)):
        helped(bank, volunteer, elder, minutes, days_ago=days)
    found = tried(bank)
    assert found["超过每天上限的志愿者"] == (0, 1)
    assert found["因每天上限转入公益时间池"] == (0, 90)


def test_the_lifetime_cap_takes_what_came_last_and_only_within_the_months_asked_for(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "lifetime_cap_minutes", 500)
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
    helped(bank, volunteer, elder, 400, days_ago=1)
    clock.freeze(NINE + timedelta(days=60))
    helped(bank, volunteer, elder, 300, days_ago=2)
    found = tried(bank, "nanjing")
    assert (found["达到一生上限的志愿者"], found["因一生上限转入公益时间池"]) == ((1, 0), (200, 0))
    assert tried(bank, "nanjing", months=1)["因一生上限转入公益时间池"] == (200, 0)
    clock.freeze(NINE + timedelta(days=400))
    assert tried(bank, "nanjing", months=1)["因一生上限转入公益时间池"] == (0, 0)


def test_who_could_not_redeem_yet_for_age_or_vesting(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        people = {age: add_person(session, SHANGTIAN, age=age) for age in (50, 61, 63, 70)}
        in_hardship(session, people[63], "低保")
        for age, person in people.items():
            save_minutes(session, person, age)
    helped(bank, people[70], elder, 120)
    found = tried(bank)
    assert found["有储蓄、还不到兑换年龄的"] == (1, 2)
    # Now only the youngest; in Shanghai also who is 61, while 63 in hardship redeems from 60.
    with bank.session() as session:
        trial = try_set(session, wanted=policy_set("shanghai"), months=1)
    waiting = [(f.now, f.tried) for f in trial.figures if f.what == "他们暂不能自用的时长"]
    assert waiting == [(50, 111), (0, 190)]
    assert found["有储蓄、还不满兑换所需服务的"] == (0, 1)
    clock.freeze(NINE + timedelta(days=400))
    assert tried(bank)["有储蓄、还不满兑换所需服务的"] == (0, 0)


def test_vouchers_gifts_seeds_and_allotments_are_counted(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder, sister = add_person(session, SHANGTIAN), add_person(session, XIWU)
        save_minutes(session, holder, 300)
        buy_vouchers(session, actor=holder, quantity=2)
        make_relatives(session, holder, sister, Relation.SIBLING)
        give(session, actor=holder, to_person_id=sister.person(), minutes=40)
        add_assessed(session, XIWU, 2, circumstances=["独居"])
        change_policy(session, "voucher_price_minutes", 45)
        change_policy(session, "seed_minutes", 0)
    found = tried(bank, "beijing")
    assert (found["购买的用餐券"], found["购买用餐券所付的时长"]) == ((2, 2), (90, 120))
    assert (found["不合规定的赠与"], found["不合规定的赠与时长"]) == ((0, 1), (0, 40))
    assert (found["可领种子时长的老人"], found["种子时长合计"]) == ((0, 1), (0, 600))
    assert (found["每月可得政府购买服务时长的老人"], found["每月政府购买服务时长"]) == ((1, 1), (120, 120))


def test_limits_are_held_against_what_townships_owe_now(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 100)
        change_policy(session, "position_hard_limit_minutes", 200)
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, XIWU)
    helped(bank, volunteer, elder, 150)
    found = tried(bank, "fenghua")
    assert (found["应付时长达到软限额的镇街"], found["应付时长达到硬限额的镇街"]) == ((1, 0), (0, 0))


def test_trying_changes_nothing_and_names_the_rule_of_each_figure(bank: Database) -> None:
    with bank.unit_of_work() as session:
        session.connection(execution_options={"postgresql_readonly": True})
        trial = try_set(session, wanted=policy_set("shanghai"), months=3)
    assert trial.since == clock.day_start(clock.today().replace(month=12, day=1, year=2025))
    assert all(figure.label and figure.unit for figure in trial.figures)
