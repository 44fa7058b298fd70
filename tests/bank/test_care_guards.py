"""What the database promises about home care: raw SQL against it is refused, and by its own guard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.bank.ledger_guards import one_database
from tests.conftest import SECRET
from tests.factories.care import add_provider, arrive, assigned, booked, carer, confirmed, elder_with, visit
from tests.factories.people import DAYAN, XIWU, add_canteen
from tests.factories.tasks import NINE
from tests.postgres import ThrowawayPostgres
from timebank.core import clock, crypto
from timebank.core.db import Database
from timebank.redemption.care import actions as care


@dataclass(frozen=True, slots=True)
class Scene:
    """Ids of bookings by their status, of providers and of a bill."""

    bank: Database
    ids: dict[str, UUID]


@pytest.fixture(scope="module")
def scene(postgres: ThrowawayPostgres, migrated_template: str) -> Iterator[Scene]:
    crypto.use_secret(SECRET)
    with one_database(postgres, migrated_template, "care_guards") as bank:
        clock.freeze(NINE)
        yield Scene(bank, _set_up(bank))
        clock.freeze(None)


def _set_up(bank: Database) -> dict[str, UUID]:
    with bank.unit_of_work() as session:
        elders = {name: elder_with(session, 600) for name in ("booked", "assigned", "in", "out", "done", "declined")}
        provider, other = add_provider(session), add_provider(session, DAYAN, townships=[XIWU])
        fresh, canteen = add_provider(session), add_canteen(session, XIWU)
    ids = {"provider": provider.provider_id, "other": other.provider_id, "canteen": canteen.id}
    ids["fresh"] = fresh.provider_id
    ids["elder"] = elders["booked"].person()
    ids["done"] = confirmed(bank, elders["done"], provider).id
    clock.freeze(clock.now() + timedelta(days=31))
    with bank.unit_of_work() as session:
        assert care.issue_due_bill(session, provider_id=provider.provider_id, month="2026-03")
        ids["bill"] = session.execute(text("SELECT id FROM care_bill")).scalar_one()
    ids["booked"] = booked(bank, elders["booked"]).id
    declined = assigned(bank, elders["declined"], other)
    with bank.unit_of_work() as session:
        care.decline(session, actor=carer(other), booking_id=declined.id, reason="人手不足")
    ids["declined"] = declined.id
    ids["assigned"] = assigned(bank, elders["assigned"], provider).id
    serving, served = assigned(bank, elders["in"], provider), assigned(bank, elders["out"], provider)
    ids["out"] = visit(bank, served, provider, minutes=60).id
    ids["in"] = arrive(bank, serving, provider).id
    return ids


BOOKING = "UPDATE care_booking SET {} WHERE id = :{}"
NEVER = "never changes"
STEP = "does not go from"

REFUSED = {
    # The booking: forward only, and what was agreed or has happened stays.
    "begins ended": (
        "INSERT INTO care_booking SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).*"
        " FROM care_booking b WHERE id = :done",
        "begins as booked",
    ),
    "deleted": ("DELETE FROM care_booking WHERE id = :booked", NEVER),
    "emptied": ("TRUNCATE care_booking CASCADE", "written once"),
    "opened again": (BOOKING.format("status = 'checked_out', ended_at = NULL", "done"), NEVER),
    "rated later": (BOOKING.format("rating = 1", "done"), NEVER),
    "price changed": (BOOKING.format("held_minutes = 50", "booked"), NEVER),
    "moved to another elder": (
        BOOKING.format("elder_id = (SELECT elder_id FROM care_booking WHERE id = :done)", "booked"),
        NEVER,
    ),
    "moved in time": (BOOKING.format("starts_at = starts_at + interval '1 day'", "booked"), NEVER),
    "code changed": (BOOKING.format("service_code = '000000'", "booked"), NEVER),
    "note changed": (BOOKING.format("note = 'x'", "booked"), NEVER),
    "check-in changed": (BOOKING.format("checked_in_at = checked_in_at - interval '1 hour'", "in"), NEVER),
    "served longer": (BOOKING.format("served_minutes = 600", "out"), NEVER),
    "misses forgotten": (BOOKING.format("service_code_misses = -1", "booked"), NEVER),
    "skipped check-in": (
        BOOKING.format("status = 'checked_out', checked_out_at = now(), served_minutes = 1", "assigned"),
        STEP,
    ),
    "checked in without a time": (BOOKING.format("status = 'checked_in'", "assigned"), STEP),
    "back from check-out": (BOOKING.format("status = 'checked_in'", "out"), STEP),
    "other provider midway": (BOOKING.format("provider_id = :other", "in"), STEP),
    "sent to who declined": (
        BOOKING.format("status = 'assigned', provider_id = :other, assigned_because = 'x'", "declined"),
        "cannot go to this provider",
    ),
    "assigned to nobody": (BOOKING.format("status = 'assigned'", "booked"), "ck_care_booking_provider_fits"),
    "captured beyond the hold": (
        BOOKING.format("status = 'confirmed', ended_at = now(), captured_minutes = 61", "out"),
        "ck_care_booking_captured_up_to_held",
    ),
    "captured while open": (BOOKING.format("captured_minutes = 1", "out"), "ck_care_booking_ended_whole"),
    "ended without saying what": (
        BOOKING.format("status = 'confirmed', ended_at = now()", "out"),
        "ck_care_booking_ended_whole",
    ),
    "excess without the hold": (
        BOOKING.format("status = 'confirmed', ended_at = now(), captured_minutes = 5, excess_minutes = 5", "out"),
        "ck_care_booking_excess_beyond_held",
    ),
    "paid for nobody coming": (
        BOOKING.format("status = 'no_show', ended_at = now(), captured_minutes = 5", "assigned"),
        "ck_care_booking_nothing_for_nothing",
    ),
    "out before in": (
        BOOKING.format("status = 'checked_out', checked_out_at = checked_in_at, served_minutes = 0", "in"),
        "ck_care_booking_visit_forward",
    ),
    "two at once": (
        "INSERT INTO care_booking SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).*"
        " FROM care_booking b WHERE id = :booked",
        "ex_care_booking_one_visit",
    ),
    # At the end of the unit of work the ledger says the same.
    "ended with the hold standing": (
        BOOKING.format("status = 'cancelled', ended_at = now(), captured_minutes = 0", "booked"),
        "something still held",
    ),
    "captured without a transfer": (
        BOOKING.format("status = 'confirmed', ended_at = now(), captured_minutes = 60", "out"),
        "60 minutes captured, but 0 paid",
    ),
    # A day is never overfilled, and counted by its bookings alone.
    "day overfilled": (
        "UPDATE care_capacity SET capacity_minutes = 59 WHERE provider_id = :provider",
        "ck_care_capacity_never_exceeded",
    ),
    "day counted by hand": (
        "UPDATE care_capacity SET used_minutes = 0 WHERE provider_id = :provider",
        "counted by its bookings",
    ),
    "day forgotten": ("DELETE FROM care_capacity", "counted by its bookings"),
    "day never opened": (
        BOOKING.format("status = 'assigned', provider_id = :fresh, assigned_because = 'x'", "booked"),
        "a day is opened before",
    ),
    # History and bills.
    "act changed": ("UPDATE care_event SET by_name = 'x'", "written once"),
    "act deleted": ("DELETE FROM care_event", "written once"),
    "act emptied": ("TRUNCATE care_event", "written once"),
    "charge changed": ("UPDATE care_charge SET fen = 1", NEVER),
    "charge deleted": ("DELETE FROM care_charge", NEVER),
    "charge billed twice": ("UPDATE care_charge SET bill_id = NULL", NEVER),
    "charge of another provider": (
        "INSERT INTO care_charge SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),"
        " 'bill_id', NULL, 'provider_id', CAST(:other AS text)))).* FROM care_charge c",
        "a charge is of the provider that came",
    ),
    "charged twice": (
        "INSERT INTO care_charge SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),"
        " 'bill_id', NULL))).* FROM care_charge c",
        "uq_care_charge_once",
    ),
    "took back more": (
        "INSERT INTO care_charge SELECT (jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(),"
        " 'bill_id', NULL, 'kind', 'correction', 'minutes', -61, 'fen', -1, 'reversal_id',"
        " (SELECT id FROM ledger_transfer LIMIT 1)))).* FROM care_charge c",
        "takes back no more than was charged",
    ),
    "bill changed": ("UPDATE care_bill SET fen = 1", "written once"),
    "bill deleted": ("DELETE FROM care_bill", "written once"),
    "bill that says something else": (
        "INSERT INTO care_bill SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid(),"
        " 'month', '2026-04'))).* FROM care_bill b",
        "does not say what its lines make together",
    ),
    "bill issued twice": (
        "INSERT INTO care_bill SELECT (jsonb_populate_record(b, jsonb_build_object('id', gen_random_uuid()))).*"
        " FROM care_bill b",
        "uq_care_bill_provider_id_month",
    ),
    # Providers.
    "canteen as provider": (
        "INSERT INTO care_provider SELECT (jsonb_populate_record(p, jsonb_build_object('organisation_id',"
        " CAST(:canteen AS text)))).* FROM care_provider p LIMIT 1",
        "of kind provider",
    ),
    "unknown service": ("UPDATE care_provider SET services = '{gardening}'", "of known services"),
    "unknown township": ("UPDATE care_provider SET townships = '{330213999}'", "of known services and townships"),
    "six A": ("UPDATE care_provider SET grade = 6", "ck_care_provider_grade_range"),
}  # fmt: skip


@pytest.mark.parametrize("attempt", REFUSED)
def test_the_database_refuses(scene: Scene, attempt: str) -> None:
    statement, said = REFUSED[attempt]
    with pytest.raises(DBAPIError, match=said), scene.bank.unit_of_work() as session:
        session.execute(text(statement), {name: i for name, i in scene.ids.items() if f":{name}" in statement})


def test_a_line_that_joins_an_issued_bill_is_refused(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 600), add_provider(session)
    confirmed(bank, elder, provider)
    clock.freeze(clock.now() + timedelta(days=31))
    with bank.unit_of_work() as session:
        care.issue_due_bill(session, provider_id=provider.provider_id, month="2026-03")
    confirmed(bank, elder, provider)
    with pytest.raises(DBAPIError, match="does not say what its lines"), bank.unit_of_work() as session:
        session.execute(text("UPDATE care_charge SET bill_id = (SELECT id FROM care_bill) WHERE bill_id IS NULL"))
