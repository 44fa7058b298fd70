"""How many vouchers a month, on which days and at which meals, bought by whom; and what becomes of them in the end."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.factories.minutes import balance_at, fill_pool, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from tests.factories.vouchers import bought, holder_with, make_relatives, scan
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.queries import balance_of
from timebank.ledger.rules import AccountKind
from timebank.notifications.actions import notices_for
from timebank.people.models import Person
from timebank.redemption.actions import (
    buy_vouchers,
    expire_voucher,
    give_voucher,
    holders_to_remind,
    refund_voucher,
    reissue_vouchers,
    remind_holder,
    void_voucher,
)
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def buy(bank: Database, actor: Actor, quantity: int = 1, **more: object) -> list[Voucher]:
    with bank.unit_of_work() as session:
        return buy_vouchers(session, actor=actor, quantity=quantity, **more)  # type: ignore[arg-type]


def policy(bank: Database, key: str, value: object, **where: str) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, key, value, **where)


def holder(bank: Database, minutes: int = 600, township_code: str = SHANGTIAN) -> Actor:
    with bank.unit_of_work() as session:
        return holder_with(session, minutes, township_code=township_code)


def remind(bank: Database) -> list[int]:
    with bank.session() as session:
        found = holders_to_remind(session, limit=99)
    told = []
    for holder_id in found:
        with bank.unit_of_work() as session:
            told.append(remind_holder(session, holder_id=holder_id))
    return told


def test_no_more_than_so_many_a_month_whatever_was_given_back(bank: Database) -> None:
    policy(bank, "voucher_max_per_month", 3)
    elder = holder(bank)
    one, other = buy(bank, elder, 2)
    with pytest.raises(Refused, match="monthly_limit_reached:") as refusal:
        buy(bank, elder, 2)
    assert refusal.value.facts == {"max_per_month": 3, "bought_this_month": 2}
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=elder, voucher_id=one.id)
        # One made anew counts once, and not at all once the new one is taken back.
        [anew] = reissue_vouchers(session, actor=elder, voucher_ids=[other.id])
    buy(bank, elder, 2)
    with pytest.raises(Refused, match="monthly_limit_reached:"):
        buy(bank, elder)
    with bank.unit_of_work() as session:
        void_voucher(session, actor=district(), voucher_id=anew.id, reason="重复购买")
    buy(bank, elder)


def test_the_month_is_the_calendars_in_fenghua(bank: Database) -> None:
    policy(bank, "voucher_max_per_month", 1)
    elder = holder(bank)
    last_moment = clock.day_start(datetime(2026, 4, 1).date()) - timedelta(microseconds=1)
    clock.freeze(last_moment)
    buy(bank, elder)
    with pytest.raises(Refused, match="monthly_limit_reached:"):
        buy(bank, elder)
    clock.freeze(last_moment + timedelta(microseconds=1))
    buy(bank, elder)


def test_a_gift_counts_for_whoever_bought_it(bank: Database) -> None:
    policy(bank, "voucher_max_per_month", 1)
    giver, receiver = holder(bank), holder(bank, township_code=DAYAN)
    with bank.unit_of_work() as session:
        make_relatives(session, giver, receiver)
    [voucher] = buy(bank, giver)
    with bank.unit_of_work() as session:
        give_voucher(session, actor=giver, voucher_id=voucher.id, to_person_id=receiver.person())
    with pytest.raises(Refused, match="monthly_limit_reached:"):
        buy(bank, giver)
    buy(bank, receiver)


def test_the_months_limit_holds_for_purchases_at_once(bank: Database) -> None:
    policy(bank, "voucher_max_per_month", 4, township_code=SHANGTIAN)
    elder = holder(bank, 6000)
    answers = at_once(bank, [lambda s: buy_vouchers(s, actor=elder, quantity=1)] * 12)
    assert codes_of(answers) == ["monthly_limit_reached"] * 8 + ["ok"] * 4
    with bank.session() as session:
        assert balance_of(session, elder.person()).voucher_minutes == 240


def test_days_and_meals_are_kept_from_the_day_of_purchase(bank: Database) -> None:
    [free] = buy(bank, holder(bank))
    policy(bank, "voucher_weekdays", [1, 2, 3, 4, 5], township_code=XIWU)
    policy(bank, "voucher_meals", ["lunch"], township_code=XIWU)
    elder = holder(bank, township_code=XIWU)
    [voucher] = buy(bank, elder)
    policy(
        bank,
        "meal_periods",
        {"breakfast": ["05:00", "06:00"], "lunch": ["06:00", "07:00"], "supper": ["07:00", "08:00"]},
    )
    with bank.unit_of_work() as session:
        [anew] = reissue_vouchers(session, actor=elder, voucher_ids=[voucher.id])
        here = clerk(add_canteen(session, DAYAN))
    assert (free.weekdays, free.meals) == (None, None)
    too_early = scan(bank, here, anew.code)
    assert too_early.verdict.reason == "voucher_not_this_meal"
    assert too_early.sentence == "这张券现在不能用，周一至周五，午餐（10:00～13:30）可用"
    saturday_noon = NINE.replace(hour=12) + timedelta(days=4)
    clock.freeze(saturday_noon)
    assert scan(bank, here, anew.code).verdict.reason == "voucher_not_today"
    assert scan(bank, here, free.code).verdict.accepted
    clock.freeze(saturday_noon + timedelta(days=2))
    assert scan(bank, here, anew.code).verdict.accepted


def test_a_steward_buys_for_an_elder_without_a_phone_on_a_consent_on_paper(bank: Database) -> None:
    elder = holder(bank, 120)
    of_the_township = steward(SHANGTIAN)
    [voucher] = buy(bank, of_the_township, for_person_id=elder.person(), evidence=" 同意书第7号 ")
    assert (voucher.holder_id, voucher.issued_by) == (elder.person_id, of_the_township.login_id)
    assert voucher.issued_by_name == f"{of_the_township.name}（代{elder.name}）"
    assert voucher.issue_evidence == "同意书第7号"
    with bank.session() as session:
        [notice] = notices_for(session, person_id=elder.person(), limit=9)
        assert (notice.title, "用去1小时" in notice.body) == ("已为您购买用餐券", True)
    for evidence in (None, "", "  "):
        with pytest.raises(Refused, match="evidence_missing:"):
            buy(bank, of_the_township, for_person_id=elder.person(), evidence=evidence)
    with pytest.raises(NotAllowed, match="other_township:"):
        buy(bank, steward(XIWU), for_person_id=elder.person(), evidence="同意书")
    with pytest.raises(NotFound, match="person_unknown:"):
        buy(bank, district(), for_person_id=new_id(), evidence="同意书")
    assert len(buy(bank, district(), for_person_id=elder.person(), evidence="同意书第8号")) == 1
    [own] = buy(bank, holder(bank), evidence="不需要")
    assert own.issue_evidence is None


def test_whoever_has_left_buys_nothing(bank: Database) -> None:
    elder = holder(bank)
    with bank.unit_of_work() as session:
        session.get_one(Person, elder.person()).left_at = NINE
    with pytest.raises(Conflict, match="person_left:"):
        buy(bank, elder)


def test_what_expires_goes_to_the_pool_where_that_was_the_rule_when_it_was_bought(bank: Database) -> None:
    [refunded] = buy(bank, first := holder(bank, 60))
    policy(bank, "voucher_on_expiry", "pool")
    [pooled] = buy(bank, second := holder(bank, 60))
    clock.freeze(NINE + timedelta(minutes=1))
    policy(bank, "voucher_on_expiry", "refund")
    with bank.unit_of_work() as session:
        here, pool = clerk(add_canteen(session, DAYAN)), fill_pool(session, SHANGTIAN, 5)
        [anew] = reissue_vouchers(session, actor=second, voucher_ids=[pooled.id])
    clock.freeze(anew.expires_at)
    assert "公益时间池" in scan(bank, here, anew.code).sentence
    with pytest.raises(Conflict, match="voucher_not_refundable:"), bank.unit_of_work() as session:
        refund_voucher(session, actor=second, voucher_id=anew.id)
    for voucher in (refunded, anew):
        with bank.unit_of_work() as session:
            assert expire_voucher(session, voucher_id=voucher.id)
    with bank.session() as session:
        assert balance_at(session, pool) == 65
        assert [posted_in(session, AccountKind.SAVINGS, one) for one in (first, second)] == [60, 0]
        [notice] = notices_for(session, person_id=second.person(), limit=1)
        assert "已转入公益时间池" in notice.body


def test_what_somebody_who_has_left_did_not_use_goes_to_the_pool(bank: Database) -> None:
    elder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        pool = fill_pool(session, SHANGTIAN, 1)
        session.get_one(Person, elder.person()).left_at = NINE
    clock.freeze(voucher.expires_at)
    with bank.unit_of_work() as session:
        assert expire_voucher(session, voucher_id=voucher.id)
        assert balance_at(session, pool) == 61


def test_people_are_told_once_of_what_expires_soon_in_one_notice_a_day(bank: Database) -> None:
    elder, vouchers = bought(bank, 2)
    ends = vouchers[0].expires_at
    clock.freeze(ends - timedelta(days=8))
    with bank.unit_of_work() as session:
        save_minutes(session, elder, 60)
    assert remind(bank) == []
    clock.freeze(ends - timedelta(days=7))
    assert remind(bank) == [2]
    assert remind(bank) == []
    with bank.session() as session:
        [notice] = notices_for(session, person_id=elder.person(), limit=9)
        assert notice.title == "用餐券快到期"
        assert f"您有2张用餐券快到期，最早的一张{ends:%m月%d日 %H:%M}到期" in notice.body


def test_another_voucher_is_told_of_on_another_day_and_none_that_is_gone(bank: Database) -> None:
    policy(bank, "voucher_valid_days", 7)
    elder = holder(bank)
    first, used = buy(bank, elder, 2)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=elder, voucher_id=used.id)
    assert remind(bank) == [1]
    clock.freeze(NINE + timedelta(hours=3))
    buy(bank, elder)
    # One made anew was told of under its old code.
    with bank.unit_of_work() as session:
        reissue_vouchers(session, actor=elder, voucher_ids=[first.id])
    assert remind(bank) == []
    clock.freeze(clock.day_start(NINE.date() + timedelta(days=1)))
    assert remind(bank) == [1]


def test_a_township_reminds_earlier_or_not_at_all(bank: Database) -> None:
    policy(bank, "voucher_reminder_days", 20, township_code=XIWU)
    policy(bank, "voucher_reminder_days", 0, township_code=DAYAN)
    for code in (XIWU, DAYAN, SHANGTIAN):
        buy(bank, holder(bank, 60, code))
    clock.freeze(NINE + timedelta(days=165))
    with bank.session() as session:
        assert [session.get_one(Person, one).township_code for one in holders_to_remind(session, limit=9)] == [XIWU]
    clock.freeze(NINE + timedelta(days=180) - timedelta(microseconds=1))
    with bank.session() as session:
        homes = {session.get_one(Person, one).township_code for one in holders_to_remind(session, limit=9)}
    assert homes == {XIWU, SHANGTIAN}


def test_a_person_is_told_once_however_many_processes_run_the_job(bank: Database) -> None:
    policy(bank, "voucher_valid_days", 3)
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        save_minutes(session, elder, 300)
    buy(bank, elder, 5)
    answers = at_once(bank, [lambda s: (remind_holder(s, holder_id=elder.person()),)] * 5)
    assert sorted(answers, key=str) == [(0,)] * 4 + [(5,)]
