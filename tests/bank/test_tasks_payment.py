"""Who pays for an hour: in policy's order, split where one source does not suffice, never more than there is."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.minutes import balance_at, fill_pool, grant_minutes, posted_in, save_minutes
from tests.factories.people import SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, ask, ask_for_shift, confirm, only_part, past_service, serve, serve_shift
from tests.factories.threads import at_once
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.ledger.actions import township_accounts
from timebank.ledger.actions.post import transfers_by_cause
from timebank.ledger.queries import trial_balance
from timebank.ledger.rules import AccountKind
from timebank.policies.queries import in_force
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation
from timebank.tasks.models import Task
from timebank.tasks.queries import lock_task


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def served(bank: Database, elder: Actor, minutes: int) -> tuple[Actor, Task]:
    """A volunteer of another township has served the elder and awaits confirmation."""
    with bank.unit_of_work() as session:
        volunteer = add_person(session, SHANGTIAN)
        task = ask(session, elder, minutes=minutes)
    return volunteer, serve(bank, volunteer, task, minutes=minutes)


def paid_by(bank: Database, task: Task) -> list[tuple[int, int]]:
    """Which account paid how many minutes for the only part, in order; the first leg of each movement."""
    with bank.session() as session:
        legs = transfers_by_cause(session, only_part(lock_task(session, task.id)).id)
        return [(leg.from_account_id, leg.amount) for leg in legs if leg.link_id in (None, leg.id)]


def issuance_of(bank: Database, township_code: str) -> int:
    with bank.session() as session:
        return township_accounts(session, [township_code], AccountKind.ISSUANCE)[township_code]


def test_an_elder_with_nothing_is_paid_for_by_the_township_that_is_served(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    _, task = served(bank, elder, 60)
    confirm(bank, elder, task)
    assert paid_by(bank, task) == [(issuance_of(bank, XIWU), 60)]


def test_one_hour_is_split_over_lots_savings_pool_and_issuance(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        savings = save_minutes(session, elder, 7)
        late = grant_minutes(session, elder, 20, expires_on=NINE.date() + timedelta(days=90))
        today = grant_minutes(session, elder, 5, expires_on=NINE.date())
        expired = grant_minutes(session, elder, 50, expires_on=NINE.date() - timedelta(days=1))
        pool = fill_pool(session, XIWU, 10)
        fill_pool(session, SHANGTIAN, 500)
    volunteer, task = served(bank, elder, 60)
    confirm(bank, elder, task)
    assert paid_by(bank, task) == [(today, 5), (late, 20), (savings, 7), (pool, 10), (issuance_of(bank, XIWU), 18)]
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, volunteer) == 60
        assert balance_at(session, expired) == 50


def test_a_lot_that_suffices_pays_alone(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        save_minutes(session, elder, 500)
        lot = grant_minutes(session, elder, 60, expires_on=NINE.date() + timedelta(days=1))
    _, task = served(bank, elder, 60)
    confirm(bank, elder, task)
    assert paid_by(bank, task) == [(lot, 60)]


def test_a_township_may_order_its_payers_differently(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "payment_order", ["pool", "savings", "issuance"], township_code=XIWU)
        here, there = add_elder(session, XIWU), add_elder(session, SHANGTIAN)
        own = {elder: save_minutes(session, elder, 45) for elder in (here, there)}
        lots = {elder: grant_minutes(session, elder, 40, expires_on=NINE.date()) for elder in (here, there)}
        pools = {code: fill_pool(session, code, 10) for code in (XIWU, SHANGTIAN)}
    clock.freeze(NINE + timedelta(minutes=1))
    _, task = served(bank, here, 60)
    confirm(bank, here, task)
    assert paid_by(bank, task) == [(pools[XIWU], 10), (own[here], 45), (issuance_of(bank, XIWU), 5)]
    _, task = served(bank, there, 60)
    confirm(bank, there, task)
    assert paid_by(bank, task) == [(lots[there], 40), (own[there], 20)]


def test_a_shift_is_paid_by_pool_and_township_and_by_no_persons_minutes(bank: Database) -> None:
    with bank.unit_of_work() as session:
        volunteers = [add_person(session, SHANGTIAN) for _ in range(3)]
        bystander = add_elder(session, XIWU)
        save_minutes(session, bystander, 900)
        pool = fill_pool(session, XIWU, 200)
        shift = ask_for_shift(session, places=3, starts_at=NINE + timedelta(hours=1))
    serve_shift(bank, volunteers, shift, minutes=180)
    confirm(bank, steward(XIWU), shift)
    with bank.session() as session:
        assert [posted_in(session, AccountKind.SAVINGS, v) for v in volunteers] == [180] * 3
        assert posted_in(session, AccountKind.SAVINGS, bystander) == 900
        assert balance_at(session, pool) == 0


def test_a_rate_of_the_township_counts_for_the_kinds_it_names(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "service_rates_percent", {"bathing": 200}, township_code=XIWU)
        change_policy(session, "tolerance_minutes", 0, township_code=XIWU)
        elder = add_elder(session, XIWU)
    _, plain = served(bank, elder, 30)
    assert only_part(confirm(bank, elder, plain)).payable_minutes == 30
    with bank.unit_of_work() as session:
        volunteer = add_person(session, XIWU)
        wanted = tasks.Request("bathing", clock.now() + timedelta(hours=1), 30)
        bathing = tasks.request(session, actor=elder, wanted=wanted)
    serve(bank, volunteer, bathing, minutes=45)
    assert only_part(confirm(bank, elder, bathing)).payable_minutes == 60


def test_every_credit_names_the_policy_it_was_computed_under(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        shipped = in_force(session, at=clock.now()).version
    _, first = served(bank, elder, 60)
    confirm(bank, elder, first)
    with bank.unit_of_work() as session:
        change = change_policy(session, "tolerance_minutes", 5)
    _, second = served(bank, elder, 60)
    confirm(bank, elder, second)
    with bank.session() as session:
        versions = [{t.policy_version for t in transfers_by_cause(session, only_part(x).id)} for x in (first, second)]
    assert versions == [{shipped}, {change.id}]
    assert change.id > shipped


def test_confirmations_at_once_never_overdraw_the_elders_savings(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        savings = save_minutes(session, elder, 100)
        pool = fill_pool(session, XIWU, 30)
    waiting = [served(bank, elder, 60)[1] for _ in range(4)]
    answers = at_once(bank, [lambda s, t=t: tasks.confirm(s, confirmation=Confirmation(t.id, elder)) for t in waiting])
    assert all(isinstance(answer, Task) for answer in answers)
    paid = [share for task in waiting for share in paid_by(bank, task)]
    totals = {account: sum(m for a, m in paid if a == account) for account, _ in paid}
    assert totals == {savings: 100, pool: 30, issuance_of(bank, XIWU): 110}
    with bank.session() as session:
        assert (balance_at(session, savings), balance_at(session, pool)) == (0, 0)


def test_what_a_volunteer_earns_in_a_batch_pays_for_help_given_to_them_later_in_it(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, both, helper = add_elder(session, XIWU), add_person(session, XIWU, age=66), add_person(session, XIWU)
        earning = tasks.record(session, actor=steward(XIWU), form=past_service(both, elder, ended_at=NINE))
        tasks.approve_record(session, actor=district(), task_id=earning.id)
        first, second = ask(session, elder), ask(session, both, starts_at=NINE + timedelta(hours=3), minutes=180)
    serve(bank, both, first)
    serve(bank, helper, second, minutes=180)
    with bank.unit_of_work() as session:
        tasks.confirm_many(session, [Confirmation(first.id, elder), Confirmation(second.id, both)])
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, both) == 0
        assert posted_in(session, AccountKind.SAVINGS, helper) == 180
        issued = {line.book: line.debit for line in trial_balance(session, "minute") if line.account == "issuance"}
    # 60 and 60 earned, all of it spent again; the township had to issue 60 for the rest of the 180.
    assert issued[XIWU] == 180
    assert paid_by(bank, second)[0][1] == 120


def test_a_confirmation_of_nothing_moves_nothing(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
    volunteer, task = served(bank, elder, 60)
    with bank.unit_of_work() as session:
        tasks.dispute(session, actor=elder, task_id=task.id, reason="没有来")
        tasks.rule(
            session, actor=steward(XIWU), task_id=task.id, volunteer_id=volunteer.person(), minutes=0, reason="未到"
        )
    assert paid_by(bank, task) == []
    with bank.session() as session:
        assert posted_in(session, AccountKind.SAVINGS, volunteer) == 0
        assert [line for line in trial_balance(session, "minute") if line.debit or line.credit] == []
