"""Looking people up at the counter by name and last four, and redeeming for them."""

from __future__ import annotations

from dataclasses import fields
from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from tests.factories.minutes import save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from tests.factories.vouchers import bought
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import NotAllowed, Refused
from timebank.core.ids import new_id
from timebank.people.actions import index_person, unindexed_people
from timebank.people.models import ElderFile, Person
from timebank.redemption.actions import Diner, buy_vouchers, find_diners, redeem_for, refund_voucher
from timebank.redemption.models import Voucher


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def counter(bank: Database) -> Actor:
    with bank.unit_of_work() as session:
        return clerk(add_canteen(session, DAYAN, "大堰中心食堂"))


def four_of(bank: Database, someone: Actor) -> str:
    with bank.session() as session:
        return session.get_one(Person, someone.person()).id_number[-4:]


def find(bank: Database, actor: Actor, name: str, four: str) -> list[Diner]:
    with bank.unit_of_work() as session:
        return find_diners(session, actor=actor, name=name, id_last_four=four)


def redeem(bank: Database, actor: Actor, voucher_id: object, nonce: str) -> tuple[bool, str]:
    with bank.unit_of_work() as session:
        verdict = redeem_for(session, actor=actor, voucher_id=voucher_id, nonce=nonce).verdict  # type: ignore[arg-type]
    return verdict.accepted, verdict.reason


def elder_of(bank: Database, township_code: str, name: str, *, vouchers: int = 0, village: str | None = None) -> Actor:
    with bank.unit_of_work() as session:
        elder = add_elder(session, township_code, name=name)
        session.add(ElderFile(person_id=elder.person(), village=village))
        if vouchers:
            save_minutes(session, elder, 60 * vouchers)
            buy_vouchers(session, actor=elder, quantity=vouchers)
    return elder


def test_a_clerk_finds_whoever_stands_there_and_where_they_live(bank: Database, counter: Actor) -> None:
    elder = elder_of(bank, XIWU, "周桂芬", vouchers=2, village="蒋家池头村")
    [found] = find(bank, counter, " 周 桂芬 ", four_of(bank, elder).lower())
    assert (found.person_id, found.name, found.township_name) == (elder.person_id, "周桂芬", "西坞街道")
    assert (found.village, found.unused_vouchers, found.next_expires_at) == (
        "蒋家池头村",
        2,
        NINE + timedelta(days=180),
    )
    # Nothing that would tell more about somebody than the clerk needs in order to ask.
    assert {f.name for f in fields(Diner)} == {
        *("person_id", "name", "township_code", "township_name", "village"),
        *("unused_vouchers", "next_voucher_id", "next_expires_at"),
    }


def test_everybody_of_that_name_and_number_is_shown_and_nobody_else(bank: Database, counter: Actor) -> None:
    elder = elder_of(bank, XIWU, "周桂芬")
    four = four_of(bank, elder)
    with bank.unit_of_work() as session:
        # A namesake of another township whose number ends alike.
        twin = add_elder(session, SHANGTIAN, name="周桂芬")
        index = session.get_one(Person, elder.person()).name_last4_index
        session.execute(update(Person).where(Person.id == twin.person()).values(name_last4_index=index))
    assert [one.township_code for one in find(bank, counter, "周桂芬", four)] == [XIWU, SHANGTIAN]
    assert find(bank, counter, "周桂芳", four) == []
    other = f"{(int(four[0]) + 1) % 10}{four[1:]}"
    assert find(bank, counter, "周桂芬", other) == []
    with bank.unit_of_work() as session:
        session.get_one(Person, twin.person()).left_at = NINE
    assert [one.person_id for one in find(bank, counter, "周桂芬", four)] == [elder.person_id]


@pytest.mark.parametrize("four", ["", "123", "12345", "12a4", "X123", "１２３４五"])
def test_the_last_four_are_three_digits_and_a_digit_or_x(bank: Database, counter: Actor, four: str) -> None:
    with pytest.raises(Refused, match="last_four_invalid:"):
        find(bank, counter, "周桂芬", four)


def test_the_voucher_shown_is_one_that_is_good_here_and_now(bank: Database, counter: Actor) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU, name="周桂芬")
        save_minutes(session, elder, 300)
        [at_home] = buy_vouchers(session, actor=elder, quantity=1, home_only=True)
    four = four_of(bank, elder)
    clock.freeze(NINE + timedelta(hours=1))
    [found] = find(bank, counter, "周桂芬", four)
    assert (found.unused_vouchers, found.next_voucher_id) == (1, at_home.id)
    with bank.unit_of_work() as session:
        anywhere = buy_vouchers(session, actor=elder, quantity=2)
    [found] = find(bank, counter, "周桂芬", four)
    assert (found.unused_vouchers, found.next_voucher_id) == (3, min(v.id for v in anywhere))
    with bank.unit_of_work() as session:
        for voucher in (at_home, *anywhere):
            refund_voucher(session, actor=elder, voucher_id=voucher.id)
    [found] = find(bank, counter, "周桂芬", four)
    assert (found.unused_vouchers, found.next_voucher_id, found.next_expires_at) == (0, None, None)


