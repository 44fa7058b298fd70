"""Claims as people see them: with the canteen, its findings, its meals one by one, and the township's five shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, select, true
from sqlalchemy.orm import Session

from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderState
from timebank.canteens.subsidies.models import SubsidyClaim, SubsidyClaimLine, SubsidyClaimMeal, SubsidyFinding
from timebank.canteens.subsidies.rules import ClaimState, FindingKind, claim_unknown, month_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.people.models import Person
from timebank.people.rules import masked_name
from timebank.redemption.care.rules import month_end, month_start
from timebank.townships.models import Organisation, Township

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class ClaimFilter:
    """Which claims are wanted."""

    month: str | None = None
    township_code: str | None = None
    canteen_id: UUID | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimView:
    """A claim for a screen, with how many findings it has and how many are not answered."""

    claim: SubsidyClaim
    canteen_name: str
    township_code: str
    findings: int
    open_findings: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding for a screen; the diner's name is masked."""

    finding: SubsidyFinding
    diner_name: str | None
    served_on: date | None
    meal: str | None


@dataclass(frozen=True, slots=True)
class MealView:
    """One meal of a claim."""

    meal: SubsidyClaimMeal
    diner_name: str | None


@dataclass(frozen=True, slots=True)
class FiveShares:
    """What a township's canteens served in a month, and who bore it; ``list_fen`` is the sum of the five."""

    township_code: str
    township_name: str
    month: str
    meals: int
    diners: int
    list_fen: int
    elder_fen: int
    government_fen: int
    donation_fen: int
    garden_fen: int
    volunteers_fen: int


