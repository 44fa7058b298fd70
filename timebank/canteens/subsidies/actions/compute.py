"""Computing a claim 结算: from the ledger, checked by every check, written once for a canteen and month.

A claim takes whatever of the canteen's meals lies in the ledger before the month's end and was not claimed before: the
month's meals, and what came late; a meal that was undone after it was claimed comes off. So nothing is claimed twice
and nothing is left behind, and after payment the canteen's account holds the meals of later days only.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.queries import lock_canteen, organisation_of
from timebank.canteens.subsidies import entitlement, screening
from timebank.canteens.subsidies.bookkeeping import Books, keep_books
from timebank.canteens.subsidies.models import (
    SubsidyClaim,
    SubsidyClaimLine,
    SubsidyClaimMeal,
    SubsidyFinding,
)
from timebank.canteens.subsidies.queries import evidence
from timebank.canteens.subsidies.queries.claims import HELD_BACK, later_claim, live_claim, returned_before, told_of
from timebank.canteens.subsidies.queries.earned import lines_of, unclaimed, unclaimed_operating_fen
from timebank.canteens.subsidies.rulebooks import Rulebooks
from timebank.canteens.subsidies.rules import ClaimState, must_be_over
from timebank.canteens.subsidies.screening import Found
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.errors import Conflict
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_organisation_accounts
from timebank.ledger.rules import AccountKind
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.redemption.care.rules import month_end
from timebank.townships.models import Organisation


def compute_claim(session: Session, *, actor: Actor, canteen_id: UUID, month: str) -> SubsidyClaim:
    """Compute the claim of a canteen's finished month; one that stands already is answered as it stands.

    Raises NotFound ``canteen_unknown``; NotAllowed ``steward_only``, ``other_township``; Refused ``month_invalid``;
    Conflict ``month_not_finished``, ``later_month_claimed``, ``nothing_to_claim``.
    """
    actor.must_be_steward()
    organisation = organisation_of(session, canteen_id)
    actor.must_steward(organisation.township_code)
    must_be_over(month, clock.now())
    lock_canteen(session, canteen_id)
    standing = live_claim(session, canteen_id, month)
    return standing if standing is not None else _compute(session, actor, organisation, month)


def compute_due_claim(session: Session, *, canteen_id: UUID, month: str) -> bool:
    """Compute one claim that is due; answers whether that was still to be done.

    Where an earlier month was returned and is not computed anew, it would swallow that month's meals: then it waits,
    and the stewards are told once. They may still compute it themselves.

    Raises Refused ``month_invalid``; Conflict ``month_not_finished``, ``later_month_claimed``, ``nothing_to_claim``.
    """
    must_be_over(month, clock.now())
    lock_canteen(session, canteen_id)
    written = select(func.count()).where(SubsidyClaim.canteen_id == canteen_id, SubsidyClaim.month == month)
    if session.scalar(written):
        return False
    organisation = organisation_of(session, canteen_id)
    returned = returned_before(session, canteen_id, month)
    if returned is not None:
        return _hold_back(session, organisation, returned, month)
    _compute(session, SYSTEM, organisation, month)
    return True


def _hold_back(session: Session, organisation: Organisation, returned: SubsidyClaim, month: str) -> bool:
    if told_of(session, returned, month):
        return False
    subject = ("subsidy_claim", returned.id)
    note_down(session, actor=SYSTEM, action=HELD_BACK, subject=subject, month=month)
    body = (
        f"{organisation.name}{returned.month}补贴结算退回后还没有重算，{month}暂不自动结算；请先重算{returned.month}。"
    )
    notify_stewards(session, township_code=organisation.township_code, title="助餐补贴等待重算", body=body)
    return True


def _compute(session: Session, actor: Actor, organisation: Organisation, month: str) -> SubsidyClaim:
    later = later_claim(session, organisation.id, month)
    if later is not None:
        raise Conflict("later_month_claimed", f"{later.month}已经结算，{month}不能再单独结算", month=later.month)
    account_id = ensure_organisation_accounts(session, [organisation.id], AccountKind.CANTEEN)[organisation.id]
    end = month_end(month)
    earned = unclaimed(session, canteen_id=organisation.id, account_id=account_id, before=end)
    operating_fen = unclaimed_operating_fen(session, canteen_id=organisation.id, account_id=account_id, before=end)
    if not earned and not operating_fen:
        raise Conflict("nothing_to_claim", "这个月没有可结算的餐费", month=month)
    books = keep_books(organisation.id, earned, lines_of(session, [o.order_id for o in earned if o.order_id]))
    found = [*books.misfits, *_screen(session, organisation, books)]
    claim = _write(session, actor, organisation.id, month, books, operating_fen)
    _write_findings(session, claim, found)
    if not found:
        claim.state = ClaimState.CHECKED
    session.flush()
    note_down(session, actor=actor, action="claim_computed", subject=("subsidy_claim", claim.id), month=month)
    _tell(session, organisation, claim, len(found))
    return claim


def _write(
    session: Session, actor: Actor, canteen_id: UUID, month: str, books: Books, operating_fen: int
) -> SubsidyClaim:
    total = books.total
    claim = SubsidyClaim(
        id=new_id(),
        canteen_id=canteen_id,
        month=month,
        state=ClaimState.COMPUTED,
        meals=sum(one.meals for one in books.meals),
        list_fen=total.list_fen,
        elder_fen=total.elder_fen,
        government_fen=total.government_fen,
        donation_fen=total.donation_fen,
        garden_fen=total.garden_fen,
        volunteers_fen=total.volunteers_fen,
        volunteers_in_kind_fen=books.volunteers_in_kind_fen,
        operating_fen=operating_fen,
        ledger_fen=books.ledger_fen,
        policy_version=in_force(session, at=clock.now()).version,
        computed_at=clock.now(),
        computed_by=actor.login_id,
        computed_by_name=actor.name,
    )
    session.add(claim)
    session.flush()
    _write_meals(session, claim, books)
    return claim


def _write_meals(session: Session, claim: SubsidyClaim, books: Books) -> None:
    meals = [
        {
            "claim_id": claim.id,
            "order_id": one.order_id,
            "served_on": one.served_on,
            "meal": one.meal,
            "meals": one.meals,
            "list_fen": one.shares.list_fen,
            "elder_fen": one.shares.elder_fen,
            "government_fen": one.shares.government_fen,
            "donation_fen": one.shares.donation_fen,
            "garden_fen": one.shares.garden_fen,
            "volunteers_fen": one.shares.volunteers_fen,
        }
        for one in books.meals
    ]
    if meals:
        session.execute(insert(SubsidyClaimMeal), meals)
    for number, line in enumerate(books.sorted_lines(), start=1):
        session.add(
            SubsidyClaimLine(
                claim_id=claim.id,
                line=number,
                share=line.share,
                rule_key=line.rule_key,
                label=line.label,
                meals=line.meals,
                fen=line.fen,
                in_kind=line.in_kind,
            )
        )
    session.flush()


def _write_findings(session: Session, claim: SubsidyClaim, found: Sequence[Found]) -> None:
    rows = [
        {
            "claim_id": claim.id,
            "number": number,
            "kind": one.kind,
            "order_id": one.order_id,
            "person_id": one.person_id,
            "fen": one.fen,
            "reason": one.reason,
        }
        for number, one in enumerate(found, start=1)
    ]
    if rows:
        session.execute(insert(SubsidyFinding), rows)


def _screen(session: Session, organisation: Organisation, books: Books) -> list[Found]:
    """Every check of meals that are claimed for the first time, in the order of the meals."""
    claimed = {one.order_id for one in books.meals if one.is_new}
    days = [one.served_on for one in books.meals if one.is_new]
    if not days:
        return []
    found = _look(session, organisation, claimed, min(days), max(days))
    places = {one.order_id: place for place, one in enumerate(books.meals)}
    return sorted(found, key=lambda one: (places[one.order_id] if one.order_id is not None else -1, one.kind))


def _look(session: Session, organisation: Organisation, claimed: set[UUID], first: date, last: date) -> list[Found]:
    load = partial(evidence.served_meals, session, canteen_id=organisation.id, first=first, last=last)
    here = [one for one in load() if one.order_id in claimed]
    people = {one.person_id for one in here if one.person_id is not None}
    households = {one.household_id for one in here if one.household_id is not None}
    everything = load(person_ids=people, household_ids=households)
    policies = in_force(session, at=clock.now())
    code = organisation.township_code
    facts, rules = evidence.facts_of(session, everything), Rulebooks(session, everything)
    windows = evidence.windows_of(session, here)
    scans = evidence.scans_of(session, people, first=first, last=last)
    ours = [one for one in everything if one.canteen_id == organisation.id]
    return [
        *entitlement.over_limit(here, everything, facts, rules.of),
        *entitlement.not_entitled(here, facts, rules.of),
        *screening.had_elsewhere(here, everything, scans, policies.value("meal_periods", code)),
        *screening.gone(
            here,
            evidence.whereabouts_of(session, people),
            township_code=code,
            moved_allowed=bool(policies.value("claim_moved_diners_allowed", code)),
        ),
        *screening.beyond_capacity(claimed, ours, windows),
        *screening.outside_hours(
            here, windows, tolerance=timedelta(minutes=policies.whole("claim_hours_tolerance_minutes", code))
        ),
        *screening.many_by_one(here, most=policies.whole("claim_many_orders_by_one", code)),
    ]


def _tell(session: Session, organisation: Organisation, claim: SubsidyClaim, findings: int) -> None:
    body = f"{organisation.name}{claim.month}补贴结算已算出，共{claim.meals}餐，疑点{findings}处，请核查。"
    notify_stewards(session, township_code=organisation.township_code, title="助餐补贴待核查", body=body)
