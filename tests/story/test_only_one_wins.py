"""Many at once over real HTTP, from several processes with threads, against a bank with several workers.

One voucher under twenty scanners, one aid wanted by twenty people, one hold captured and released at once: one wins,
and everybody else is told who and when.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from tests.conftest import books_must_balance
from tests.factories.care import add_provider, elder_with
from tests.factories.minutes import save_minutes
from tests.factories.people import SHANGTIAN, XIWU, add_canteen, add_elder, add_person, add_staff_login, district
from tests.postgres import ThrowawayPostgres
from tests.story.at_once import bank_with_two_workers, called_at_once, post
from tests.story.running_bank import RunningBank
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.people.login_models import Login
from timebank.redemption.actions import buy_vouchers
from timebank.redemption.aids.actions.items import NewItem, enter_item
from timebank.redemption.care import actions as care

MANY = 20


@pytest.fixture(scope="module")
def served(
    postgres: ThrowawayPostgres, migrated_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningBank]:
    """A bank with two workers on a database of the module's own."""
    with bank_with_two_workers(postgres, migrated_template, tmp_path_factory.mktemp("served"), "only_one_wins") as it:
        yield it


@pytest.fixture
def bank(served: RunningBank) -> Iterator[Database]:
    """The database behind it, which balances when the test is over."""
    database = Database(served.settings["TIMEBANK_DATABASE_URL"])
    yield database
    books_must_balance(database)
    database.close()


def test_one_voucher_under_twenty_scanners_is_eaten_once(bank: Database, served: RunningBank) -> None:
    clerks: list[Login] = []
    with bank.unit_of_work() as session:
        holder = add_person(session, SHANGTIAN, age=70)
        save_minutes(session, holder, 60)
        [voucher] = buy_vouchers(session, actor=holder, quantity=1)
        for number in range(MANY):
            canteen = add_canteen(session, XIWU, f"第{number}食堂")
            where = {"township_code": XIWU, "organisation_id": canteen.id}
            clerks.append(add_staff_login(session, f"c{number}", "some words", StaffRole.CANTEEN_CLERK, **where))
    answers = called_at_once(
        [post(served, "/vouchers/redeem", one.id, {"code": voucher.code, "nonce": "n-1"}) for one in clerks]
    )
    assert {answer["status"] for answer in answers} == {200}
    bodies = [answer["body"] for answer in answers]
    [won] = [body for body in bodies if body["result"] == "accepted"]
    lost = [body for body in bodies if body["result"] == "refused"]
    assert {(body["reason"], body["redeemed_at"], body["canteen_id"]) for body in lost} == {
        ("already_redeemed", won["redeemed_at"], won["canteen_id"])
    }
    assert len(lost) == MANY - 1


def test_one_aid_wanted_by_twenty_people_is_reserved_once(bank: Database, served: RunningBank) -> None:
    with bank.unit_of_work() as session:
        form = NewItem("LY-1", "wheelchair", "折叠轮椅", XIWU, date(2025, 1, 1))
        item = enter_item(session, actor=district(), form=form)
        people = [add_elder(session, XIWU) for _ in range(MANY)]
        for one in people:
            save_minutes(session, one, 300)
    wanted = {"item_id": str(item.id), "days": 5}
    answers = called_at_once([post(served, "/aid-loans", one.login_id, wanted) for one in people])
    assert sorted(answer["status"] for answer in answers) == [201] + [409] * (MANY - 1)
    refused = [answer["body"] for answer in answers if answer["status"] == 409]
    assert {body["code"] for body in refused} == {"aid_taken"}


def test_one_hold_captured_and_released_at_once_ends_one_way(bank: Database, served: RunningBank) -> None:
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 120), add_provider(session)
        where = {"township_code": XIWU, "organisation_id": provider.provider_id}
        worker = add_staff_login(session, "carer", "some words", StaffRole.CARE_PROVIDER, **where)
        steward = add_staff_login(session, "steward", "some words", StaffRole.TOWNSHIP_STEWARD, township_code=XIWU)
        booking = care.book(session, actor=elder, wanted=care.Visit(clock.now() + timedelta(seconds=2), 120))
    with bank.unit_of_work() as session:
        care.assign(session, actor=district(), booking_id=booking.id, provider_id=provider.provider_id)
    served.wait_for(lambda: clock.now() > booking.starts_at, "the visit to begin")
    path = f"/care-bookings/{booking.id}"
    captured = {"reason": "敲门无人应", "evidence": "门前照片"}
    released = {"reason": "老人住院"}
    answers = called_at_once(
        [
            post(served, f"{path}/not-home", worker.id, captured)
            if number % 2
            else post(served, f"{path}/cancel", steward.id, released)
            for number in range(MANY)
        ]
    )
    assert sorted(answer["status"] for answer in answers) == [200] + [409] * (MANY - 1)
    [won] = [answer["body"] for answer in answers if answer["status"] == 200]
    assert {answer["body"]["code"] for answer in answers if answer["status"] == 409} == {"wrong_state"}
    assert (won["status"], won["captured_minutes"]) in (("not_home", 60), ("cancelled", 0))
