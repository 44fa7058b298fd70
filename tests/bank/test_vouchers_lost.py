"""Lost cards made anew, and vouchers that a steward makes void."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.factories.minutes import balance_at, grant_minutes, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk, district, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from tests.factories.vouchers import bought, scan
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.ledger.queries import balance_of
from timebank.notifications.actions import notices_for
from timebank.people.actions import register_proxy
from timebank.people.rules import ProxyScope
from timebank.redemption.actions import (
    ScanAnswer,
    buy_vouchers,
    redeem_vouchers,
    refund_voucher,
    reissue_vouchers,
    void_voucher,
)
from timebank.redemption.models import Voucher
from timebank.redemption.queries import vouchers_of
from timebank.redemption.rules import Scan


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def reissue(bank: Database, actor: Actor, *vouchers: Voucher) -> list[Voucher]:
    with bank.unit_of_work() as session:
        return reissue_vouchers(session, actor=actor, voucher_ids=[voucher.id for voucher in vouchers])


def void(bank: Database, actor: Actor, voucher: Voucher, reason: str = "重复购买") -> Voucher:
    with bank.unit_of_work() as session:
        return void_voucher(session, actor=actor, voucher_id=voucher.id, reason=reason)


def counter(bank: Database, township_code: str = DAYAN) -> Actor:
    with bank.unit_of_work() as session:
        return clerk(add_canteen(session, township_code))


def transfers(bank: Database) -> int:
    with bank.session() as session:
        return session.scalars(select(func.count()).select_from(Transfer)).one()


def test_a_lost_card_is_made_anew_over_the_same_minutes_and_dies_itself(bank: Database) -> None:
    holder, [lost] = bought(bank)
    here, before = counter(bank), transfers(bank)
    [new] = reissue(bank, steward(SHANGTIAN), lost)
    assert transfers(bank) == before
    assert new.code != lost.code
    assert (new.expires_at, new.price_minutes, new.account_id) == (lost.expires_at, 60, lost.account_id)
    old = scan(bank, here, lost.code)
    assert (old.verdict.reason, old.sentence) == ("voucher_void", "这张券已挂失补办，请出示补办的新券")
    assert scan(bank, here, new.code).verdict.accepted
    with bank.session() as session:
        seen = {v.id: v for v, _ in vouchers_of(session, actor=holder, limit=9)}
        assert (seen[lost.id].void_reason, seen[lost.id].replaced_by_id) == ("lost", new.id)
        assert seen[new.id].replaces_id == lost.id
        [notice] = notices_for(session, person_id=holder.person(), limit=9)
        assert (notice.title, "旧券已不能使用" in notice.body) == ("用餐券已挂失补办", True)
        assert session.scalar(select(AuditEntry.action)) == "vouchers_reissued"


def test_a_whole_card_is_made_anew_without_what_was_used_given_back_or_is_over(bank: Database) -> None:
    holder, [eaten, refunded, *left] = bought(bank, 5)
    scan(bank, counter(bank), eaten.code)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=refunded.id)
        new = reissue_vouchers(session, actor=holder, for_person_id=holder.person())
    assert {voucher.replaces_id for voucher in new} == {voucher.id for voucher in left}
    clock.freeze(left[0].expires_at)
    with bank.unit_of_work() as session:
        assert reissue_vouchers(session, actor=holder, for_person_id=holder.person()) == []


def test_asking_twice_for_the_same_lost_card_makes_one_new_card(bank: Database) -> None:
    holder, lost = bought(bank, 2)
    first = reissue(bank, holder, *lost)
    again = reissue(bank, steward(SHANGTIAN), *lost[::-1], lost[0])
    assert [v.id for v in again] == [v.id for v in first[::-1]]
    with bank.session() as session:
        assert len(vouchers_of(session, actor=holder, limit=9)) == 4
    [third] = reissue(bank, holder, first[0])
    assert (third.replaces_id, third.origin_id) == (first[0].id, lost[0].id)


def test_a_voucher_that_is_used_given_back_or_over_is_not_made_anew(bank: Database) -> None:
    holder, [eaten, refunded, late] = bought(bank, 3)
    scan(bank, counter(bank), eaten.code)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=refunded.id)
    for voucher, status in ((eaten, "redeemed"), (refunded, "refunded")):
        with pytest.raises(Conflict, match="voucher_not_issued:") as refusal:
            reissue(bank, holder, late, voucher)
        assert refusal.value.facts == {"voucher_id": voucher.id, "status": status}
    clock.freeze(late.expires_at)
    with pytest.raises(Conflict, match="voucher_not_issued:"):
        reissue(bank, holder, late)


def test_a_card_is_made_anew_by_holder_steward_or_proxy_for_meals_only(bank: Database) -> None:
    holder, vouchers = bought(bank, 3)
    with bank.unit_of_work() as session:
        daughter, neighbour = add_person(session, XIWU, age=50), add_person(session, XIWU, age=51)
        for proxy, scopes in ((daughter, [ProxyScope.MEALS]), (neighbour, [ProxyScope.CARE])):
            register_proxy(
                session,
                actor=district(),
                elder_id=holder.person(),
                proxy_id=proxy.person(),
                relation="代办",
                consent_evidence="同意书",
                scopes=scopes,
            )
    names = [
        reissue(bank, actor, vouchers[n])[0].issued_by_name for n, actor in enumerate((holder, daughter, district()))
    ]
    assert names == [holder.name, f"{daughter.name}（代{holder.name}）", f"{district().name}（代{holder.name}）"]
    with pytest.raises(NotAllowed, match="proxy_scope_missing:"):
        reissue(bank, neighbour, vouchers[0])
    with bank.unit_of_work() as session:
        stranger = add_elder(session, SHANGTIAN)
    for actor in (stranger, steward(DAYAN), counter(bank)):
        with pytest.raises(NotFound, match="voucher_unknown:"):
            reissue(bank, actor, vouchers[0])
        with pytest.raises(NotAllowed, match="not_your_elder:"), bank.unit_of_work() as session:
            reissue_vouchers(session, actor=actor, for_person_id=holder.person())
    with pytest.raises(NotFound, match="voucher_unknown:"), bank.unit_of_work() as session:
        reissue_vouchers(session, actor=holder, voucher_ids=[new_id()])
    for unclear in ({}, {"voucher_ids": [vouchers[0].id], "for_person_id": holder.person()}):
        with pytest.raises(Refused, match="choice_unclear:"), bank.unit_of_work() as session:
            reissue_vouchers(session, actor=holder, **unclear)  # type: ignore[arg-type]


def test_what_was_made_anew_goes_back_to_where_its_minutes_came_from(bank: Database) -> None:
    with bank.unit_of_work() as session:
        holder = add_elder(session, XIWU)
        savings = save_minutes(session, holder, 50)
        lot = grant_minutes(session, holder, 70, expires_on=NINE.date() + timedelta(days=9))
        vouchers = buy_vouchers(session, actor=holder, quantity=2)
    for voucher in reissue(bank, holder, *reissue(bank, holder, *vouchers)):
        with bank.unit_of_work() as session:
            refund_voucher(session, actor=holder, voucher_id=voucher.id)
    with bank.session() as session:
        assert (balance_at(session, savings), balance_at(session, lot)) == (50, 70)


def test_of_a_lost_card_made_anew_and_a_meal_at_once_exactly_one_happens(bank: Database) -> None:
    here = counter(bank)
    for _ in range(6):
        holder, [voucher] = bought(bank)
        [eaten, made] = at_once(
            bank,
            [
                lambda s, v=voucher: redeem_vouchers(s, actor=here, scans=[Scan(v.code, str(v.id))])[0],
                lambda s, v=voucher, h=holder: reissue_vouchers(s, actor=h, voucher_ids=[v.id]),
            ],
        )
        assert isinstance(eaten, ScanAnswer)
        if eaten.verdict.accepted:
            assert codes_of([made]) == ["voucher_not_issued"]
        else:
            assert (eaten.verdict.reason, isinstance(made, BankError)) == ("voucher_void", False)
        with bank.session() as session:
            unused = [v for v, _ in vouchers_of(session, actor=holder, status="issued", limit=9)]
        assert len(unused) == (0 if eaten.verdict.accepted else 1)


def test_a_lost_card_made_anew_by_many_at_once_is_one_new_card(bank: Database) -> None:
    holder, lost = bought(bank, 3)
    ids = [voucher.id for voucher in lost]
    answers = at_once(
        bank,
        [
            lambda s, order=order: reissue_vouchers(s, actor=holder, voucher_ids=order)
            for order in (ids, ids[::-1], ids[1:] + ids[:1], ids)
        ],
    )
    made = [{v.id for v in answer} for answer in answers if isinstance(answer, list)]
    assert len(made) == 4
    assert len({frozenset(one) for one in made}) == 1


def test_a_steward_makes_a_voucher_void_the_minutes_return_and_the_holder_is_told_why(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    done = void(bank, steward(SHANGTIAN), voucher, " 重复购买 ")
    assert (done.status, done.void_reason, done.void_note, done.ended_at) == ("void", "cancelled", "重复购买", NINE)
    with bank.session() as session:
        assert balance_of(session, holder.person()).available_minutes == 60
        [notice] = notices_for(session, person_id=holder.person(), limit=9)
        assert (notice.title, "原因：重复购买" in notice.body) == ("用餐券已作废", True)
        [entry] = session.scalars(select(AuditEntry))
        assert (entry.action, entry.facts) == ("voucher_voided", {"reason": "重复购买"})
    answer = scan(bank, counter(bank), voucher.code)
    assert (answer.verdict.reason, answer.sentence) == ("voucher_void", "这张券已由镇街作废，时长已退回账户")
    with pytest.raises(Conflict, match="voucher_not_issued:"):
        void(bank, district(), voucher)


def test_only_a_steward_of_the_township_makes_void_and_only_for_a_reason(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    for actor in (holder, counter(bank)):
        with pytest.raises(NotAllowed, match="steward_only:"):
            void(bank, actor, voucher)
    with pytest.raises(NotFound, match="voucher_unknown:"):
        void(bank, steward(XIWU), voucher)
    with pytest.raises(Refused, match="reason_needed:"):
        void(bank, district(), voucher, "  ")
