"""A year of the pilot for the pages of figures: people, visits, services, canteens and the meals of a month.

What the ledger holds is made as the bank makes it, minute for minute through ``post``, a day at a time. What else a
visit or a meal leaves behind is written set by set with the guards of those tables off: it would take a day to live
through. It is for reading fast; nothing verifies it afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from scripts.bench.people_scene import AT_A_TIME, People, enrol_people
from scripts.bench.scene import SECRET
from timebank import migrations
from timebank.clearing.actions import tally_new_movements
from timebank.core import clock, crypto
from timebank.core.actors import StaffRole
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, post, township_accounts
from timebank.ledger.rules import AccountKind, Movement, Posting
from timebank.people.actions import create_staff_login
from timebank.supervision.figures.actions import close_month, months_to_close, sum_up_days
from timebank.townships.queries import townships

DAYS = 366
VISIT_MINUTES = 117
"""320,400 hours in 164,700 visits."""

USERNAME, PASSWORD = "district", "timebank-bench"
_SAVED_MINUTES = 60_000


@dataclass(frozen=True, slots=True)
class Pilot:
    """How large: the pilot's own figures, or few of everything."""

    elders: int
    volunteers: int
    visits: int
    canteens: int
    diners: int


def fill(url: str, pilot: Pilot, tell: Callable[[str], None]) -> None:
    """Migrate an empty database and live through the year that ends today."""
    crypto.use_secret(SECRET)
    migrations.upgrade(url)
    bank = Database(url)
    today = clock.today()
    begin = today - timedelta(days=DAYS - 1)
    try:
        clock.freeze(datetime.combine(begin, time(6), LOCAL))
        with bank.unit_of_work() as session:
            codes = [township.code for township in townships(session)]
            elders = enrol_people(session, codes, 0, pilot.elders, "elder")
            volunteers = enrol_people(session, codes, pilot.elders, pilot.volunteers, "volunteer")
            create_staff_login(
                session,
                username=USERNAME,
                password=PASSWORD,
                display_name="区民政局",
                role=StaffRole.DISTRICT_STEWARD,
            )
        _live(bank, pilot, elders, volunteers, tell)
        with bank.unit_of_work() as session:
            _write_records(session, pilot)
        clock.freeze(None)
        tell("pages: summing up what moved and closing the months, as the jobs do")
        with bank.unit_of_work() as session:
            tally_new_movements(session)
        with bank.unit_of_work() as session:
            sum_up_days(session)
        with bank.unit_of_work() as session:
            for month in months_to_close(session, limit=DAYS):
                close_month(session, month=month)
    finally:
        clock.freeze(None)
        bank.close()


