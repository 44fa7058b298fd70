"""Why a voucher cannot be used and what a visit took, from the books, for the holder and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.factories.care import add_provider, assigned, carer, elder_with
from tests.factories.people import DAYAN, SHANGTIAN, add_canteen, add_person, clerk
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.explaining.ordered import explain_care, explain_voucher
from timebank.explaining.queries import explain_transfer
from timebank.ledger.queries import statement
from timebank.redemption.care import actions as care
from timebank.redemption.care.models import CareBooking


@pytest.fixture(autouse=True)
def _morning() -> Iterator[None]:
    clock.freeze(NINE)
    yield
    clock.freeze(None)


def test_a_voucher_says_where_it_was_used_and_refused(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN, "大堰镇老年食堂"))
    scan(bank, counter, voucher.code)
    scan(bank, counter, voucher.code)
    with bank.session() as session:
        said = explain_voucher(session, person_id=holder.person(), voucher_id=voucher.id)
    assert said.title == "这张用餐券已经用过"
    assert "在大堰镇老年食堂用掉了，用去1小时" in said.reason
    assert "在大堰镇老年食堂没有扫成：这张券已经用过。" in said.reason
    assert ("voucher_price_minutes", "1小时") in [(rule.key, rule.text) for rule in said.rules]


def test_a_voucher_keeps_the_policy_under_which_it_was_bought(bank: Database) -> None:
    holder, [voucher] = bought(bank)
    clock.freeze(NINE + timedelta(days=1))
    with bank.unit_of_work() as session:
        change_policy(session, "voucher_price_minutes", 90)
    with bank.session() as session:
        said = explain_voucher(session, person_id=holder.person(), voucher_id=voucher.id)
    assert ("voucher_price_minutes", 60) in [(rule.key, rule.value) for rule in said.rules]


def test_nobody_is_told_about_the_voucher_or_visit_of_another(bank: Database) -> None:
    _, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        stranger, elder = add_person(session, SHANGTIAN), elder_with(session, 100)
        provider = add_provider(session)
    booking = assigned(bank, elder, provider)
    with bank.session() as session:
        with pytest.raises(BankError) as refusal:
            explain_voucher(session, person_id=stranger.person(), voucher_id=voucher.id)
        assert refusal.value.code == "voucher_unknown"
        with pytest.raises(BankError) as refusal:
            explain_care(session, person_id=stranger.person(), booking_id=booking.id)
        assert refusal.value.code == "care_booking_unknown"


def test_a_visit_shorter_than_booked_says_what_came_back(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 200), add_provider(session, name="西坞居家养老服务中心")
    booking = assigned(bank, elder, provider, minutes=120)
    attended(bank, carer(provider), booking, minutes=90)
    with bank.unit_of_work() as session:
        care.confirm(session, actor=elder, booking_id=booking.id)
    with bank.session() as session:
        line = statement(session, elder.person(), limit=1)[0]
        said = explain_transfer(session, person_id=elder.person(), transfer_id=line.transfer_id)
        assert said == explain_care(session, person_id=elder.person(), booking_id=booking.id)
    assert said.title == "生活照料用去1小时30分钟"
    assert "扣1小时30分钟。其余30分钟已解冻。" in said.reason


def attended(bank: Database, worker: Actor, booking: CareBooking, *, minutes: int) -> None:
    clock.freeze(booking.starts_at)
    with bank.unit_of_work() as session:
        care.check_in(session, actor=worker, booking_id=booking.id, service_code=booking.service_code)
    clock.freeze(booking.starts_at + timedelta(minutes=minutes))
    with bank.unit_of_work() as session:
        care.check_out(session, actor=worker, booking_id=booking.id)
