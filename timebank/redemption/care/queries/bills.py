"""Seeing a provider's month: its lines, by service, and whether the bill is issued."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed, Refused
from timebank.people.models import Person
from timebank.redemption.care.models import CareBill, CareBooking, CareCharge, CareService
from timebank.redemption.care.queries.providers import care_provider
from timebank.redemption.care.rules import month_end, month_start

CHARGE_KIND_NAMES = {"visit": "服务", "late_cancel": "临时取消", "not_home": "上门无人", "correction": "冲正"}


@dataclass(frozen=True, slots=True)
class ServiceTotal:
    """What one service makes in a month."""

    service: str
    service_name: str
    lines: int
    minutes: int
    fen: int


@dataclass(frozen=True, slots=True)
class BillLine:
    """One visit's line; ``minutes`` and ``fen`` are negative where something is taken back."""

    charge_id: UUID
    booking_id: UUID
    service: str
    service_name: str
    elder_name: str
    starts_at: datetime
    served_minutes: int | None
    kind: str
    kind_name: str
    minutes: int
    fen: int
    fen_per_hour: int
    grade: int | None
    charged_at: datetime


@dataclass(frozen=True, slots=True)
class BillView:
    """A provider's month; not ``issued`` is what it comes to so far."""

    provider_id: UUID
    provider_name: str
    township_code: str
    month: str
    issued: bool
    issued_at: datetime | None
    issued_by_name: str | None
    lines: int
    minutes: int
    fen: int
    services: list[ServiceTotal]

    @property
    def file_stem(self) -> str:
        """The name of a file with this bill, without its ending."""
        return f"居家养老账单-{self.provider_name}-{self.month}"


def must_see_bills(session: Session, actor: Actor, provider_id: UUID | None) -> UUID:
    """Whose bill the actor may see: a provider the own one; stewards those of their township; district and auditor all.

    Raises NotFound ``care_provider_unknown``; NotAllowed ``books_not_yours``, ``other_township``; Refused
    ``care_provider_needed``.
    """
    if actor.staff_role is StaffRole.CARE_PROVIDER and actor.organisation_id is not None:
        if provider_id not in (None, actor.organisation_id):
            raise NotAllowed("books_not_yours", "只能查看本机构的账单")
        return care_provider(session, actor.organisation_id)[0].id
    actor.must_see_books()
    if provider_id is None:
        raise Refused("care_provider_needed", "请写明机构", field="provider_id")
    organisation, _ = care_provider(session, provider_id)
    if actor.is_steward:
        actor.must_steward(organisation.township_code)
    return organisation.id


def bill_of(session: Session, provider_id: UUID, month: str) -> CareBill | None:
    """The issued bill of a month; None where there is none."""
    return session.scalar(select(CareBill).where(CareBill.provider_id == provider_id, CareBill.month == month))


def unbilled(provider_id: UUID, month: str) -> Select[CareCharge]:
    """What the month's bill takes up: its own charges, and late ones of months whose bill is out already."""
    return select(CareCharge).where(_of_month(provider_id, month)).order_by(CareCharge.id)


def months_of(session: Session) -> list[tuple[UUID, str]]:
    """For every provider the months that have charges and no bill; late charges count for the last finished month."""
    own = _month_in_sql(CareCharge.charged_at)
    query = select(CareCharge.provider_id, own, _billed(own)).where(CareCharge.bill_id.is_(None)).distinct()
    found = [(provider_id, month, late) for provider_id, month, late in session.execute(query)]
    open_months = {(provider_id, month) for provider_id, month, late in found if not late}
    for provider_id, month, late in found:
        if late:
            open_months.add((provider_id, _next_open(session, provider_id, month)))
    return sorted(open_months)