def _findings_counted(*conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    counted = select(func.count()).where(SubsidyFinding.claim_id == SubsidyClaim.id, *conditions)
    return counted.correlate(SubsidyClaim).scalar_subquery()


CLAIM_ORDERS = Orders(
    of="claims",
    by={
        "made": SubsidyClaim.id,
        "canteen": by_pinyin(Organisation.name),
        "township": Organisation.township_code,
        "month": SubsidyClaim.month,
        "meals": SubsidyClaim.meals,
        "government_fen": SubsidyClaim.government_fen,
        "paid_fen": SubsidyClaim.paid_fen,
        "findings": _findings_counted(),
        "open_findings": _findings_counted(SubsidyFinding.decision.is_(None)),
        "state": by_course(SubsidyClaim.state, list(ClaimState)),
    },
    tie=SubsidyClaim.id,
    usual="-made",
)
FINDING_ORDERS = Orders(
    of="findings",
    by={
        "number": SubsidyFinding.number,
        "kind": by_course(SubsidyFinding.kind, list(FindingKind)),
        "served_on": MealOrder.served_on,
        "fen": SubsidyFinding.fen,
        "decided_at": SubsidyFinding.decided_at,
    },
    tie=SubsidyFinding.number,
    usual="number",
)


def find_claims(session: Session, *, actor: Actor, wanted: ClaimFilter, part: Part) -> Slice[ClaimView]:
    """Claims, newest first where ``part`` asks for no other order.

    Of the steward's township, or of all for the district and the auditor.
    Raises NotAllowed ``books_not_yours``; Refused ``month_invalid``.
    """
    query = _claims(actor)
    if wanted.month is not None:
        month_start(wanted.month)
        query = query.where(SubsidyClaim.month == wanted.month)
    if wanted.township_code is not None:
        query = query.where(Organisation.township_code == wanted.township_code)
    if wanted.canteen_id is not None:
        query = query.where(SubsidyClaim.canteen_id == wanted.canteen_id)
    if wanted.state is not None:
        query = query.where(SubsidyClaim.state == wanted.state)
    found = slice_of(session, query, CLAIM_ORDERS, part)
    return found.holding([ClaimView(*row) for row in found.items])


def claim_for(session: Session, *, actor: Actor, claim_id: UUID) -> ClaimView:
    """One claim that the actor may see. Raises NotAllowed ``books_not_yours``; NotFound ``claim_unknown``."""
    row = session.execute(_claims(actor).where(SubsidyClaim.id == claim_id)).one_or_none()
    if row is None:
        raise claim_unknown(claim_id)
    return ClaimView(*row)


def claim_lines(session: Session, claim_id: UUID) -> Sequence[SubsidyClaimLine]:
    """What each rule makes in a claim, in the order of the five shares."""
    query = select(SubsidyClaimLine).where(SubsidyClaimLine.claim_id == claim_id).order_by(SubsidyClaimLine.line)
    return session.scalars(query).all()


def find_findings(session: Session, claim_id: UUID, *, open_only: bool, part: Part) -> Slice[FindingView]:
    """Findings of a claim by number where ``part`` asks for no other order; ``open_only`` those not answered yet."""
    query = _findings(claim_id)
    if open_only:
        query = query.where(SubsidyFinding.decision.is_(None))
    found = slice_of(session, query, FINDING_ORDERS, part)
    return found.holding([_finding_view(*row) for row in found.items])


def findings_of(session: Session, claim_id: UUID) -> list[FindingView]:
    """All findings of a claim by number."""
    rows = session.execute(_findings(claim_id).order_by(SubsidyFinding.number))
    return [_finding_view(*row) for row in rows]


def _findings(claim_id: UUID) -> Select[SubsidyFinding, str, date, str]:
    return (
        select(SubsidyFinding, Person.name, MealOrder.served_on, MealOrder.meal)
        .outerjoin(Person, Person.id == SubsidyFinding.person_id)
        .outerjoin(MealOrder, MealOrder.id == SubsidyFinding.order_id)
        .where(SubsidyFinding.claim_id == claim_id)
    )


def _finding_view(finding: SubsidyFinding, name: str | None, served_on: date | None, meal: str | None) -> FindingView:
    return FindingView(finding, masked_name(name) if name else None, served_on, meal)


def every_meal(session: Session, claim_id: UUID) -> Iterator[MealView]:
    """All meals of a claim by day, batch by batch."""
    query = (
        select(SubsidyClaimMeal, Person.name)
        .join(MealOrder, MealOrder.id == SubsidyClaimMeal.order_id)
        .outerjoin(Person, Person.id == MealOrder.diner_id)
        .where(SubsidyClaimMeal.claim_id == claim_id)
        .order_by(SubsidyClaimMeal.served_on, SubsidyClaimMeal.meal, SubsidyClaimMeal.order_id)
    )
    for meal, name in session.execute(query.execution_options(yield_per=_BATCH)):
        yield MealView(meal, masked_name(name) if name else None)


def five_shares(
    session: Session, *, actor: Actor, month: str | None = None, township_code: str | None = None
) -> list[FiveShares]:
    """Who bore a month's meals, township by township; the running month where none is named.

    Raises NotAllowed ``books_not_yours``; Refused ``month_invalid``.
    """
    actor.must_see_books()
    month = month or month_of(clock.now())
    first, last = month_start(month).date(), (month_end(month) - timedelta(days=1)).date()
    sums = [func.coalesce(func.sum(column), 0) for column in _FIVE]
    query = (
        select(Township.code, Township.name, func.count(), func.count(MealOrder.diner_id.distinct()), *sums)
        .join(Organisation, Organisation.id == MealOrder.canteen_id)
        .join(Township, Township.code == Organisation.township_code)
        .where(MealOrder.state == OrderState.SERVED, MealOrder.served_on.between(first, last), _own(actor))
        .group_by(Township.code, Township.name)
        .order_by(Township.code)
    )
    if township_code is not None:
        query = query.where(Township.code == township_code)
    return [
        FiveShares(code, name, month, int(meals), int(diners), *map(int, fens))
        for code, name, meals, diners, *fens in session.execute(query)
    ]


_FIVE = (
    MealOrder.list_fen,
    MealOrder.elder_fen,
    MealOrder.government_fen,
    MealOrder.donation_fen,
    MealOrder.garden_fen,
    MealOrder.volunteers_fen,
)


def _own(actor: Actor) -> ColumnElement[bool]:
    if actor.staff_role is not StaffRole.TOWNSHIP_STEWARD:
        return true()
    return Organisation.township_code == actor.township_code


def _claims(actor: Actor) -> Select[SubsidyClaim, str, str, int, int]:
    actor.must_see_books()
    return (
        select(
            SubsidyClaim,
            Organisation.name,
            Organisation.township_code,
            _findings_counted(),
            _findings_counted(SubsidyFinding.decision.is_(None)),
        )
        .join(Organisation, Organisation.id == SubsidyClaim.canteen_id)
        .where(_own(actor))
    )


@dataclass(frozen=True, slots=True)
class WholeClaim:
    """A claim with everything in it, for a file; meals are taken one by one."""

    view: ClaimView
    lines: Sequence[SubsidyClaimLine]
    findings: Sequence[FindingView]
    meals: Iterator[MealView]


def whole_claim(session: Session, seen: ClaimView) -> WholeClaim:
    """Everything of a claim that somebody may see."""
    claim_id = seen.claim.id
    return WholeClaim(
        seen, claim_lines(session, claim_id), findings_of(session, claim_id), every_meal(session, claim_id)
    )
