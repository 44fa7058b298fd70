"""Why, from the books: each line of a statement, each service, for those concerned and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.factories.minutes import grant_minutes, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, accept, ask, check_in, confirm, serve
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.explaining.queries import explain_task, explain_transfer, whose
from timebank.explaining.rules import Explanation
from timebank.ledger.actions import reverse
from timebank.ledger.models import Transfer
from timebank.ledger.queries import statement
from timebank.ledger.rules import AccountKind
from timebank.people.actions import register_proxy
from timebank.redemption.actions import buy_vouchers
from timebank.tasks.models import Task


@pytest.fixture(autouse=True)
def _morning() -> Iterator[None]:
    clock.freeze(NINE)
    yield
    clock.freeze(None)


@pytest.fixture
def volunteer(bank: Database) -> Actor:
    with bank.unit_of_work() as session:
        return add_person(session, SHANGTIAN, age=70, name="林志远")


@pytest.fixture
def elder(bank: Database) -> Actor:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU, name="周桂芬")
        save_minutes(session, elder, 500)
        return elder


def asked(bank: Database, elder: Actor) -> Task:
    with bank.unit_of_work() as session:
        return ask(session, elder)


def done(bank: Database, elder: Actor, volunteer: Actor, minutes: float = 60) -> Task:
    task = asked(bank, elder)
    serve(bank, volunteer, task, minutes=minutes)
    return confirm(bank, elder, task)


def why_of(bank: Database, person: Actor, transfer_id: UUID) -> Explanation:
    with bank.session() as session:
        return explain_transfer(session, person_id=person.person(), transfer_id=transfer_id)


def newest_line(bank: Database, person: Actor) -> UUID:
    with bank.session() as session:
        return statement(session, person.person(), limit=1)[0].transfer_id


def why_task(bank: Database, person: Actor, task: Task) -> Explanation:
    with bank.session() as session:
        return explain_task(session, person_id=person.person(), task_id=task.id)


def facts(said: Explanation) -> dict[str, object]:
    return {fact.name: fact.value for fact in said.facts}


def test_a_credit_names_the_service_its_minutes_the_rules_and_who_paid(
    bank: Database, elder: Actor, volunteer: Actor
) -> None:
    done(bank, elder, volunteer, minutes=100)
    said = why_of(bank, volunteer, newest_line(bank, volunteer))
    assert said.title == "陪伴记入1小时15分钟"
    assert "您服务了1小时40分钟，周桂芬确认。" in said.reason
    assert "约定1小时，最多可超过15分钟，所以只计1小时15分钟" in said.reason
    assert "由老人的储蓄时长支付" in said.reason
    assert [(rule.key, rule.value) for rule in said.rules] == [
        ("service_rates_percent", 100),
        ("tolerance_minutes", 15),
        ("payment_order", ["granted", "savings", "pool", "issuance"]),
    ]
    assert facts(said)["served_minutes"] == 100
    assert facts(said)["payable_minutes"] == 75
    assert said.policy_version is not None


def test_the_elder_sees_the_same_service_as_a_charge(bank: Database, elder: Actor, volunteer: Actor) -> None:
    done(bank, elder, volunteer)
    said = why_of(bank, elder, newest_line(bank, elder))
    assert said.title == "支付服务：支出1小时"
    assert said.reason == "您得到的帮助用去1小时：陪伴。"
    assert (facts(said)["other_township"], facts(said)["other_name"]) == ("尚田街道", "林**")


def test_signed_in_and_never_out_says_why_there_are_no_hours(bank: Database, elder: Actor, volunteer: Actor) -> None:
    task = asked(bank, elder)
    accept(bank, volunteer, task)
    assert "还没有签到" in why_task(bank, volunteer, task).reason
    check_in(bank, volunteer, task)
    assert "还没有签退" in why_task(bank, volunteer, task).reason


def test_a_service_that_awaits_the_elder_says_until_when(bank: Database, elder: Actor, volunteer: Actor) -> None:
    task = asked(bank, elder)
    serve(bank, volunteer, task)
    said = why_task(bank, volunteer, task)
    assert said.title == "陪伴的时长还没有到账"
    assert [(rule.key, rule.text) for rule in said.rules] == [("auto_confirm_after_minutes", "72小时")]


def test_a_later_change_of_policy_does_not_change_what_was_the_reason_then(
    bank: Database, elder: Actor, volunteer: Actor
) -> None:
    done(bank, elder, volunteer, minutes=100)
    line = newest_line(bank, volunteer)
    before = why_of(bank, volunteer, line)
    clock.freeze(clock.now() + timedelta(days=1))
    with bank.unit_of_work() as session:
        change = change_policy(session, "tolerance_minutes", 0, township_code=XIWU)
    assert why_of(bank, volunteer, line) == before
    done(bank, elder, volunteer, minutes=100)
    after = why_of(bank, volunteer, newest_line(bank, volunteer))
    [tolerance] = [rule for rule in after.rules if rule.key == "tolerance_minutes"]
    assert (tolerance.value, tolerance.policy_version, tolerance.source) == (0, change.id, "会议纪要第1号")
    assert after.policy_version == change.id


def test_a_purchase_and_a_reversal_are_explained(bank: Database, elder: Actor, volunteer: Actor) -> None:
    done(bank, elder, volunteer)
    credit = newest_line(bank, volunteer)
    with bank.unit_of_work() as session:
        reverse(session, actor=steward(XIWU), transfer_id=credit, reason="记错了人")
        reverse(session, actor=district(), transfer_id=credit, reason="同意")
    said = why_of(bank, volunteer, newest_line(bank, volunteer))
    assert said.reason == "原来的“服务所得”经两位管理员核实后冲正，1小时扣回。理由：记错了人。"
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=elder, quantity=1)
    bought = why_of(bank, elder, newest_line(bank, elder))
    assert bought.reason.startswith("买用餐券用去1小时。")
    assert ("voucher_price_minutes", "1小时") in [(rule.key, rule.text) for rule in bought.rules]


def test_nobody_is_told_about_what_is_anothers(bank: Database, elder: Actor, volunteer: Actor) -> None:
    task = done(bank, elder, volunteer)
    line = newest_line(bank, volunteer)
    with bank.unit_of_work() as session:
        stranger = add_person(session, DAYAN)
    with pytest.raises(BankError) as refusal:
        why_of(bank, stranger, line)
    assert refusal.value.code == "transfer_unknown"
    with pytest.raises(BankError) as refusal:
        why_task(bank, stranger, task)
    assert refusal.value.code == "task_unknown"
    with bank.session() as session, pytest.raises(BankError) as refusal:
        whose(session, stranger, elder.person())
    assert refusal.value.code == "not_your_elder"


def test_a_proxy_may_ask_for_the_elder(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        daughter = add_person(session, DAYAN, age=50)
        register_proxy(
            session,
            actor=district(),
            elder_id=elder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="委托书1号",
        )
    with bank.session() as session:
        assert whose(session, daughter, elder.person()) == elder.person()


def test_granted_minutes_have_a_statement_of_their_own_and_each_line_its_reason(bank: Database, elder: Actor) -> None:
    with bank.unit_of_work() as session:
        for month, last in ((3, 31), (4, 30)):
            grant_minutes(session, elder, 60 * month, expires_on=date(2026, month, last))
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=elder, quantity=2)
    with bank.session() as session:
        lines = statement(session, elder.person(), limit=10, kind=AccountKind.GRANTED)
        seen = [(line.expires_on, line.minutes, line.balance_minutes) for line in lines]
        second = statement(
            session, elder.person(), limit=2, after=(lines[0].account_id, lines[0].version), kind=AccountKind.GRANTED
        )
        said = explain_transfer(session, person_id=elder.person(), transfer_id=lines[1].transfer_id)
    assert seen == [
        (date(2026, 4, 30), 240, 240),
        (date(2026, 3, 31), -60, 60),
        (date(2026, 3, 31), -60, 120),
        (date(2026, 3, 31), 180, 180),
    ]
    assert list(second) == lines[1:3]
    assert said.reason.startswith("买用餐券用去1小时。")


def test_staff_may_ask_for_people_of_their_township_and_it_is_written_down(bank: Database, elder: Actor) -> None:
    auditor = staff(StaffRole.AUDITOR)
    for asker in (steward(XIWU), district(), auditor):
        with bank.unit_of_work() as session:
            assert whose(session, asker, elder.person()) == elder.person()
    with bank.unit_of_work() as session, pytest.raises(BankError) as refusal:
        whose(session, steward(DAYAN), elder.person())
    assert refusal.value.code == "other_township"
    with bank.session() as session:
        looked = select(AuditEntry.login_id).where(AuditEntry.action == "account_looked_at")
        assert len(session.scalars(looked).all()) == 3


def test_both_legs_of_a_movement_lead_to_the_same_reason(bank: Database, elder: Actor, volunteer: Actor) -> None:
    done(bank, elder, volunteer)
    with bank.session() as session:
        legs = session.scalars(select(Transfer.id).where(Transfer.kind == "service_credit")).all()
    assert len(legs) == 2
    assert why_of(bank, volunteer, legs[0]) == why_of(bank, volunteer, legs[1])
