"""Cash at the counter: into a diner's purse 充值, and back out of it 退款, each with a slip.

Order of locks: the person, the canteen, where cash leaves its drawer, then the purse.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from timebank.canteens.network.queries import canteen_here, lock_canteen, organisation_of
from timebank.canteens.network.rules import CanteenState, not_open
from timebank.canteens.purses.models import PurseSlip
from timebank.canteens.purses.queries import drawer_fen, purse_accounts, till_account
from timebank.canteens.purses.rules import (
    CAUSE_SLIP,
    PAY_BACK,
    SLIP_KIND_NAMES,
    TOP_UP,
    SlipKind,
    clerk_only,
    must_be_in_drawer,
    must_be_moderate,
    must_be_paid_to_the_living,
)
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.amounts import yuan_text
from timebank.core.ids import new_id
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.rules import Movement, insufficient
from timebank.notifications.actions import notify_person
from timebank.people.models import Person
from timebank.people.queries import must_be_here, person
from timebank.policies.queries import in_force


def top_up(session: Session, *, actor: Actor, person_id: UUID, amount_fen: int, note: str = "") -> PurseSlip:
    """Take cash at the clerk's own counter and put it into somebody's purse.

    Raises NotAllowed ``clerk_only``; NotFound ``canteen_unknown``, ``person_unknown``; Conflict ``person_left``,
    ``person_frozen``; Refused ``canteen_not_open``, ``top_up_too_large``, ``purse_full``, ``amount_invalid``.
    """
    canteen_id = counter_of(actor)
    canteen = canteen_here(session, canteen_id)
    if canteen.state != CanteenState.OPEN:
        raise not_open(canteen.state, canteen_id=canteen_id)
    # Locked, so that nobody leaves with an empty purse that is filled the next moment.
    someone = person(session, person_id, for_update=True)
    must_be_here(someone)
    purse = purse_accounts(session, [person_id])[person_id]
    balance = lock_accounts(session, [purse])[purse].posted
    policies = in_force(session, at=clock.now())
    place = organisation_of(session, canteen_id)
    must_be_moderate(
        amount_fen,
        balance,
        most_at_once=policies.whole("purse_top_up_max_fen", place.township_code),
        most_in_all=policies.whole("purse_max_fen", place.township_code),
    )
    till = till_account(session, canteen_id)
    slip = _slip(actor, SlipKind.TOP_UP, someone, canteen_id, amount_fen, note)
    _carry_out(session, slip, TOP_UP, (till, purse), policies.version)
    _tell(session, someone, slip, place.name, balance + amount_fen)
    return slip


def pay_back(session: Session, *, actor: Actor, person_id: UUID, amount_fen: int, note: str = "") -> PurseSlip:
    """Pay cash out of a purse at the clerk's own counter: what is not held for meals ordered, and is in the drawer.

    Also to whoever has left: the money is theirs. What the dead leave is paid at the office (``pay_out_estate``).
    Raises NotAllowed ``clerk_only``; NotFound ``canteen_unknown``, ``person_unknown``; Conflict ``drawer_short``,
    ``person_frozen``; Refused ``estate_at_the_office``, ``insufficient_fen``, ``amount_invalid``.
    """
    canteen_id = counter_of(actor)
    # Before the canteen, as whoever leaves locks the person first of all.
    someone = person(session, person_id, for_update=True)
    must_be_paid_to_the_living(
        someone.name, death_reported=someone.death_reported_at is not None, left=someone.left_at is not None
    )
    lock_canteen(session, canteen_id)
    purse = purse_accounts(session, [person_id])[person_id]
    state = lock_accounts(session, [purse])[purse]
    if state.available < amount_fen:
        raise insufficient(state.unit, available=state.available, needed=amount_fen)
    must_be_in_drawer(amount_fen, drawer_fen(session, canteen_id))
    till, place = till_account(session, canteen_id), organisation_of(session, canteen_id)
    slip = _slip(actor, SlipKind.PAY_BACK, someone, canteen_id, amount_fen, note)
    _carry_out(session, slip, PAY_BACK, (purse, till), in_force(session, at=clock.now()).version)
    _tell(session, someone, slip, place.name, state.posted - amount_fen)
    return slip


def counter_of(actor: Actor) -> UUID:
    """The canteen at whose counter the actor stands. Raises NotAllowed ``clerk_only``."""
    if actor.staff_role is not StaffRole.CANTEEN_CLERK or actor.organisation_id is None or actor.login_id is None:
        raise clerk_only()
    return actor.organisation_id


def _slip(actor: Actor, kind: SlipKind, holder: Person, canteen_id: UUID, amount_fen: int, note: str) -> PurseSlip:
    assert actor.login_id is not None
    return PurseSlip(
        id=new_id(),
        kind=kind,
        person_id=holder.id,
        canteen_id=canteen_id,
        amount_fen=amount_fen,
        on_day=clock.today(),
        made_at=clock.now(),
        made_by=actor.login_id,
        made_by_name=actor.name,
        note=note,
        transfer_id=new_id(),
    )


def _carry_out(session: Session, slip: PurseSlip, kind: str, way: tuple[int, int], version: int) -> None:
    movement = Movement(
        id=slip.transfer_id,
        from_account_id=way[0],
        to_account_id=way[1],
        amount=slip.amount_fen,
        kind=kind,
        effective_at=slip.made_at,
        cause_kind=CAUSE_SLIP,
        cause_id=slip.id,
        note=slip.note,
        policy_version=version,
        recorded_by=slip.made_by,
    )
    post_one(session, (movement,))
    session.add(slip)
    session.flush()


def _tell(session: Session, holder: Person, slip: PurseSlip, place: str, left_fen: int) -> None:
    """Whoever has left, or died, is told nothing."""
    if holder.left_at is not None:
        return
    name = SLIP_KIND_NAMES[SlipKind(slip.kind)]
    body = f"您在{place}{name}{yuan_text(slip.amount_fen)}，餐费余额{yuan_text(left_fen)}。"
    notify_person(session, person_id=holder.id, title=f"餐费{name}", body=body)
