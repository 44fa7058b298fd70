"""Seeing why a voucher or a care booking stands as it does: rows, scans and acts, and the policies of then."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.errors import NotFound
from timebank.explaining.orders import (
    VOUCHER_WANTED,
    ScanSeen,
    Visit,
    VoucherLife,
    explain_visit,
    explain_voucher_life,
    rules_of_visit,
)
from timebank.explaining.rules import Explanation, rules_said
from timebank.ledger.models import Account
from timebank.policies.queries import rules_in_force
from timebank.redemption.care.models import CareBooking, CareService
from timebank.redemption.care.queries.bookings import events_of, objections_to
from timebank.redemption.care.rules import CareStatus
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.queries import lost_with_their_lot
from timebank.redemption.rules import OnExpiry, VoidReason, VoucherStatus
from timebank.townships.models import Organisation, Township

_MOST_SCANS = 20


def explain_voucher(session: Session, *, person_id: UUID, voucher_id: UUID) -> Explanation:
    """Why a voucher can or cannot be used. Raises NotFound ``voucher_unknown``, also for vouchers of others."""
    voucher = session.get(Voucher, voucher_id)
    if voucher is None or voucher.holder_id != person_id:
        raise NotFound("voucher_unknown", "没有这张用餐券", voucher_id=voucher_id)
    home_only = None
    if voucher.only_township_code is not None:
        home_only = session.get_one(Township, voucher.only_township_code).name
    life = VoucherLife(
        status=VoucherStatus(voucher.status),
        price_minutes=voucher.price_minutes,
        issued_at=voucher.issued_at,
        issued_by_name=voucher.issued_by_name,
        expires_at=voucher.expires_at,
        good_at=voucher.good_times.text(),
        home_only=home_only,
        policy_version=voucher.policy_version,
        ended_at=voucher.ended_at,
        canteen_name=_organisation(session, voucher.canteen_id),
        void_reason=VoidReason(voucher.void_reason) if voucher.void_reason else None,
        void_note=voucher.void_note,
        to_pool=voucher.on_expiry == OnExpiry.POOL,
        lost_minutes=lost_with_their_lot(session, [voucher], on=_local_date(voucher.ended_at)),
        refused=_refused_scans(session, voucher.id),
    )
    book = voucher.only_township_code or _home(session, voucher)
    found = rules_in_force(session, [one.key for one in VOUCHER_WANTED], township_code=book, at=voucher.issued_at)
    return explain_voucher_life(life, rules_said(VOUCHER_WANTED, found))


def explain_care(session: Session, *, person_id: UUID, booking_id: UUID) -> Explanation:
    """Why a care booking took so many minutes. Raises NotFound ``care_booking_unknown``, also for those of others."""
    booking = session.get(CareBooking, booking_id)
    if booking is None or booking.elder_id != person_id:
        raise NotFound("care_booking_unknown", "没有这项居家养老预约", booking_id=booking_id)
    objection = objections_to(session, [booking]).get(booking.id)
    acts = [act for act in events_of(session, [booking.id])[booking.id] if act is not objection]
    act = acts[-1] if acts else None
    visit = Visit(
        status=CareStatus(booking.status),
        service_name=session.get_one(CareService, booking.service).name,
        provider_name=_organisation(session, booking.provider_id),
        starts_at=booking.starts_at,
        minutes=booking.minutes,
        held_minutes=booking.held_minutes,
        rate_percent=booking.rate_percent,
        served_minutes=booking.served_minutes,
        decided_minutes=booking.decided_minutes,
        captured_minutes=booking.captured_minutes,
        excess_minutes=booking.excess_minutes,
        booked_at=booking.booked_at,
        booked_by_name=booking.booked_by_name,
        assigned_because=booking.assigned_because,
        last_act_by=act.by_name if act else None,
        last_reason=act.reason if act else None,
        policy_version=booking.policy_version,
        ended_at=booking.ended_at,
        objected_at=objection.at if objection else None,
        objection=objection.reason if objection else None,
    )
    wanted = rules_of_visit(visit.status, booking.service)
    at = booking.ended_at or booking.booked_at
    found = rules_in_force(session, [one.key for one in wanted], township_code=booking.township_code, at=at)
    return explain_visit(visit, rules_said(wanted, found))


def _refused_scans(session: Session, voucher_id: UUID) -> list[ScanSeen]:
    """The newest scans of a voucher that were refused."""
    query = (
        select(VoucherScan.scanned_at, VoucherScan.reason, Organisation.name)
        .join(Organisation, Organisation.id == VoucherScan.canteen_id)
        .where(VoucherScan.voucher_id == voucher_id, ~VoucherScan.accepted)
        .order_by(VoucherScan.received_at.desc(), VoucherScan.id.desc())
        .limit(_MOST_SCANS)
    )
    return [ScanSeen(row.name, row.scanned_at, row.reason) for row in session.execute(query)]


def _organisation(session: Session, organisation_id: UUID | None) -> str | None:
    return None if organisation_id is None else session.get_one(Organisation, organisation_id).name


def _local_date(moment: datetime | None) -> date | None:
    return None if moment is None else clock.local_date(moment)


def _home(session: Session, voucher: Voucher) -> str:
    """The book in which the voucher's minutes lie."""
    return session.get_one(Account, voucher.account_id).book_code
