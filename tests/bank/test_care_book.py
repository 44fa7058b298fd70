"""Booking a visit sets its minutes aside, allotments first, and says no where a rule says no."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from tests.factories.care import add_provider, as_it_is, assigned, booked, elder_with, let_act
from tests.factories.minutes import grant_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Account, Hold
from timebank.ledger.queries import balance_of
from timebank.notifications.models import Notice
from timebank.people.rules import ProxyScope
from timebank.redemption.care import actions as care
from timebank.redemption.care.actions import Visit
from timebank.redemption.care.models import CareEvent
from timebank.redemption.care.queries.bookings import still_held

TOMORROW = NINE + timedelta(days=1)


@pytest.fixture(autouse=True)
def _nine(bank: Database) -> None:
    clock.freeze(NINE)


def refusal(bank: Database, actor: Actor, wanted: Visit) -> BankError:
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        care.book(session, actor=actor, wanted=wanted)
    with bank.session() as session:
        assert session.scalar(select(Hold.id)) is None
    return refused.value


def test_what_expires_first_is_set_aside_first_and_savings_last(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 300)
        grant_minutes(session, elder, 20, expires_on=date(2026, 6, 30))
        grant_minutes(session, elder, 30, expires_on=date(2026, 4, 30))
    booking = booked(bank, elder, minutes=60)
    assert (booking.status, booking.held_minutes, booking.service) == ("booked", 60, "daily_care")
    with bank.session() as session:
        rows = session.execute(select(Account.expires_on, Hold.amount).join(Hold, Hold.account_id == Account.id)).all()
        assert {(row.expires_on, row.amount) for row in rows} == {
            (date(2026, 4, 30), 30),
            (date(2026, 6, 30), 20),
            (None, 10),
        }
        assert balance_of(session, elder.person()).available_minutes == 290
        until = session.scalars(select(Hold.expires_at)).all()
    assert set(until) == {booking.hold_until}
    assert booking.hold_until == TOMORROW + timedelta(hours=1, days=90)


def test_a_service_costs_what_policy_says(bank: Database) -> None:
    rates = dict.fromkeys(("daily_care", "cleaning", "medical_help", "rehabilitation", "companionship"), 100)
    with bank.unit_of_work() as session:
        change_policy(session, "care_rates_percent", {**rates, "bathing": 150}, township_code=XIWU)
        elder = elder_with(session, 300)
    assert booked(bank, elder, minutes=45, service="bathing").held_minutes == 68


def test_a_proxy_books_for_the_elder_and_both_names_are_kept(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, proxy = elder_with(session, 300), add_person(session, XIWU, age=45, name="周小敏")
    let_act(bank, elder, proxy, ProxyScope.CARE)
    with bank.unit_of_work() as session:
        wanted = Visit(TOMORROW, 60, for_person_id=elder.person())
        booking = care.book(session, actor=proxy, wanted=wanted)
    assert booking.booked_by_name == "周小敏（代周桂芬）"
    with bank.session() as session:
        assert session.scalars(select(CareEvent.by_name)).all() == ["周小敏（代周桂芬）"]
        assert balance_of(session, elder.person()).held_minutes == 60
        assert session.scalars(select(Notice.title).where(Notice.person_id == elder.person())).all() == [
            "已预约上门服务"
        ]


def test_a_proxy_for_other_things_and_a_stranger_may_not(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, proxy = elder_with(session, 300), add_person(session, XIWU, age=45)
    wanted = Visit(TOMORROW, 60, for_person_id=elder.person())
    assert refusal(bank, proxy, wanted).code == "not_your_elder"
    let_act(bank, elder, proxy, ProxyScope.MEALS)
    assert refusal(bank, proxy, wanted).code == "proxy_scope_missing"


def test_a_steward_books_for_an_elder_without_a_phone_with_evidence(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 300)
    wanted = Visit(TOMORROW, 60, for_person_id=elder.person(), evidence=" 电话记录3号 ")
    assert refusal(bank, steward(SHANGTIAN), wanted).code == "other_township"
    assert refusal(bank, steward(XIWU), Visit(TOMORROW, 60, for_person_id=elder.person())).code == "evidence_missing"
    assert refusal(bank, steward(XIWU), Visit(TOMORROW, 60)).code == "elder_needed"
    with bank.unit_of_work() as session:
        booking = care.book(session, actor=steward(XIWU), wanted=wanted)
    assert (booking.elder_id, booking.evidence) == (elder.person(), "电话记录3号")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"starts_at": NINE}, "starts_in_the_past"),
        ({"starts_at": NINE + timedelta(days=60, seconds=1)}, "starts_too_far_ahead"),
        ({"minutes": 29}, "minutes_too_few"),
        ({"minutes": 481}, "minutes_too_many"),
        ({"service": "gardening"}, "care_service_unknown"),
        ({"latitude": 29.6}, "place_incomplete"),
        ({"provider_id": new_id()}, "care_provider_unknown"),
        ({"minutes": 301}, "insufficient_minutes"),
    ],
    ids=lambda given: given if isinstance(given, str) else "",
)
def test_what_cannot_be_booked_is_refused_and_nothing_is_held(
    bank: Database, change: dict[str, Any], code: str
) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 300)
    assert refusal(bank, elder, Visit(**{"starts_at": TOMORROW, "minutes": 60, **change})).code == code


def test_whoever_is_too_young_cannot_book(bank: Database) -> None:
    with bank.unit_of_work() as session:
        young = add_person(session, XIWU, age=40)
    assert refusal(bank, young, Visit(TOMORROW, 60)).code == "too_young_to_redeem"


def test_two_visits_never_overlap_but_may_follow_one_another(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 300)
    first = booked(bank, elder, starts_at=TOMORROW)
    for minutes in (-59, 0, 59):
        with pytest.raises(BankError) as refused:
            booked(bank, elder, starts_at=TOMORROW + timedelta(minutes=minutes))
        assert (refused.value.code, refused.value.facts["booking_id"]) == ("care_time_taken", first.id)
    booked(bank, elder, starts_at=TOMORROW + timedelta(minutes=60))
    booked(bank, elder, starts_at=TOMORROW - timedelta(minutes=60))
    with bank.unit_of_work() as session:
        care.cancel(session, actor=elder, booking_id=first.id)
    booked(bank, elder, starts_at=TOMORROW)


def at_the_limit(bank: Database) -> tuple[Actor, Any, Any]:
    """An elder of 西坞, which owes as much as it may, and a provider at home and one in 大堰 that both serve it."""
    with bank.unit_of_work() as session:
        elder = elder_with(session, 600)
        home = add_provider(session, XIWU)
        away = add_provider(session, DAYAN, townships=[XIWU, DAYAN])
        change_policy(session, "position_soft_limit_minutes", 0, township_code=XIWU)
        change_policy(session, "position_hard_limit_minutes", 0, township_code=XIWU)
    return elder, home, away


def test_at_the_hard_limit_only_providers_at_home_can_be_chosen_or_sent(bank: Database) -> None:
    elder, home, away = at_the_limit(bank)
    chose_away = Visit(TOMORROW, 60, provider_id=away.provider_id)
    assert refusal(bank, elder, chose_away).code == "position_limit_reached"
    chosen = booked(bank, elder, starts_at=TOMORROW, provider_id=home.provider_id)
    open_ = booked(bank, elder, starts_at=TOMORROW + timedelta(hours=2))
    assert chosen.only_township_code == open_.only_township_code == XIWU
    with pytest.raises(BankError) as refused, bank.unit_of_work() as session:
        care.assign(session, actor=district(), booking_id=open_.id, provider_id=away.provider_id)
    assert refused.value.code == "care_provider_elsewhere"
    with bank.unit_of_work() as session:
        sent = care.assign(session, actor=district(), booking_id=open_.id)
    assert sent.provider_id == home.provider_id


def test_below_the_limit_anybody_who_serves_the_township_can_be_sent(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, away = elder_with(session, 600), add_provider(session, DAYAN, townships=[XIWU])
    booking = assigned(bank, elder, away)
    assert (booking.only_township_code, booking.provider_id) == (None, away.provider_id)


def test_a_chosen_provider_must_serve_the_township_and_the_service(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 600)
        elsewhere = add_provider(session, DAYAN)
        cleaner = add_provider(session, XIWU, services=["cleaning"])
    for provider in (elsewhere, cleaner):
        wanted = Visit(TOMORROW, 60, provider_id=provider.provider_id)
        assert refusal(bank, elder, wanted).code == "care_provider_not_serving"
    assert booked(bank, elder, service="cleaning", provider_id=cleaner.provider_id).status == "booked"


def test_the_address_lies_sealed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = elder_with(session, 600)
        booking = care.book(session, actor=elder, wanted=Visit(TOMORROW, 60, address="金钟路8号"))
    with bank.session() as session:
        assert "金钟路".encode() not in bytes(session.scalar(text("SELECT address FROM care_booking")))
        assert still_held(session, booking.id) == 60
    assert as_it_is(bank, booking).address == "金钟路8号"
