"""Gifts to relatives and donations: out of savings, within policy, across townships through clearing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.family import make_relatives
from tests.factories.giving import giver_and_receiver, moved_for, pool_of
from tests.factories.minutes import grant_minutes, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from timebank.clearing.actions import move_home
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.giving.actions import donate, give
from timebank.giving.models import Gift
from timebank.giving.queries import donations_of, gifts_of
from timebank.ledger.actions import reverse
from timebank.ledger.models import Transfer
from timebank.ledger.rules import AccountKind
from timebank.notifications.models import Notice
from timebank.people.actions import end_relation, register_proxy
from timebank.people.family_queries import relation_between
from timebank.people.family_rules import Relation
from timebank.people.models import Person
from timebank.people.rules import ProxyScope

SAVINGS = AccountKind.SAVINGS


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def told(session: Session, who: Actor) -> list[str]:
    query = select(Notice.body).where(Notice.person_id == who.person_id)
    return list(session.scalars(query.order_by(Notice.id)))


def have(session: Session, *people: Actor) -> list[int]:
    return [posted_in(session, SAVINGS, one) for one in people]


def test_whoever_is_too_young_to_redeem_gives_across_townships(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        gift = give(session, actor=daughter, to_person_id=mother.person(), minutes=90, note="生日快乐")
        assert have(session, daughter, mother) == [210, 90]
        assert moved_for(session, gift.id) == [(SHANGTIAN, "gift", 90), (XIWU, "gift", 90)]
        first = session.get_one(Transfer, gift.transfer_id)
        assert (first.link_id, first.recorded_by, first.note) == (first.id, daughter.login_id, "周小敏赠与周桂芬")
        assert (first.policy_version, gift.relation, gift.given_by_name) == (1, "parent", "周小敏")
        assert told(session, mother) == ["周小敏赠与您1小时30分钟，已记入您的时间账户：生日快乐"]
        assert told(session, daughter) == ["周小敏已赠与周桂芬1小时30分钟：生日快乐"]
    with bank.session() as session:
        owed = {p.township_code: p.position_minutes for p in positions(session, window_name=None)[1]}
    assert (owed[SHANGTIAN], owed[XIWU]) == (-90, 90)


def test_granted_minutes_are_never_given(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session, minutes=60, age=70)
        grant_minutes(session, daughter, 600, expires_on=date(2026, 12, 31))
        with pytest.raises(BankError, match="insufficient_minutes:") as refusal, session.begin_nested():
            give(session, actor=daughter, to_person_id=mother.person(), minutes=61)
        assert refusal.value.facts == {"available_minutes": 60, "needed_minutes": 61}
        give(session, actor=daughter, to_person_id=mother.person(), minutes=60)
        assert have(session, daughter, mother) == [0, 60]


def test_gifts_go_to_registered_relatives_only_and_nobody_learns_who_exists(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        stranger = add_elder(session, XIWU)
        answers = set()
        for other in (stranger.person(), new_id(), daughter.person()):
            with pytest.raises(BankError) as refusal:
                give(session, actor=daughter, to_person_id=other, minutes=10)
            answers.add((refusal.value.code, refusal.value.title, str(refusal.value.facts)))
        assert len(answers) == 1
        assert answers.pop()[0] == "not_relatives"
        known = relation_between(session, daughter.person(), mother.person())
        assert known is not None
        end_relation(session, actor=mother, relation_id=known.id)
        with pytest.raises(BankError, match="not_relatives:"):
            give(session, actor=daughter, to_person_id=mother.person(), minutes=10)


def test_policy_says_which_relatives_and_of_what_age(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        sister = add_person(session, SHANGTIAN, age=59)
        make_relatives(session, daughter, sister, Relation.SIBLING)
        with pytest.raises(BankError, match="receiver_too_young:") as refusal:
            give(session, actor=daughter, to_person_id=sister.person(), minutes=10)
        assert refusal.value.facts == {"min_age": 60, "age": 59}
        change_policy(session, "gift_receiver_min_age", 59, township_code=SHANGTIAN)
        give(session, actor=daughter, to_person_id=sister.person(), minutes=10)
        change_policy(session, "gift_relations", ["spouse", "child"], township_code=SHANGTIAN)
        for other, name in ((mother, "父母"), (sister, "兄弟姐妹")):
            with pytest.raises(BankError, match=f"gift_relation_not_allowed: 按规定不能赠与{name}"):
                give(session, actor=daughter, to_person_id=other.person(), minutes=10)
        # Seen from the mother, the same relation is a child.
        save_minutes(session, mother, 60)
        change_policy(session, "gift_receiver_min_age", 0)
        change_policy(session, "gift_relations", ["child"])
        give(session, actor=mother, to_person_id=daughter.person(), minutes=60)


def test_a_monthly_cap_counts_what_stands_of_this_month(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "gift_max_minutes_per_month", 100)
        daughter, mother = giver_and_receiver(session)
        gift = give(session, actor=daughter, to_person_id=mother.person(), minutes=60)
        with pytest.raises(BankError, match="gift_cap_reached:") as refusal:
            give(session, actor=daughter, to_person_id=mother.person(), minutes=41)
        assert refusal.value.facts == {"cap_minutes": 100, "given_minutes": 60, "left_minutes": 40}
        reverse(session, actor=steward(SHANGTIAN), transfer_id=gift.transfer_id, reason="按错了")
        reverse(session, actor=district(), transfer_id=gift.transfer_id, reason="同意")
        give(session, actor=daughter, to_person_id=mother.person(), minutes=100)
        clock.freeze(clock.day_start(date(2026, 4, 1)))
        give(session, actor=daughter, to_person_id=mother.person(), minutes=100)
        assert have(session, daughter, mother) == [100, 200]


def test_at_its_hard_limit_a_township_gives_at_home_only(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        neighbour = add_elder(session, SHANGTIAN)
        make_relatives(session, daughter, neighbour, Relation.OTHER)
        change_policy(session, "position_soft_limit_minutes", 60, township_code=SHANGTIAN)
        change_policy(session, "position_hard_limit_minutes", 60, township_code=SHANGTIAN)
        give(session, actor=daughter, to_person_id=mother.person(), minutes=60)
        with pytest.raises(BankError, match="position_limit_reached:"):
            give(session, actor=daughter, to_person_id=mother.person(), minutes=1)
        give(session, actor=daughter, to_person_id=neighbour.person(), minutes=60)
        # Whoever receives takes on no debt.
        save_minutes(session, mother, 10)
        change_policy(session, "gift_receiver_min_age", 0)
        give(session, actor=mother, to_person_id=daughter.person(), minutes=10)


def test_a_proxy_gives_for_the_elder_and_both_names_stand(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        husband = add_elder(session, DAYAN, name="吴大海")
        make_relatives(session, mother, husband, Relation.SPOUSE)
        save_minutes(session, mother, 120)
        register_proxy(
            session,
            actor=steward(XIWU),
            elder_id=mother.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="委托书",
            scopes=[ProxyScope.GIFTS],
        )
        how = {"to_person_id": husband.person(), "for_person_id": mother.person()}
        gift = give(session, actor=daughter, minutes=120, **how)
        assert (gift.giver_id, gift.given_by_name) == (mother.person_id, "周小敏（代周桂芬）")
        assert have(session, daughter, mother, husband) == [300, 0, 120]
        assert told(session, mother) == ["周小敏（代周桂芬）已赠与吴大海2小时。"]
        assert session.get_one(Transfer, gift.transfer_id).note == "周小敏（代周桂芬）赠与吴大海"
        [seen] = gifts_of(session, actor=daughter, for_person_id=mother.person(), limit=5)
        assert (seen.direction, seen.name, seen.relation) == ("given", "吴大海", "spouse")
        with pytest.raises(BankError, match="not_your_elder:"):
            gifts_of(session, actor=daughter, for_person_id=husband.person(), limit=5)


def test_nothing_is_given_by_or_to_whoever_has_left(bank: Database) -> None:
    for gone in (0, 1):
        with bank.unit_of_work() as session:
            pair = giver_and_receiver(session)
            session.get_one(Person, pair[gone].person()).left_at = clock.now()
            session.flush()
            with pytest.raises(BankError, match="person_left:"):
                give(session, actor=pair[0], to_person_id=pair[1].person(), minutes=10)
            if gone == 0:
                with pytest.raises(BankError, match="person_left:"):
                    donate(session, actor=pair[0], minutes=10)
    for minutes in (0, -5):
        with bank.unit_of_work() as session, pytest.raises(BankError, match="amount_invalid:"):
            donate(session, actor=add_person(session, XIWU), minutes=minutes)


@pytest.mark.parametrize("mover", ["giver", "receiver", "both"])
def test_two_stewards_take_a_gift_back_wherever_people_have_moved(bank: Database, mover: str) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        gift = give(session, actor=daughter, to_person_id=mother.person(), minutes=90)
    with bank.unit_of_work() as session:
        for who, one in (("giver", daughter), ("receiver", mother)):
            if mover in (who, "both"):
                where = {"person_id": one.person(), "township_code": DAYAN, "evidence": "户口本"}
                move_home(session, actor=district(), **where)  # type: ignore[arg-type]
    with bank.unit_of_work() as session:
        reverse(session, actor=steward(XIWU), transfer_id=gift.transfer_id, reason="转错了人")
        assert reverse(session, actor=district(), transfer_id=gift.transfer_id, reason="同意")[0] == "reversed"
        assert have(session, daughter, mother) == [300, 0]
        for one in (daughter, mother):
            assert told(session, one)[-1] == "1小时30分钟已按规定冲正：转错了人"
        [seen] = gifts_of(session, actor=daughter, limit=5)
        assert seen.reversed


def test_what_the_receiver_has_spent_is_not_taken_back(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        gift = give(session, actor=daughter, to_person_id=mother.person(), minutes=90)
        donate(session, actor=mother, minutes=1)
        reverse(session, actor=steward(XIWU), transfer_id=gift.transfer_id, reason="转错了人")
        with pytest.raises(BankError, match="insufficient_minutes:"), session.begin_nested():
            reverse(session, actor=district(), transfer_id=gift.transfer_id, reason="同意")
        for actor in (daughter, mother):
            with pytest.raises(BankError, match="steward_only:"):
                reverse(session, actor=actor, transfer_id=gift.transfer_id, reason="想要回来")


def test_lists_show_both_sides_newest_first_page_by_page(bank: Database) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session)
        change_policy(session, "gift_receiver_min_age", 0)
        gifts = [give(session, actor=daughter, to_person_id=mother.person(), minutes=n) for n in (1, 2, 3)]
        back = give(session, actor=mother, to_person_id=daughter.person(), minutes=4)
        shown = gifts_of(session, actor=mother, limit=3)
        assert [(g.minutes, g.direction, g.relation) for g in shown] == [
            (4, "given", "child"),
            (3, "received", "child"),
            (2, "received", "child"),
        ]
        assert [g.gift_id for g in gifts_of(session, actor=mother, limit=3, before=gifts[1].id)] == [gifts[0].id]
        assert [g.gift_id for g in gifts_of(session, actor=mother, direction="given", limit=9)] == [back.id]
        assert [g.minutes for g in gifts_of(session, actor=mother, direction="received", limit=9)] == [3, 2, 1]
        assert gifts_of(session, actor=add_person(session, XIWU), limit=9) == []


def test_donations_go_to_the_pool_at_home_at_whatever_age_and_are_kept_for_honour(bank: Database) -> None:
    with bank.unit_of_work() as session:
        young = add_person(session, DAYAN, age=20, name="林小远")
        save_minutes(session, young, 100)
        donate(session, actor=young, minutes=30)
        clock.freeze(NINE + timedelta(minutes=1))
        second = donate(session, actor=young, minutes=50, note="给需要的人", from_group="蒋家池头志愿队")
        assert (pool_of(session, DAYAN), have(session, young)) == (80, [20])
        assert session.get_one(Transfer, second.transfer_id).note == "以蒋家池头志愿队名义捐赠"
        assert told(session, young)[-1] == "您向大堰镇公益时间池捐赠了50分钟，感谢您的爱心。"
        with pytest.raises(BankError, match="insufficient_minutes:"), session.begin_nested():
            donate(session, actor=young, minutes=21)
        listed, total = donations_of(session, actor=young, limit=1)
        assert ([d.donation_id for d in listed], total) == ([second.id], 80)
        reverse(session, actor=steward(DAYAN), transfer_id=second.transfer_id, reason="数目写错")
        reverse(session, actor=district(), transfer_id=second.transfer_id, reason="同意")
        listed, total = donations_of(session, actor=young, limit=9)
        assert ([(d.minutes, d.reversed) for d in listed], total) == ([(50, True), (30, False)], 30)
        assert (pool_of(session, DAYAN), have(session, young)) == (30, [70])


@pytest.mark.parametrize("times", range(3))
def test_of_two_gifts_at_once_beyond_the_savings_one_is_given(bank: Database, times: int) -> None:
    with bank.unit_of_work() as session:
        daughter, mother = giver_and_receiver(session, minutes=100)
    answers = at_once(bank, [lambda s: give(s, actor=daughter, to_person_id=mother.person(), minutes=60)] * 4)
    assert codes_of(answers) == ["insufficient_minutes"] * 3 + ["ok"]
    with bank.session() as session:
        assert have(session, daughter, mother) == [40, 60]
        assert len(session.scalars(select(Gift.id)).all()) == 1


def test_gifts_at_once_share_one_monthly_cap(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "gift_max_minutes_per_month", 100)
        daughter, mother = giver_and_receiver(session)
    answers = at_once(bank, [lambda s: give(s, actor=daughter, to_person_id=mother.person(), minutes=50)] * 4)
    assert codes_of(answers) == ["gift_cap_reached"] * 2 + ["ok"] * 2


def test_two_who_give_to_each_other_at_once_do_not_wait_in_a_ring(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "gift_receiver_min_age", 0)
        daughter, mother = giver_and_receiver(session, minutes=100)
        save_minutes(session, mother, 100)
    pairs = [(daughter, mother), (mother, daughter)] * 4
    answers = at_once(
        bank,
        [lambda s, a=a, b=b: give(s, actor=a, to_person_id=b.person(), minutes=10) for a, b in pairs],
    )
    assert codes_of(answers) == ["ok"] * 8
