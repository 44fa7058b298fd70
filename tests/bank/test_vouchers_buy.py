"""Buying vouchers: who may, what it costs, from which minutes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.factories.minutes import balance_at, grant_minutes, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from tests.factories.vouchers import holder_with, scan
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import NotAllowed, Refused
from timebank.ledger.actions.post import transfers_by_cause
from timebank.ledger.queries import balance_of
from timebank.ledger.rules import AccountKind
from timebank.people.actions import end_proxy, register_proxy
from timebank.redemption.actions import buy_vouchers, refund_voucher
from timebank.redemption.codes import tidy_code
from timebank.redemption.models import Voucher
from timebank.redemption.queries import voucher_for, vouchers_of


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def buy(bank: Database, actor: Actor, quantity: int, **whom: object) -> list[Voucher]:
    with bank.unit_of_work() as session:
        return buy_vouchers(session, actor=actor, quantity=quantity, **whom)  # type: ignore[arg-type]


def test_sixty_minutes_become_a_voucher_good_for_180_days(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = holder_with(session, 130)
    one, other = buy(bank, holder, 2)
    assert one.code != other.code
    assert tidy_code(one.code) == one.code
    assert (one.status, one.price_minutes, one.expires_at) == ("issued", 60, NINE + timedelta(days=180))
    with bank.session() as session:
        balance = balance_of(session, holder.person())
        assert (balance.available_minutes, balance.voucher_minutes) == (10, 120)


def test_price_and_validity_are_kept_from_the_day_of_purchase(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder, canteen = holder_with(session, 200), add_canteen(session, DAYAN)
    [old, used] = buy(bank, holder, 2)
    with bank.unit_of_work() as session:
        change = change_policy(session, "voucher_price_minutes", 30)
        newest = change_policy(session, "voucher_valid_days", 10)
    [new] = buy(bank, holder, 1)
    assert (new.price_minutes, new.expires_at - NINE) == (30, timedelta(days=10))
    assert scan(bank, clerk(canteen), used.code).verdict.accepted
    with bank.unit_of_work() as session:
        assert refund_voucher(session, actor=holder, voucher_id=old.id).expires_at == NINE + timedelta(days=180)
        assert posted_in(session, AccountKind.SAVINGS, holder) == 200 - 60 - 30
        versions = [{t.policy_version for t in transfers_by_cause(session, v.id)} for v in (used, new)]
    assert versions == [{old.policy_version}, {newest.id}]
    assert old.policy_version < change.id


def test_a_township_may_have_a_price_of_its_own(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_price_minutes", 45, township_code=XIWU)
        here, there = holder_with(session, 90, township_code=XIWU), holder_with(session, 90, township_code=DAYAN)
    assert [v.price_minutes for v in buy(bank, here, 2)] == [45, 45]
    assert [v.price_minutes for v in buy(bank, there, 1)] == [60]


def test_too_few_minutes_are_told_with_what_there_is_and_what_is_needed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = holder_with(session, 179)
    with pytest.raises(Refused, match="insufficient_minutes:") as refusal:
        buy(bank, holder, 3)
    assert refusal.value.facts == {"available_minutes": 179, "needed_minutes": 180}
    with bank.session() as session:
        assert vouchers_of(session, actor=holder, limit=9) == []
        assert balance_of(session, holder.person()).available_minutes == 179


def test_nobody_without_any_account_buys(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = add_person(session, XIWU, age=66)
    with pytest.raises(Refused, match="insufficient_minutes:") as refusal:
        buy(bank, holder, 1)
    assert refusal.value.facts == {"available_minutes": 0, "needed_minutes": 60}


def test_a_voucher_is_for_oneself_from_sixty_on(bank: Database) -> None:
    with bank.unit_of_work() as session:
        young, old = holder_with(session, 60, age=59), holder_with(session, 60, age=60)
    with pytest.raises(Refused, match="too_young_to_redeem:") as refusal:
        buy(bank, young, 1)
    assert refusal.value.facts == {"min_age": 60, "age": 59}
    assert len(buy(bank, old, 1)) == 1


def test_a_quantity_is_from_one_to_a_hundred(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = holder_with(session, 2**53 - 1)
    for quantity, code in ((0, "amount_invalid"), (-1, "amount_invalid"), (101, "quantity_too_large")):
        with pytest.raises(Refused, match=f"{code}:"):
            buy(bank, holder, quantity)
    assert len(buy(bank, holder, 100)) == 100


def test_a_proxy_buys_with_the_elders_minutes_while_the_consent_lasts(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, daughter = add_elder(session, XIWU), add_person(session, SHANGTIAN, age=50)
        save_minutes(session, elder, 120)
        save_minutes(session, daughter, 600)
        proxy = register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=elder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="同意书第1号",
        )
    [voucher] = buy(bank, daughter, 1, for_person_id=elder.person())
    assert (voucher.holder_id, voucher.issued_by) == (elder.person_id, daughter.login_id)
    with bank.unit_of_work() as session:
        assert posted_in(session, AccountKind.SAVINGS, elder) == 60
        assert posted_in(session, AccountKind.SAVINGS, daughter) == 600
        assert voucher_for(session, actor=daughter, voucher_id=voucher.id).id == voucher.id
        end_proxy(session, actor=steward(XIWU), registration_id=proxy.id)
    with pytest.raises(NotAllowed, match="not_your_elder:"):
        buy(bank, daughter, 1, for_person_id=elder.person())


def test_strangers_and_staff_buy_nothing_for_others(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, stranger = holder_with(session, 60), holder_with(session, 60)
    for actor, code in ((stranger, "not_your_elder"), (steward(DAYAN), "other_township")):
        with pytest.raises(NotAllowed, match=f"{code}:"):
            buy(bank, actor, 1, for_person_id=elder.person(), evidence="同意书")
        with pytest.raises(NotAllowed, match="not_your_elder:"), bank.session() as session:
            vouchers_of(session, actor=actor, for_person_id=elder.person(), limit=9)


def test_grants_go_first_and_what_expires_first_foremost_even_within_one_voucher(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = add_elder(session, XIWU)
        savings = save_minutes(session, holder, 50)
        late = grant_minutes(session, holder, 40, expires_on=NINE.date() + timedelta(days=30))
        soon = grant_minutes(session, holder, 50, expires_on=NINE.date())
        expired = grant_minutes(session, holder, 99, expires_on=NINE.date() - timedelta(days=1))
    first, second = buy(bank, holder, 2)
    with bank.unit_of_work() as session:
        paid = [[(t.from_account_id, t.amount) for t in transfers_by_cause(session, v.id)] for v in (first, second)]
        assert paid == [[(soon, 50), (late, 10)], [(late, 30), (savings, 30)]]
        refund_voucher(session, actor=holder, voucher_id=second.id)
        refund_voucher(session, actor=holder, voucher_id=first.id)
        # Each minute is back where it came from.
        assert [balance_at(session, a) for a in (soon, late, savings, expired)] == [50, 40, 50, 99]


def test_purchases_at_once_never_spend_a_minute_twice(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = holder_with(session, 60 * 5 + 59)
    answers = at_once(bank, [lambda s: buy_vouchers(s, actor=holder, quantity=1)] * 8)
    assert codes_of(answers) == ["insufficient_minutes"] * 3 + ["ok"] * 5
    with bank.session() as session:
        assert balance_of(session, holder.person()).available_minutes == 59