def _live(bank: Database, pilot: Pilot, elders: People, volunteers: People, tell: Callable[[str], None]) -> None:
    """Day by day: so many hours earned, so many visits paid for."""
    with bank.unit_of_work() as session:
        homes = [
            *zip(elders.ids, elders.townships, strict=True),
            *zip(volunteers.ids, volunteers.townships, strict=True),
        ]
        savings: dict[UUID, int] = {}
        for first in range(0, len(homes), AT_A_TIME):
            savings |= ensure_accounts(session, homes[first : first + AT_A_TIME], AccountKind.SAVINGS)
        issuance = township_accounts(session, set(elders.townships), AccountKind.ISSUANCE)
        redeemed = township_accounts(session, set(elders.townships), AccountKind.REDEEMED)
    opening = [
        (_movement(issuance[code], savings[one], _SAVED_MINUTES, "opening"),)
        for one, code in zip(elders.ids, elders.townships, strict=True)
    ]
    for first in range(0, len(opening), AT_A_TIME):
        _post(bank, opening[first : first + AT_A_TIME])
    started = clock.now()
    for day in range(DAYS):
        clock.freeze(started + timedelta(days=day, hours=4))
        postings: list[Posting] = []
        for number in range(pilot.visits * day // DAYS, pilot.visits * (day + 1) // DAYS):
            volunteer, elder = number % pilot.volunteers, number % pilot.elders
            # Every fifth hour is given in the next township.
            away = volunteers.townships[(volunteer + 1) % pilot.volunteers if number % 5 == 0 else volunteer]
            hour = _movement(issuance[away], savings[volunteers.ids[volunteer]], VISIT_MINUTES, "service_credit")
            visit = _movement(savings[elders.ids[elder]], redeemed[elders.townships[elder]], VISIT_MINUTES, "care_use")
            postings += [(hour,), (visit,)]
        _post(bank, postings)
        if day % 61 == 60:
            tell(f"pages: {day + 1} of {DAYS} days lived")


def _movement(source: int, target: int, minutes: int, kind: str) -> Movement:
    return Movement(new_id(), source, target, minutes, kind, clock.now())


def _post(bank: Database, postings: Sequence[Posting]) -> None:
    with bank.unit_of_work() as session:
        for answer in post(session, postings):
            if isinstance(answer, BankError):
                raise answer


_GUARDED = ("care_booking", "care_capacity", "canteen", "diner", "meal_order", "task", "task_assignment")

_CANTEENS = """
WITH made AS (
    INSERT INTO organisation (id, kind, name, township_code)
    SELECT gen_random_uuid(), 'canteen', '第' || n || '助餐点',
           (SELECT code FROM township ORDER BY code OFFSET n % 12 LIMIT 1)
    FROM generate_series(1, :canteens) n
    RETURNING id, township_code)
INSERT INTO canteen (id, canteen_type, state, number, address, phone, latitude, longitude, carrier, applied_at,
                     applied_by_name, accepted_at, opened_at, state_reason)
SELECT id, 'village', 'open', township_code || '-' || lpad((row_number() OVER ())::text, 3, '0'), '', '',
       29.45 + 0.4 * random(), 121.1 + 0.5 * random(), 'nobody', :begin, '', :begin, :begin, ''
FROM made
"""

_DINERS = """
INSERT INTO diner (person_id, household_id, state, diet_form, delivery_address, delivery_note, latitude, longitude,
                   applied_at, applied_by, applied_by_name, reviewed_at, reviewed_by, reviewed_by_name, review_reason)
SELECT person_id, gen_random_uuid(), 'approved', 'normal', '', '', 29.45 + 0.4 * random(), 121.1 + 0.5 * random(),
       :begin, gen_random_uuid(), '', :begin, gen_random_uuid(), '', ''
FROM person_role WHERE role = 'elder' ORDER BY person_id LIMIT :diners
"""

_PROVIDER = """
WITH made AS (INSERT INTO organisation (id, kind, name, township_code)
              SELECT gen_random_uuid(), 'provider', '居家养老服务中心', min(code) FROM township RETURNING id)
INSERT INTO care_provider (organisation_id, services, townships, daily_capacity_minutes, active, entered_at)
SELECT id, ARRAY['bathing'], ARRAY(SELECT code FROM township), 1000000, true, :begin FROM made
"""

_VISITS = """
INSERT INTO care_booking (id, elder_id, township_code, service, starts_at, ends_at, during, day, minutes, rate_percent,
    held_minutes, policy_version, service_code, note, hold_until, booked_at, booked_by, booked_by_name, status,
    deadline_at, next_assign_at, provider_id, assigned_because, checked_in_at, checked_out_at, served_minutes,
    captured_minutes, ended_at)
SELECT gen_random_uuid(), e.id, e.township_code, 'bathing', at, at + m, tstzrange(at, at + m),
       (at AT TIME ZONE 'Asia/Shanghai')::date, :minutes, 100, :minutes, 1, '123456', '', at + m, at, e.id, '',
       'confirmed', at, at, v.organisation_id, 'nearest', at, at + m, :minutes, :minutes, at + m
FROM generate_series(0, :visits - 1) n
JOIN (SELECT p.id, p.township_code, row_number() OVER (ORDER BY p.id) - 1 AS place FROM person p
      JOIN person_role r ON r.person_id = p.id AND r.role = 'elder') e ON e.place = n % :elders
CROSS JOIN care_provider v
CROSS JOIN LATERAL (SELECT CAST(:begin AS timestamptz) + n * :days / :visits * interval '1 day' AS at,
                           :minutes * interval '1 minute' AS m) t
"""

_SERVICES = """
WITH made AS (
    INSERT INTO task (id, service_type, township_code, starts_at, ends_at, minutes, places, note, status, service_code,
                      requested_by_name, requested_at)
    SELECT gen_random_uuid(), 'companionship', '330213004', at, at + m, :minutes, 1, '', 'confirmed', '123456', '', at
    FROM generate_series(0, :visits - 1) n
    CROSS JOIN LATERAL (SELECT CAST(:begin AS timestamptz) + n * :days / :visits * interval '1 day' AS at,
                               :minutes * interval '1 minute' AS m) t
    RETURNING id, starts_at, ends_at),
numbered AS (SELECT *, row_number() OVER (ORDER BY starts_at, id) - 1 AS place FROM made)
INSERT INTO task_assignment (id, task_id, volunteer_id, status, planned_during, served_during, accepted_at,
                             checked_in_at, checked_out_at, payable_minutes, confirmed_at)
SELECT gen_random_uuid(), t.id, v.id, 'confirmed', tstzrange(t.starts_at, t.ends_at), tstzrange(t.starts_at, t.ends_at),
       t.starts_at, t.starts_at, t.ends_at, :minutes, t.ends_at
FROM numbered t
JOIN (SELECT person_id AS id, row_number() OVER (ORDER BY person_id) - 1 AS place FROM person_role
      WHERE role = 'volunteer') v ON v.place = t.place % :volunteers
"""

_MEALS = """
INSERT INTO meal_order (id, diner_id, canteen_id, served_on, meal, way, diet_form, household_id, state, source,
    revision, portions, list_fen, elder_fen, government_fen, donation_fen, garden_fen, volunteers_fen, policy_version,
    pickup_number, delivery_note, note, cut_off_at, placed_at, placed_by_name, ended_at, end_reason)
SELECT gen_random_uuid(), d.person_id, c.id, day::date, meal, 'eat_in', 'normal', d.household_id, 'served', 'phone', 1,
       1, 800, 600, 200, 0, 0, 0, 1, d.place, '', '', day, day, '', day + interval '12 hours', ''
FROM (SELECT person_id, household_id, row_number() OVER (ORDER BY person_id) AS place FROM diner) d
JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM canteen) c ON c.place = d.place % :canteens
CROSS JOIN generate_series(date_trunc('month', CAST(:today AS timestamptz)), CAST(:today AS timestamptz), '1 day') day
CROSS JOIN (VALUES ('lunch'), ('supper')) AS m (meal)
"""


def _write_records(session: Session, pilot: Pilot) -> None:
    """What visits, services and the meals of this month leave behind besides minutes."""
    asked: dict[str, Any] = {
        "begin": clock.now() - timedelta(days=DAYS - 1),
        "today": clock.now(),
        "days": float(DAYS - 1),
        "minutes": VISIT_MINUTES,
        "elders": pilot.elders,
        "volunteers": pilot.volunteers,
        "visits": pilot.visits,
        "canteens": pilot.canteens,
        "diners": pilot.diners,
    }
    for table in _GUARDED:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    for statement in (_CANTEENS, _DINERS, _PROVIDER, _VISITS, _SERVICES, _MEALS):
        used = {name: value for name, value in asked.items() if f":{name}" in statement}
        session.execute(text(statement), used)
    # Constraints that look again at commit want to be done before a table is altered.
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for table in _GUARDED:
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
