"""Evenings and ends of months: jobs, visits handed in, windows closed, confirmed, settled and paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from scripts.year.living import OFFICE, OutOfStep, Share
from scripts.year.opening import workbook
from scripts.year.plan import Visit
from timebank.canteens.subsidies.actions import NewDonation, NewProduce, receive_donation, receive_produce
from timebank.clearing.actions import close_window, confirm_statement, payment_paid, settle_window, tally_new_movements
from timebank.clearing.models import Payment, Statement
from timebank.clearing.queries import open_window
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor, StaffRole
from timebank.core.db import Database
from timebank.importing.actions import import_workbook
from timebank.importing.workbook import RecordRow
from timebank.ledger.actions import hand_out_seal, seal_new_transfers, take_checkpoints
from timebank.supervision.figures.actions import close_month, months_to_close, sum_up_days
from timebank.tasks.queries import service_types

_DONATED_FEN, _GROWN_FEN = 100 * 31, 50 * 31
"""What companies and the garden give a diner and month, as policy shares it out."""


def give(bank: Database, shares: Sequence[Share]) -> None:
    """The month's money and produce for every canteen."""
    eaters: dict[UUID, int] = defaultdict(int)
    for one in (one for share in shares for one in share.eaters):
        eaters[one.canteen_id] += 1
    today = clock.today()
    with bank.unit_of_work() as session:
        for canteen_id, count in eaters.items():
            reference = f"{today:%Y-%m} {canteen_id}"
            money = NewDonation(count * _DONATED_FEN, today, reference, "奉化某企业", canteen_id)
            receive_donation(session, actor=OFFICE, form=money)
            value_fen = count * _GROWN_FEN
            grown = NewProduce(canteen_id, "青菜", value_fen * 1000 // 600, today, value_fen)
            receive_produce(session, actor=OFFICE, form=grown)


def hand_in_visits(bank: Database, visits: Sequence[Visit]) -> int:
    """A month's visits as each elder's township hands them in, and as the bank judges them; answers how many."""
    by_township: dict[str, list[Visit]] = defaultdict(list)
    for visit in visits:
        by_township[visit.elder.township_code].append(visit)
    for code, of_one in sorted(by_township.items()):
        with bank.unit_of_work() as session:
            _hand_in(session, code, of_one)
    return len(visits)


def _hand_in(session: Session, code: str, visits: Sequence[Visit]) -> None:
    kinds = [kind.name for kind in service_types(session)]
    records = [
        RecordRow(
            row=row,
            cells=(),
            day=visit.started_at.date(),
            title_year=None,
            span=(visit.started_at.time(), visit.ended_at.time()),
            volunteer_name=visit.volunteer.name,
            volunteer_id_number=visit.volunteer.id_number,
            elder_name=visit.elder.name,
            elder_id_number=visit.elder.id_number,
            content=kinds[row % len(kinds)],
            recorder="网格员",
        )
        for row, visit in enumerate(visits, start=2)
    ]
    book = workbook(f"{visits[0].started_at:%Y-%m} {code} 服务记录.xlsx", records=records)
    done = import_workbook(session, workbook=book, approved_by=OFFICE, within=code)
    if done.new.records != len(records):
        raise OutOfStep(f"{code}: {done.new.records} of {len(records)} visits were credited: {done.rejected}")


def evening(bank: Database) -> None:
    """What the jobs do that the day's figures rest on, once a day here: tally, seal, checkpoints, sums of days."""
    for job in (tally_new_movements, seal_new_transfers, take_checkpoints, sum_up_days):
        with bank.unit_of_work() as session:
            job(session)


def night(bank: Database) -> None:
    """Yesterday's head of the seals to every township, and the figures of a month that is over."""
    with bank.unit_of_work() as session:
        hand_out_seal(session)
    with bank.session() as session:
        months = months_to_close(session, limit=1)
    for month in months:
        with bank.unit_of_work() as session:
            close_month(session, month=month)


def settle(bank: Database) -> str:
    """Close the open window, let every township confirm, settle and pay; answers the window's name."""
    with bank.unit_of_work() as session:
        window = close_window(session, actor=SYSTEM, window_name=open_window(session).name)
    name = window.name
    with bank.unit_of_work() as session:
        drawn_up = select(Statement.township_code).where(Statement.window_number == window.number)
        for code in session.scalars(drawn_up.order_by(Statement.township_code)).all():
            steward = Actor(UUID(int=2), "镇街管理员", None, StaffRole.TOWNSHIP_STEWARD, code)
            confirm_statement(session, actor=steward, window_name=name)
    with bank.unit_of_work() as session:
        settlement = settle_window(session, actor=OFFICE, window_name=name)
        query = select(Payment.id).where(Payment.settlement_id == settlement.id).order_by(Payment.township_code)
        for number, payment_id in enumerate(session.scalars(query).all(), start=1):
            payment_paid(session, actor=OFFICE, payment_id=payment_id, outside_reference=f"{name}-{number}")
    return name