def test_a_voucher_of_somebody_looked_up_is_redeemed_like_any_scan(bank: Database, counter: Actor) -> None:
    elder = elder_of(bank, XIWU, "周桂芬", vouchers=2)
    [found] = find(bank, counter, "周桂芬", four_of(bank, elder))
    assert redeem(bank, counter, found.next_voucher_id, "n-1") == (True, "ok")
    assert redeem(bank, counter, found.next_voucher_id, "n-1") == (True, "ok")
    assert redeem(bank, counter, found.next_voucher_id, "n-2") == (False, "already_redeemed")
    [after] = find(bank, counter, "周桂芬", four_of(bank, elder))
    assert after.unused_vouchers == 1
    assert redeem(bank, counter, after.next_voucher_id, "n-1") == (False, "nonce_reused")
    unknown = new_id()
    assert redeem(bank, counter, unknown, "n-3") == redeem(bank, counter, unknown, "n-3") == (False, "voucher_unknown")


def test_only_a_clerk_looks_up_and_redeems_for_others(bank: Database, counter: Actor) -> None:
    holder, [voucher] = bought(bank)
    for actor in (holder, steward(SHANGTIAN), district()):
        with pytest.raises(NotAllowed, match="clerk_only:"):
            find(bank, actor, "周桂芬", "1234")
        with pytest.raises(NotAllowed, match="clerk_only:"):
            redeem(bank, actor, voucher.id, "n")
    with bank.session() as session:
        assert session.get_one(Voucher, voucher.id).status == "issued"


def test_every_look_up_is_written_down_without_what_was_typed(bank: Database, counter: Actor) -> None:
    elder = elder_of(bank, XIWU, "周桂芬")
    find(bank, counter, "周桂芬", four_of(bank, elder))
    find(bank, counter, "没有这人", "1234")
    with bank.session() as session:
        first, second = session.scalars(select(AuditEntry).order_by(AuditEntry.id))
    assert (first.action, first.login_id, first.facts) == (
        "voucher_look_up",
        counter.login_id,
        {"people": [str(elder.person_id)]},
    )
    assert (second.subject_id, second.facts) == (str(counter.organisation_id), {"people": []})


def test_a_clerk_looks_up_so_many_times_an_hour_and_is_told_when_to_come_back(bank: Database, counter: Actor) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_find_max_per_hour", 3, township_code=DAYAN)
        colleague = clerk(add_canteen(session, DAYAN))
    for minute in (0, 10, 20):
        clock.freeze(NINE + timedelta(minutes=minute))
        find(bank, counter, "周桂芬", "1234")
    clock.freeze(NINE + timedelta(minutes=59))
    with pytest.raises(NotAllowed, match="too_many_lookups:") as refusal:
        find(bank, counter, "周桂芬", "1234")
    assert refusal.value.facts == {"max_per_hour": 3, "retry_after_seconds": 61}
    find(bank, colleague, "周桂芬", "1234")
    clock.freeze(NINE + timedelta(minutes=60))
    find(bank, counter, "周桂芬", "1234")
    with pytest.raises(NotAllowed, match="too_many_lookups:"):
        find(bank, counter, "周桂芬", "1234")


def test_the_limit_holds_for_look_ups_at_once(bank: Database, counter: Actor) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_find_max_per_hour", 4)
    answers = at_once(bank, [lambda s: (find_diners(s, actor=counter, name="周", id_last_four="1234"),)] * 10)
    assert codes_of(answers) == ["ok"] * 4 + ["too_many_lookups"] * 6


def test_people_from_before_the_index_are_found_once_the_job_has_been_there(bank: Database, counter: Actor) -> None:
    elder = elder_of(bank, XIWU, "周桂芬")
    with bank.unit_of_work() as session:
        session.execute(text("UPDATE person SET name_last4_index = NULL"))
    assert find(bank, counter, "周桂芬", four_of(bank, elder)) == []
    with bank.session() as session:
        assert unindexed_people(session, limit=9) == [elder.person_id]
    answers = at_once(bank, [lambda s: (index_person(s, person_id=elder.person()),)] * 3)
    assert sorted(answers, key=str) == [(False,), (False,), (True,)]
    assert len(find(bank, counter, "周桂芬", four_of(bank, elder))) == 1
    with bank.session() as session:
        assert unindexed_people(session, limit=9) == []
