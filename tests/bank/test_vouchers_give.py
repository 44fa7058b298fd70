"""Giving a voucher to a relative."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.factories.clearing import position_minutes
from tests.factories.minutes import grant_minutes, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from tests.factories.vouchers import holder_with, make_relatives, scan
from timebank.clearing.actions import move_home
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.giving.actions import give as give_minutes
from timebank.ledger.queries import balance_of
from timebank.ledger.rules import AccountKind
from timebank.notifications.actions import notices_for
from timebank.people.actions import register_proxy
from timebank.people.family_rules import Relation
from timebank.people.models import Person
from timebank.people.rules import ProxyScope
from timebank.redemption.actions import buy_vouchers, expire_voucher, give_voucher, refund_voucher, reissue_vouchers
from timebank.redemption.models import Voucher
from timebank.redemption.queries import vouchers_of


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def siblings(bank: Database, *, minutes: int = 60, age: int = 70, home: str = DAYAN) -> tuple[Actor, Actor]:
    """Somebody of 尚田 with savings and a sibling elsewhere."""
    with bank.unit_of_work() as session:
        giver, sister = holder_with(session, minutes), add_person(session, home, age=age, name="妹妹")
        make_relatives(session, giver, sister)
    return giver, sister


def buy(bank: Database, holder: Actor, quantity: int = 1, *, home_only: bool = False) -> list[Voucher]:
    with bank.unit_of_work() as session:
        return buy_vouchers(session, actor=holder, quantity=quantity, home_only=home_only)


def give(bank: Database, actor: Actor, voucher: Voucher, to: Actor) -> Voucher:
    with bank.unit_of_work() as session:
        return give_voucher(session, actor=actor, voucher_id=voucher.id, to_person_id=to.person())


def test_a_given_voucher_is_the_relatives_and_its_minutes_are_owed_between_the_townships(bank: Database) -> None:
    giver, sister = siblings(bank)
    [voucher] = buy(bank, giver)
    given = give(bank, giver, voucher, sister)
    assert (given.holder_id, given.status, given.expires_at) == (sister.person_id, "issued", voucher.expires_at)
    assert given.code != voucher.code
    assert position_minutes(bank, None) == {SHANGTIAN: -60, DAYAN: 60}
    with bank.unit_of_work() as session:
        assert (posted_in(session, AccountKind.VOUCHERS, giver), posted_in(session, AccountKind.VOUCHERS, sister)) == (
            0,
            60,
        )
        [(old, _)] = vouchers_of(session, actor=giver, limit=9)
        assert (old.status, old.void_reason, old.replaced_by_id) == ("void", "given", given.id)
        [told, *_] = notices_for(session, person_id=sister.person(), limit=9)
        assert (told.title, giver.name in told.body) == ("收到一张用餐券", True)
        here = clerk(add_canteen(session, DAYAN))
    printout = scan(bank, here, voucher.code)
    assert (printout.verdict.reason, "转赠" in printout.sentence) == ("voucher_void", True)
    assert scan(bank, here, given.code).verdict.accepted
    assert position_minutes(bank, None) == {SHANGTIAN: -60, DAYAN: 60}


def test_what_was_given_goes_back_to_whom_it_was_given_never_to_the_giver(bank: Database) -> None:
    giver, sister = siblings(bank, minutes=120)
    one, other = buy(bank, giver, 2)
    first, second = give(bank, giver, one, sister), give(bank, giver, other, sister)
    with bank.unit_of_work() as session:
        [made] = reissue_vouchers(session, actor=sister, voucher_ids=[first.id])
        refund_voucher(session, actor=sister, voucher_id=made.id)
    clock.freeze(second.expires_at)
    with bank.unit_of_work() as session:
        assert expire_voucher(session, voucher_id=second.id)
    with bank.session() as session:
        assert balance_of(session, sister.person()).savings_minutes == 120
        assert balance_of(session, giver.person()).savings_minutes == 0
    with pytest.raises(NotFound, match="voucher_unknown:"), bank.unit_of_work() as session:
        refund_voucher(session, actor=giver, voucher_id=second.id)


def test_a_voucher_is_given_on_and_back_each_time_under_a_new_code(bank: Database) -> None:
    giver, sister = siblings(bank)
    [voucher] = buy(bank, giver)
    there = give(bank, giver, voucher, sister)
    back = give(bank, sister, there, giver)
    assert back.holder_id == giver.person_id
    assert len({voucher.code, there.code, back.code}) == 3
    assert position_minutes(bank, None) == {}


def test_only_to_a_registered_relative_of_the_age_and_relation_that_policy_allows(bank: Database) -> None:
    giver, young = siblings(bank, age=59)
    [voucher] = buy(bank, giver)
    with bank.unit_of_work() as session:
        stranger, gone = add_elder(session, DAYAN), add_elder(session, DAYAN, name="已离开")
        make_relatives(session, giver, gone)
        session.get_one(Person, gone.person()).left_at = NINE
        cousin = add_elder(session, DAYAN)
        make_relatives(session, giver, cousin, Relation.SPOUSE)
        change_policy(session, "gift_relations", ["sibling"])
    with pytest.raises(Refused, match="not_relatives:"):
        give(bank, giver, voucher, stranger)
    with pytest.raises(Refused, match="not_relatives:"):
        give(bank, giver, voucher, giver)
    with pytest.raises(Refused, match="not_relatives:") as nobody, bank.unit_of_work() as session:
        give_voucher(session, actor=giver, voucher_id=voucher.id, to_person_id=new_id())
    with pytest.raises(Refused) as somebody:
        give(bank, giver, voucher, stranger)
    assert (somebody.value.title, somebody.value.facts) == (nobody.value.title, nobody.value.facts)
    with pytest.raises(Refused, match="gift_relation_not_allowed:"):
        give(bank, giver, voucher, cousin)
    with pytest.raises(Conflict, match="person_left:"):
        give(bank, giver, voucher, gone)
    with pytest.raises(Refused, match="receiver_too_young:") as refusal:
        give(bank, giver, voucher, young)
    assert refusal.value.facts == {"min_age": 60, "age": 59}
    with bank.unit_of_work() as session:
        # The receiver's township has no say in it.
        change_policy(session, "gift_receiver_min_age", 50, township_code=DAYAN)
    with pytest.raises(Refused, match="receiver_too_young:"):
        give(bank, giver, voucher, young)
    with bank.session() as session:
        [(kept, _)] = vouchers_of(session, actor=giver, limit=9)
        assert kept.status == "issued"


def test_only_the_holder_or_a_proxy_who_may_give_gives(bank: Database) -> None:
    giver, sister = siblings(bank, minutes=120)
    one, other = buy(bank, giver, 2)
    with bank.unit_of_work() as session:
        helpers = [add_person(session, XIWU, age=50, name=name) for name in ("周小敏", "周小军")]
        for proxy, scopes in zip(helpers, ([ProxyScope.GIFTS], [ProxyScope.MEALS]), strict=True):
            register_proxy(
                session,
                actor=district(),
                elder_id=giver.person(),
                proxy_id=proxy.person(),
                relation="代办",
                consent_evidence="同意书",
                scopes=scopes,
            )
    for actor in (sister, steward(SHANGTIAN), district()):
        with pytest.raises(NotFound, match="voucher_unknown:"):
            give(bank, actor, one, sister)
    with pytest.raises(NotAllowed, match="proxy_scope_missing:"):
        give(bank, helpers[1], one, sister)
    assert give(bank, helpers[0], one, sister).issued_by_name == f"周小敏（代{giver.name}）"
    with bank.session() as session:
        [notice] = notices_for(session, person_id=giver.person(), limit=1)
        assert (notice.title, "周小敏" in notice.body) == ("已转赠一张用餐券", True)
    assert other.status == "issued"


def test_granted_hours_and_home_vouchers_are_not_given_away(bank: Database) -> None:
    giver, sister = siblings(bank)
    with bank.unit_of_work() as session:
        brother = add_elder(session, SHANGTIAN)
        make_relatives(session, giver, brother)
        grant_minutes(session, giver, 30, expires_on=date(2026, 4, 1))
        save_minutes(session, giver, 30)
    mixed, home = *buy(bank, giver), *buy(bank, giver, home_only=True)
    with bank.unit_of_work() as session:
        [remade] = reissue_vouchers(session, actor=giver, voucher_ids=[mixed.id])
    with pytest.raises(Refused, match="voucher_not_giftable:"):
        give(bank, giver, remade, sister)
    with pytest.raises(Refused, match="voucher_not_giftable:"):
        give(bank, giver, home, sister)
    assert give(bank, giver, home, brother).only_township_code == SHANGTIAN


def test_used_and_expired_vouchers_are_not_given_away(bank: Database) -> None:
    giver, sister = siblings(bank, minutes=120)
    eaten, late = buy(bank, giver, 2)
    with bank.unit_of_work() as session:
        here = clerk(add_canteen(session, DAYAN))
    scan(bank, here, eaten.code)
    clock.freeze(late.expires_at)
    for voucher, status in ((eaten, "redeemed"), (late, "expired")):
        with pytest.raises(Conflict, match="voucher_not_issued:") as refusal:
            give(bank, giver, voucher, sister)
        assert refusal.value.facts["status"] == status


def test_at_its_hard_limit_a_township_gives_no_more_away_to_others(bank: Database) -> None:
    giver, sister = siblings(bank, minutes=120)
    one, other = buy(bank, giver, 2)
    with bank.unit_of_work() as session:
        change_policy(session, "position_soft_limit_minutes", 60, township_code=SHANGTIAN)
        change_policy(session, "position_hard_limit_minutes", 60, township_code=SHANGTIAN)
    give(bank, giver, one, sister)
    with pytest.raises(Refused, match="position_limit_reached:"):
        give(bank, giver, other, sister)


def test_what_is_given_in_vouchers_and_in_minutes_counts_towards_one_monthly_cap(bank: Database) -> None:
    giver, sister = siblings(bank, minutes=600)
    with bank.unit_of_work() as session:
        change_policy(session, "gift_max_minutes_per_month", 150)
        give_minutes(session, actor=giver, to_person_id=sister.person(), minutes=40)
    one, other, later = buy(bank, giver, 3)
    first = give(bank, giver, one, sister)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=sister, voucher_id=first.id)
    with pytest.raises(Refused, match="gift_cap_reached:") as refusal:
        give(bank, giver, other, sister)
    assert refusal.value.facts == {"cap_minutes": 150, "given_minutes": 100, "left_minutes": 50}
    with pytest.raises(Refused, match="gift_cap_reached:"), bank.unit_of_work() as session:
        give_minutes(session, actor=giver, to_person_id=sister.person(), minutes=51)
    with bank.unit_of_work() as session:
        give_minutes(session, actor=giver, to_person_id=sister.person(), minutes=50)
    clock.freeze(clock.day_start(date(2026, 4, 1)))
    give(bank, giver, later, sister)


def test_two_vouchers_given_at_once_share_one_monthly_cap(bank: Database) -> None:
    giver, sister = siblings(bank, minutes=240)
    with bank.unit_of_work() as session:
        change_policy(session, "gift_max_minutes_per_month", 60)
    vouchers = buy(bank, giver, 4)
    answers = at_once(
        bank,
        [lambda s, v=v: give_voucher(s, actor=giver, voucher_id=v.id, to_person_id=sister.person()) for v in vouchers],
    )
    assert codes_of(answers) == ["gift_cap_reached"] * 3 + ["ok"]


def test_a_voucher_bought_before_moving_away_is_given_from_the_book_it_lies_in(bank: Database) -> None:
    giver, sister = siblings(bank)
    [voucher] = buy(bank, giver)
    with bank.unit_of_work() as session:
        move_home(session, actor=district(), person_id=giver.person(), township_code=XIWU, evidence="迁移证")
    give(bank, giver, voucher, sister)
    assert position_minutes(bank, None) == {SHANGTIAN: -60, DAYAN: 60}


def test_of_two_gifts_of_one_voucher_at_once_exactly_one_happens(bank: Database) -> None:
    giver, sister = siblings(bank)
    [voucher] = buy(bank, giver)
    with bank.unit_of_work() as session:
        brother = add_elder(session, SHANGTIAN)
        make_relatives(session, giver, brother)
    answers = at_once(
        bank,
        [
            lambda s, to=to: give_voucher(s, actor=giver, voucher_id=voucher.id, to_person_id=to.person())
            for to in (sister, brother) * 3
        ],
    )
    assert codes_of(answers) == ["ok"] + ["voucher_not_issued"] * 5


def test_two_who_give_one_another_vouchers_at_once_do_not_wait_for_each_other(bank: Database) -> None:
    giver, sister = siblings(bank, minutes=240)
    with bank.unit_of_work() as session:
        save_minutes(session, sister, 240)
    mine, hers = buy(bank, giver, 4), buy(bank, sister, 4)
    calls = [(giver, v, sister) for v in mine] + [(sister, v, giver) for v in hers]
    answers = at_once(
        bank,
        [
            lambda s, a=a, v=v, to=to: give_voucher(s, actor=a, voucher_id=v.id, to_person_id=to.person())
            for a, v, to in calls
        ],
    )
    assert codes_of(answers) == ["ok"] * 8
    assert position_minutes(bank, None) == {}
    assert NINE + timedelta(days=180) == mine[0].expires_at