def see_bill(session: Session, *, provider_id: UUID, month: str) -> BillView:
    """A provider's month. Raises NotFound ``care_provider_unknown``; Refused ``month_invalid``."""
    month_start(month)
    organisation, _ = care_provider(session, provider_id)
    bill = bill_of(session, provider_id, month)
    totals = (
        select(
            CareBooking.service,
            CareService.name,
            func.count(),
            func.sum(CareCharge.minutes),
            func.sum(CareCharge.fen),
        )
        .select_from(CareCharge)
        .join(CareBooking, CareBooking.id == CareCharge.booking_id)
        .join(CareService, CareService.code == CareBooking.service)
        .where(_belongs(provider_id, month, bill))
        .group_by(CareBooking.service, CareService.name)
        .order_by(CareBooking.service)
    )
    services = [ServiceTotal(code, name, lines, int(m), int(f)) for code, name, lines, m, f in session.execute(totals)]
    return BillView(
        provider_id=provider_id,
        provider_name=organisation.name,
        township_code=organisation.township_code,
        month=month,
        issued=bill is not None,
        issued_at=bill.issued_at if bill else None,
        issued_by_name=bill.issued_by_name if bill else None,
        lines=sum(one.lines for one in services),
        minutes=sum(one.minutes for one in services),
        fen=sum(one.fen for one in services),
        services=services,
    )


def bill_lines(
    session: Session, *, provider_id: UUID, month: str, limit: int, after: UUID | None = None
) -> Sequence[BillLine]:
    """The visits' lines in the order in which they were charged, at most ``limit`` after the line ``after``."""
    query = (
        select(CareCharge, CareBooking, CareService.name, Person.name)
        .join(CareBooking, CareBooking.id == CareCharge.booking_id)
        .join(CareService, CareService.code == CareBooking.service)
        .join(Person, Person.id == CareBooking.elder_id)
        .where(_belongs(provider_id, month, bill_of(session, provider_id, month)))
    )
    if after is not None:
        query = query.where(CareCharge.id > after)
    return [_line(*row) for row in session.execute(query.order_by(CareCharge.id).limit(limit))]


def every_bill_line(session: Session, *, provider_id: UUID, month: str) -> Iterator[BillLine]:
    """All lines, a page at a time."""
    after, size = None, 500
    while lines := bill_lines(session, provider_id=provider_id, month=month, limit=size, after=after):
        yield from lines
        after = lines[-1].charge_id


def _line(charge: CareCharge, booking: CareBooking, service_name: str, elder_name: str) -> BillLine:
    return BillLine(
        charge_id=charge.id,
        booking_id=booking.id,
        service=booking.service,
        service_name=service_name,
        elder_name=elder_name,
        starts_at=booking.starts_at,
        served_minutes=booking.decided_minutes if booking.decided_minutes is not None else booking.served_minutes,
        kind=charge.kind,
        kind_name=CHARGE_KIND_NAMES[charge.kind],
        minutes=charge.minutes,
        fen=charge.fen,
        fen_per_hour=charge.fen_per_hour,
        grade=charge.grade,
        charged_at=charge.charged_at,
    )


def _belongs(provider_id: UUID, month: str, bill: CareBill | None) -> ColumnElement[bool]:
    return _of_month(provider_id, month) if bill is None else CareCharge.bill_id == bill.id


def _of_month(provider_id: UUID, month: str) -> ColumnElement[bool]:
    own = _month_in_sql(CareCharge.charged_at)
    return and_(
        CareCharge.provider_id == provider_id,
        CareCharge.bill_id.is_(None),
        CareCharge.charged_at < month_end(month),
        or_(CareCharge.charged_at >= month_start(month), _billed(own)),
    )


def _billed(month: ColumnElement[str]) -> ColumnElement[bool]:
    return exists().where(CareBill.provider_id == CareCharge.provider_id, CareBill.month == month)


def _month_in_sql(moment: SQLColumnExpression[datetime]) -> ColumnElement[str]:
    return func.to_char(func.timezone("Asia/Shanghai", moment), "YYYY-MM")


def _next_open(session: Session, provider_id: UUID, month: str) -> str:
    """The first month after ``month`` that has no bill yet."""
    while bill_of(session, provider_id, month) is not None:
        month = f"{month_end(month):%Y-%m}"
    return month
