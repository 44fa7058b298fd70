"""What of the meal programme ends with somebody: meals ordered, standing orders, the file, what is in the purse."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.diners.actions import end_diner
from timebank.canteens.diners.queries import diners_by_ids
from timebank.canteens.diners.rules import DinerState
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.rules import CanteenState
from timebank.canteens.orders.actions import (
    cancel_orders,
    end_standing_orders_of,
    lock_for_release,
    lock_orders,
    waiting_orders_of,
)
from timebank.canteens.purses.actions import inherit_purse
from timebank.canteens.purses.queries import Purse, purse_account, purse_accounts
from timebank.core.actors import SYSTEM, Actor
from timebank.core.amounts import yuan_text
from timebank.core.errors import BankError
from timebank.leaving.rules import REASON_NAMES, Counter, LeavingReason, purse_not_empty
from timebank.ledger.models import Account
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.people.models import Person
from timebank.townships.models import Organisation

_COUNTERS_NAMED = 5


@dataclass(frozen=True, slots=True)
class Meals:
    """What somebody has of the meal programme, all of it locked but for ``accounts``, which are to be locked."""

    order_ids: list[UUID]
    purse: int | None
    heirs_purse: int | None
    accounts: set[int]


def lock_meals_of(session: Session, *, leaver: Person, receiver: Person | None, reason: LeavingReason) -> Meals:
    """Lock the file, the orders that wait and what they have taken, after the people and before vouchers and accounts.

    Whoever places or serves a meal of this person waits here, or is waited for.
    """
    diners_by_ids(session, [leaver.id], lock=True)
    order_ids = waiting_orders_of(session, leaver.id)
    held = lock_for_release(session, list(lock_orders(session, order_ids).values()))
    purse = purse_account(session, leaver.id)
    heirs = None
    if purse is not None and receiver is not None and reason is LeavingReason.DIED and _dines(session, receiver.id):
        heirs = purse_accounts(session, [receiver.id])[receiver.id]
    return Meals(order_ids, purse, heirs, held | {one for one in (purse, heirs) if one is not None})


def end_meals(session: Session, *, actor: Actor, leaver: Person, meals: Meals, reason: LeavingReason) -> None:
    """Cancel what waits, whatever the cut-off, end standing orders and the file; all accounts are locked.

    Whoever leaves alive has been paid what is in the purse before. Raises Conflict ``purse_not_empty``.
    """
    if reason is LeavingReason.LEFT and meals.purse is not None:
        _must_be_paid_back(session, leaver, session.get_one(Account, meals.purse, populate_existing=True))
    why = f"本人{REASON_NAMES[reason]}"
    for answer in cancel_orders(session, actor=SYSTEM, order_ids=meals.order_ids, reason=why):
        if isinstance(answer, BankError):
            raise RuntimeError(f"a meal that waits could not be given up: {answer}")
    end_standing_orders_of(session, actor=actor, diner_id=leaver.id)
    end_diner(session, person_id=leaver.id, actor=actor)


def pass_purse_on(
    session: Session, *, actor: Actor, leaver: Person, receiver: Person | None, meals: Meals, leaving_id: UUID
) -> None:
    """What the dead had in the purse goes to the heir's; to one without, the office pays it on evidence."""
    if meals.purse is None:
        return
    fen = session.get_one(Account, meals.purse, populate_existing=True).posted
    if fen == 0:
        return
    if meals.heirs_purse is None or receiver is None:
        body = f"{leaver.name}身故后餐费余额还有{yuan_text(fen)}，请核实继承依据，由两位管理员办理退给继承人。"
        notify_stewards(session, township_code=leaver.township_code, title="有餐费余额待继承", body=body)
        return
    way, cause = (meals.purse, meals.heirs_purse), ("leaving", leaving_id)
    inherit_purse(session, purse=way, fen=fen, cause=cause, recorded_by=actor.login_id)
    body = f"{leaver.name}的餐费余额{yuan_text(fen)}已转入您的餐费余额。"
    notify_person(session, person_id=receiver.id, title="亲属餐费余额已转入", body=body)


def _must_be_paid_back(session: Session, leaver: Person, purse: Account) -> None:
    if purse.posted:
        counters = _counters_for(session, leaver)
        raise purse_not_empty(Purse(purse.posted, purse.held), counters)


def _counters_for(session: Session, leaver: Person) -> list[Counter]:
    """Where the money is paid back: the usual canteen first, then open ones of the home township."""
    diner = diners_by_ids(session, [leaver.id]).get(leaver.id)
    usual = diner.usual_canteen_id if diner is not None else None
    query = select(Canteen.id, Organisation.name, Canteen.address, Canteen.phone)
    query = query.join(Organisation, Organisation.id == Canteen.id).where(
        Canteen.state == CanteenState.OPEN,
        (Organisation.township_code == leaver.township_code) | (Canteen.id == usual),
    )
    found = session.execute(query.order_by((Canteen.id != usual).asc(), Canteen.id).limit(_COUNTERS_NAMED))
    return [Counter(*row) for row in found]


def _dines(session: Session, person_id: UUID) -> bool:
    diner = diners_by_ids(session, [person_id]).get(person_id)
    return diner is not None and diner.state == DinerState.APPROVED
