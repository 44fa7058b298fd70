"""Printing sheets of coupons: whose, which, and that it is written down."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.factories.minutes import save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.people.actions import register_proxy
from timebank.redemption.actions import Sheet, buy_vouchers, print_sheet, refund_voucher
from timebank.redemption.actions.choosing import MOST_AT_ONCE
from timebank.redemption.codes import grouped
from timebank.redemption.offline_queries import qr_texts
from timebank.townships.models import Organisation


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def sheet(bank: Database, actor: Actor, **which: object) -> Sheet:
    with bank.unit_of_work() as session:
        return print_sheet(session, actor=actor, **which)  # type: ignore[arg-type]


def test_a_coupon_carries_code_qr_name_price_and_limits(bank: Database) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_weekdays", [1, 2, 3, 4, 5])
        change_policy(session, "voucher_price_minutes", 90)
        elder = add_elder(session, XIWU, name="周桂芬")
        save_minutes(session, elder, 90)
        [voucher] = buy_vouchers(session, actor=elder, quantity=1, home_only=True)
    made = sheet(bank, elder, voucher_ids=[voucher.id])
    [coupon] = made.coupons
    with bank.session() as session:
        assert coupon.qr_text == qr_texts(session, [voucher])[0]
    assert (coupon.code_grouped, coupon.holder_name, coupon.price_minutes) == (grouped(voucher.code), "周桂芬", 90)
    assert (coupon.place_text, coupon.times_text) == ("限西坞街道助餐点", "周一至周五")
    assert coupon.expires_at == voucher.expires_at
    assert (made.made_at, made.made_by_name, made.more) == (NINE, "周桂芬", False)


def test_all_that_somebody_has_unused_is_printed_and_nothing_else(bank: Database) -> None:
    holder, vouchers = bought(bank, 3)
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=vouchers[1].id)
    made = sheet(bank, steward(SHANGTIAN), for_person_id=holder.person())
    assert {c.code_grouped for c in made.coupons} == {grouped(vouchers[n].code) for n in (0, 2)}
    clock.freeze(vouchers[0].expires_at)
    with pytest.raises(Refused, match="no_unused_vouchers:"):
        sheet(bank, holder, for_person_id=holder.person())


def test_a_steward_prints_for_a_whole_village_in_the_order_asked_for(bank: Database) -> None:
    vouchers = [bought(bank)[1][0] for _ in range(3)]
    order = [vouchers[n].id for n in (2, 0, 1)]
    made = sheet(bank, steward(SHANGTIAN), voucher_ids=order)
    assert [c.code_grouped for c in made.coupons] == [grouped(vouchers[n].code) for n in (2, 0, 1)]
    with bank.session() as session:
        entries = session.scalars(select(AuditEntry)).all()
    assert {entry.action for entry in entries} == {"vouchers_printed"}
    assert sorted(entry.subject_id for entry in entries) == sorted(str(v.holder_id) for v in vouchers)


def test_who_prints_the_own_vouchers_is_not_written_down(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    sheet(bank, holder, voucher_ids=[voucher.id])
    with bank.session() as session:
        assert session.scalars(select(AuditEntry)).all() == []


def test_a_sheet_has_an_end_and_says_that_there_are_more(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        save_minutes(session, elder, 60 * (MOST_AT_ONCE + 1))
        for _ in range(2):
            buy_vouchers(session, actor=elder, quantity=100)
    assert sheet(bank, elder, for_person_id=elder.person()).more is False
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=elder, quantity=1)
    made = sheet(bank, elder, for_person_id=elder.person())
    assert (len(made.coupons), made.more) == (MOST_AT_ONCE, True)


def test_nobody_prints_what_is_anothers_or_no_longer_good(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        stranger, daughter = add_elder(session, SHANGTIAN), add_person(session, DAYAN, age=40)
        register_proxy(
            session,
            actor=district(),
            elder_id=holder.person(),
            proxy_id=daughter.person(),
            relation="女儿",
            consent_evidence="同意书",
        )
    nobody = clerk(Organisation(id=new_id(), kind="canteen", name="没有", township_code=SHANGTIAN))
    for actor in (stranger, steward(DAYAN), nobody):
        with pytest.raises(NotFound, match="voucher_unknown:"):
            sheet(bank, actor, voucher_ids=[voucher.id])
        with pytest.raises(NotAllowed, match="not_your_elder:"):
            sheet(bank, actor, for_person_id=holder.person())
    with pytest.raises(NotFound, match="person_unknown:"):
        sheet(bank, district(), for_person_id=new_id())
    for unclear in ({}, {"voucher_ids": [voucher.id], "for_person_id": holder.person()}):
        with pytest.raises(Refused, match="choice_unclear:"):
            sheet(bank, holder, **unclear)
    assert len(sheet(bank, daughter, voucher_ids=[voucher.id]).coupons) == 1
    clock.freeze(voucher.expires_at - timedelta(microseconds=1))
    assert len(sheet(bank, holder, voucher_ids=[voucher.id, voucher.id]).coupons) == 1
    clock.freeze(voucher.expires_at)
    with pytest.raises(Conflict, match="voucher_not_issued:"):
        sheet(bank, holder, voucher_ids=[voucher.id])
