"""Vegetables from the garden 菜园食材: weighed at the canteen, worth what policy says unless a steward knows better."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.network.queries import organisation_of
from timebank.canteens.subsidies.models import ProduceGift
from timebank.canteens.subsidies.rules import produce_price, proposed_value_fen, received_at
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.actions.post import post_one
from timebank.ledger.rules import AccountKind, Movement
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation

CAUSE = "produce_gift"


@dataclass(frozen=True, slots=True)
class NewProduce:
    """What was brought; ``value_fen`` None takes what policy proposes."""

    canteen_id: UUID
    item: str
    weight_g: int
    received_on: date
    value_fen: int | None = None
    from_name: str | None = None


def receive_produce(session: Session, *, actor: Actor, form: NewProduce) -> ProduceGift:
    """Write produce down, by a clerk of the canteen at policy's value, or by a steward of its township at any.

    Raises NotFound ``canteen_unknown``; NotAllowed ``canteen_not_yours``, ``value_is_the_stewards``; Refused
    ``day_in_future``, ``amount_invalid``.
    """
    organisation = organisation_of(session, form.canteen_id)
    at = received_at(form.received_on, clock.now())
    policies = in_force(session, at=clock.now())
    price = produce_price(policies.value("produce_fen_per_kg", organisation.township_code), form.item)
    proposed = proposed_value_fen(form.weight_g, price)
    value_fen = proposed if form.value_fen is None else form.value_fen
    _must_receive(actor, organisation, own_value=value_fen != proposed)
    assert actor.login_id is not None
    gift = ProduceGift(
        id=new_id(),
        canteen_id=form.canteen_id,
        item=form.item,
        weight_g=form.weight_g,
        value_fen=value_fen,
        proposed_fen=proposed,
        from_name=(form.from_name or "").strip() or None,
        received_on=form.received_on,
        received_at=clock.now(),
        received_by=actor.login_id,
        received_by_name=actor.name,
        policy_version=policies.version,
        transfer_id=new_id(),
    )
    target = ensure_organisation_accounts(session, [form.canteen_id], AccountKind.PRODUCE)[form.canteen_id]
    movement = Movement(
        id=gift.transfer_id,
        from_account_id=house_account(session, AccountKind.IN_KIND),
        to_account_id=target,
        amount=value_fen,
        kind="produce_given",
        effective_at=at,
        cause_kind=CAUSE,
        cause_id=gift.id,
        note=f"{form.item} {form.weight_g}克",
        policy_version=policies.version,
        recorded_by=actor.login_id,
    )
    post_one(session, (movement,))
    session.add(gift)
    session.flush()
    note_down(session, actor=actor, action="produce_received", subject=(CAUSE, gift.id), fen=value_fen)
    return gift


def _must_receive(actor: Actor, organisation: Organisation, *, own_value: bool) -> None:
    if actor.stewards(organisation.township_code):
        return
    if actor.staff_role is not StaffRole.CANTEEN_CLERK or actor.organisation_id != organisation.id:
        raise NotAllowed("canteen_not_yours", "只能办理本助餐点的事项", canteen_id=organisation.id)
    if own_value:
        raise NotAllowed("value_is_the_stewards", "折价按规定计算，须另定价的请镇街管理员办理")
