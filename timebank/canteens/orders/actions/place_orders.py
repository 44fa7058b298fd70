"""Placing orders 订餐: many at once, each answered by itself, on a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.orders.actions.decided import Before, Decided
from timebank.canteens.orders.actions.judge_orders import Table
from timebank.canteens.orders.actions.lay_table import lay_table
from timebank.canteens.orders.actions.telling import order_words, tell_diners
from timebank.canteens.orders.actions.write_orders import write_orders
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import OrderWanted
from timebank.core.actors import Actor
from timebank.core.amounts import MAX_AMOUNT
from timebank.core.errors import BankError
from timebank.people.queries import spoken_name

Placed = MealOrder | BankError


def place_orders(session: Session, *, actor: Actor, wanted: Sequence[OrderWanted]) -> list[Placed]:
    """Order meals: priced now, capacity and dishes counted, money held, a voucher set aside; nothing is posted yet.

    One answer each, in order: the order, or the refusal, decided as if one came after another; none spoils its
    neighbours. For the diner, a proxy for meals, the canteen's clerk, or a steward of the diner's or the canteen's
    township. Refusals: NotAllowed ``not_your_elder``, ``proxy_scope_missing``, ``other_township``,
    ``canteen_not_yours``, ``clerk_only``; NotFound ``canteen_unknown``, ``person_unknown``, ``item_unknown``; Conflict
    ``person_left``, ``person_frozen``, ``already_ordered``, ``capacity_reached``, ``sold_out``; Refused
    ``diner_not_approved``, ``canteen_not_open``, ``canteen_closed_that_day``, ``meal_not_served``,
    ``cut_off_passed``, ``too_far_ahead``, ``walk_in_only_now``, ``items_unclear``, ``quantity_too_many``,
    ``dish_not_suitable``, ``delivery_not_offered``, ``delivery_address_needed``, ``guest_pays_cash``,
    ``cash_only_at_once``, ``no_voucher``, ``insufficient_fen``.
    """
    if not wanted:
        return []
    table = lay_table(session, actor=actor, wanted=wanted)
    verdicts = table.judge(wanted)
    decided = [verdict for verdict in verdicts if isinstance(verdict, Decided)]
    written = iter(write_orders(session, table, decided))
    answers: list[Placed] = [v if isinstance(v, BankError) else next(written) for v in verdicts]
    said: list[tuple[MealOrder, str]] = []
    for order in (answer for answer in answers if isinstance(answer, MealOrder)):
        if order.diner_id is not None and actor.person_id != order.diner_id:
            someone, place = table.people[order.diner_id], table.places[order.canteen_id]
            body = f"{spoken_name(actor, someone)}为您订了{order_words(order, place.organisation.name)}。"
            said.append((order, body))
        if actor.is_steward:
            note_down(session, actor=actor, action="meal_ordered", subject=("meal_order", order.id))
    tell_diners(session, said, title="已为您订餐")
    return answers


def place_order(session: Session, *, actor: Actor, wanted: OrderWanted) -> MealOrder:
    """Order one meal. Raises what ``place_orders`` refuses."""
    answer = place_orders(session, actor=actor, wanted=[wanted])[0]
    if isinstance(answer, BankError):
        raise answer
    return answer


@dataclass(frozen=True, slots=True)
class Quote:
    """What a meal would cost now, by which version of policy, and what is available in the purse, in fen."""

    decided: Decided
    policy_version: int
    purse_fen: int


def quote(session: Session, *, actor: Actor, wanted: OrderWanted) -> Quote:
    """What a meal would cost now; nothing is taken or locked.

    A purse that holds too little, or no voucher, is no refusal here. Raises what else ``place_orders`` refuses.
    """
    return quoted(lay_table(session, actor=actor, wanted=[wanted], lock=False), wanted)


def quoted(table: Table, wanted: OrderWanted, before: Before | None = None) -> Quote:
    """What an order would cost by what is on the table, ``before`` being what it would take the place of.

    Raises what ``quote`` raises.
    """
    has = 0
    account_id = table.accounts.purses.get(wanted.diner_id) if wanted.diner_id is not None else None
    if account_id is not None:
        has = table.available[account_id]
        # Whoever asks for a price may have too little yet.
        table.available[account_id] = MAX_AMOUNT
    verdict = table.judge_one(wanted, before)
    if isinstance(verdict, BankError) and verdict.code == "no_voucher":
        verdict = table.judge_one(replace(wanted, use_voucher=False), before)
    if isinstance(verdict, BankError):
        raise verdict
    return Quote(verdict, table.policies.version, has)
