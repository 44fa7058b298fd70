"""Who may order, change and cancel for whom: the diner, a proxy for meals, the canteen's clerk, a steward concerned."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.orders.rules import OrderSource, not_your_elder
from timebank.core.actors import SYSTEM, Actor, StaffRole
from timebank.core.errors import NotAllowed
from timebank.people.models import Person, Proxy
from timebank.people.rules import ProxyScope, must_be_in_scope


@dataclass(frozen=True, slots=True)
class Rights:
    """One actor, and what each of the diners concerned has allowed this actor as a proxy."""

    actor: Actor
    scopes: Mapping[UUID, Collection[str]]

    @property
    def is_clerk(self) -> bool:
        """Somebody who works at a canteen's counter."""
        return self.actor.staff_role is StaffRole.CANTEEN_CLERK

    @property
    def is_staff(self) -> bool:
        """The counter's clerk, a steward, or the bank itself."""
        return self.is_clerk or self.actor.is_steward or self.actor is SYSTEM

    def must_handle(self, diner: Person | None, canteen_id: UUID, canteen_township: str) -> None:
        """Whether this actor may act for a diner (None: a guest at the counter) at a canteen.

        Raises NotAllowed ``canteen_not_yours``, ``other_township``, ``clerk_only``, ``not_your_elder``,
        ``proxy_scope_missing``.
        """
        actor = self.actor
        if actor is SYSTEM:
            return
        if self.is_clerk:
            if actor.organisation_id != canteen_id:
                raise NotAllowed("canteen_not_yours", "只能办理本助餐点的订餐", canteen_id=canteen_id)
        elif actor.is_steward:
            of_diner = diner is not None and actor.stewards(diner.township_code)
            if not (of_diner or actor.stewards(canteen_township)):
                raise NotAllowed("other_township", "只能办理本镇街的事项", township_code=canteen_township)
        elif diner is None:
            raise NotAllowed("clerk_only", "只有助餐点工作人员可以现卖")
        elif actor.person_id is None or diner.id != actor.person_id:
            self._must_be_proxy(diner.id)

    def sees(self, diner: Person | None, canteen_id: UUID, canteen_township: str) -> bool:
        """Whether this actor may act here at all; who may not does not learn that there is something."""
        try:
            self.must_handle(diner, canteen_id, canteen_township)
        except NotAllowed as refusal:
            if refusal.code == "proxy_scope_missing":
                raise
            return False
        return True

    def source(self, diner_id: UUID | None) -> OrderSource:
        """How an order by this actor comes in."""
        if self.is_clerk:
            return OrderSource.COUNTER
        if self.actor.is_steward:
            return OrderSource.STEWARD
        if self.actor is SYSTEM:
            return OrderSource.STANDING
        return OrderSource.PHONE if self.actor.person_id == diner_id else OrderSource.PROXY

    def _must_be_proxy(self, diner_id: UUID) -> None:
        allowed = self.scopes.get(diner_id)
        if allowed is None:
            raise not_your_elder()
        must_be_in_scope(allowed, ProxyScope.MEALS)


def rights_of(session: Session, actor: Actor, diner_ids: Collection[UUID]) -> Rights:
    """What this actor may do for these diners, in one statement; whoever acts for nobody else needs no consent."""
    others = set(diner_ids) - {actor.person_id}
    if actor.person_id is None or not others:
        return Rights(actor, {})
    consents = select(Proxy.elder_id, Proxy.scopes).where(
        Proxy.proxy_id == actor.person_id, Proxy.elder_id.in_(others), Proxy.ended_at.is_(None)
    )
    return Rights(actor, {row.elder_id: row.scopes for row in session.execute(consents)})
