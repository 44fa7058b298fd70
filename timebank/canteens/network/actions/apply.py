"""Applying for a canteen 申请开办, and changing where it is and how it works."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import canteen_unknown, lock_canteens
from timebank.canteens.network.rules import (
    NUMBERED,
    CanteenState,
    CanteenType,
    Carrier,
    must_be_a_place,
    must_cook_itself,
    must_not_be_closed,
    tidy_phone,
)
from timebank.core import clock
from timebank.core.actors import SYSTEM, Actor
from timebank.core.errors import Conflict, Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_stewards
from timebank.townships.models import Organisation
from timebank.townships.queries import township


@dataclass(frozen=True, slots=True)
class Particulars:
    """Where a canteen is, who carries its meals, and whose kitchen cooks for it (None: it cooks itself)."""

    address: str
    phone: str
    carrier: str
    latitude: float | None = None
    longitude: float | None = None
    kitchen_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Application:
    """A canteen as it is applied for."""

    name: str
    township_code: str
    canteen_type: str
    particulars: Particulars


def apply(session: Session, *, actor: Actor, form: Application) -> Canteen:
    """Apply for a canteen of the actor's own township; it gets its number when it is accepted on site.

    Raises NotAllowed ``steward_only``, ``other_township``; Conflict ``name_taken``; Refused ``township_unknown``,
    ``phone_invalid``, ``place_incomplete``, ``place_far_away``, ``kitchen_unfit``; NotFound ``canteen_unknown`` for
    the kitchen.
    """
    actor.must_be_steward()
    township(session, form.township_code)
    actor.must_steward(form.township_code)
    particulars = _tidied(form.particulars)
    _check_kitchen(session, particulars.kitchen_id, None)
    canteen = Canteen(
        id=_enter_organisation(session, form),
        canteen_type=form.canteen_type,
        state=CanteenState.APPLIED,
        applied_at=clock.now(),
        applied_by=actor.login_id,
        applied_by_name=actor.name,
        state_reason="",
        **asdict(particulars),
    )
    session.add(canteen)
    session.flush()
    note_down(
        session,
        actor=actor,
        action="canteen_applied",
        subject=("canteen", canteen.id),
        canteen_type=form.canteen_type,
        township_code=form.township_code,
    )
    body = f"{form.name}已申请开办，请安排现场验收。"
    notify_stewards(session, township_code=None, title="有助餐点待验收", body=body)
    return canteen


def enter(session: Session, *, name: str, township_code: str) -> Canteen:
    """Enter a canteen by its name only, as when its first clerk gets a login: applied for, to be completed.

    As every canteen it serves nobody, and takes no vouchers, until it is accepted and opened. Raises Conflict
    ``name_taken``; Refused ``township_unknown``.
    """
    township(session, township_code)
    unknown = Particulars(address="", phone="", carrier=Carrier.NOBODY)
    form = Application(name, township_code, CanteenType.VILLAGE, unknown)
    canteen = Canteen(
        id=_enter_organisation(session, form),
        canteen_type=form.canteen_type,
        state=CanteenState.APPLIED,
        applied_at=clock.now(),
        applied_by=None,
        applied_by_name=SYSTEM.name,
        state_reason="",
        **asdict(unknown),
    )
    session.add(canteen)
    session.flush()
    note_down(session, actor=SYSTEM, action="canteen_applied", subject=("canteen", canteen.id), name=name)
    return canteen


def change(session: Session, *, actor: Actor, canteen_id: UUID, particulars: Particulars) -> Canteen:
    """Say anew where a canteen is, who carries its meals and who cooks; for the stewards of its township.

    Orders placed already keep what was agreed. Raises NotAllowed ``steward_only``, ``other_township``; NotFound
    ``canteen_unknown``; Conflict ``canteen_closed``; Refused ``phone_invalid``, ``place_incomplete``,
    ``place_far_away``, ``place_needed`` where an open canteen is to lose its place, ``kitchen_unfit``.
    """
    actor.must_be_steward()
    # Both at once, in order: of two that name one another as their kitchen, the later one sees the earlier one.
    locked = lock_canteens(session, {canteen_id, particulars.kitchen_id or canteen_id})
    canteen = locked.get(canteen_id)
    if canteen is None:
        raise canteen_unknown(canteen_id)
    actor.must_steward(session.get_one(Organisation, canteen_id).township_code)
    must_not_be_closed(canteen.state)
    wanted = _tidied(particulars)
    if wanted.latitude is None and canteen.state in (CanteenState.OPEN, CanteenState.SUSPENDED):
        raise Refused("place_needed", "请先填写助餐点的经度和纬度", field="latitude")
    _check_kitchen(session, wanted.kitchen_id, canteen)
    for name, value in asdict(wanted).items():
        setattr(canteen, name, value)
    session.flush()
    # Neither the address nor the telephone: they may be somebody's home.
    note_down(
        session,
        actor=actor,
        action="canteen_changed",
        subject=("canteen", canteen_id),
        carrier=wanted.carrier,
        kitchen_id=str(wanted.kitchen_id) if wanted.kitchen_id is not None else None,
        latitude=wanted.latitude,
        longitude=wanted.longitude,
    )
    return canteen


def _tidied(particulars: Particulars) -> Particulars:
    must_be_a_place(particulars.latitude, particulars.longitude)
    return replace(particulars, phone=tidy_phone(particulars.phone))


def _check_kitchen(session: Session, kitchen_id: UUID | None, canteen: Canteen | None) -> None:
    """Whoever cooks for others cooks itself, and is there."""
    if kitchen_id is None:
        return
    kitchen = lock_canteens(session, [kitchen_id]).get(kitchen_id)
    if kitchen is None:
        raise canteen_unknown(kitchen_id)
    if canteen is not None and kitchen_id == canteen.id:
        raise Refused("kitchen_unfit", "助餐点不能由自己供餐，自己做饭请不填供餐厨房", field="kitchen_id")
    if kitchen.state not in NUMBERED:
        raise Refused("kitchen_unfit", "供餐厨房须已通过验收并且没有关闭", field="kitchen_id", state=kitchen.state)
    cooked_for = select(Canteen.id).where(Canteen.kitchen_id == canteen.id).limit(1) if canteen is not None else None
    must_cook_itself(
        kitchen_has_kitchen=kitchen.kitchen_id is not None,
        cooks_for_others=cooked_for is not None and session.scalar(cooked_for) is not None,
    )


def _enter_organisation(session: Session, form: Application) -> UUID:
    """The organisation that the canteen is, under a name that nobody has; until it opens it serves nobody."""
    made = {"id": new_id(), "kind": "canteen", "name": form.name, "township_code": form.township_code}
    entered = insert(Organisation).values(**made, not_serving_since=clock.now())
    # Of two who take the same name at once, the later one waits and is refused.
    found: UUID | None = session.scalar(
        entered.on_conflict_do_nothing(index_elements=["name"]).returning(Organisation.id)
    )
    if found is None:
        raise Conflict("name_taken", "已有同名的机构，请另取名称", name=form.name)
    return found
