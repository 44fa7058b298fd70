"""Seeing why a meal cost what it did: the order with its lines, the diner on that day, and the policies of then."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.canteens.counter.models import MealCorrection
from timebank.canteens.counter.rules import MISSED
from timebank.canteens.diners.models import DinerCategory
from timebank.canteens.diners.queries import facts_on
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.orders.rules import CAUSE, OrderState, order_unknown
from timebank.canteens.orders.views import see_order
from timebank.explaining.meals import (
    CategoryHeld,
    MealSeen,
    ReceiptLine,
    explain_meal,
    rules_of_ending,
    rules_of_price,
)
from timebank.explaining.rules import Explanation, keys_of, rules_said, subsidy_sentences, words_with
from timebank.leaving.models import DeathReport
from timebank.ledger.models import Transfer
from timebank.policies.in_words import RuleInForce
from timebank.policies.models import PolicyChange
from timebank.policies.queries import rules_in_force
from timebank.redemption.models import Voucher
from timebank.townships.models import Organisation


def explain_meal_order(session: Session, *, person_id: UUID, order_id: UUID) -> Explanation:
    """Why a meal cost what it did, who bore it, and what became of it: every line with its rule and version.

    Raises NotFound ``order_unknown``, also for meals of others.
    """
    order = session.get(MealOrder, order_id)
    if order is None or order.diner_id != person_id:
        raise order_unknown(order_id)
    township_code = session.get_one(Organisation, order.canteen_id).township_code
    wanted = rules_of_price(way=order.way, with_voucher=order.voucher_id is not None)
    priced = rules_in_force(session, keys_of(wanted), township_code=township_code, at=_priced_at(session, order))
    then = rules_of_ending(OrderState(order.state))
    at = order.ended_at or order.placed_at
    ended = rules_in_force(session, keys_of(then), township_code=township_code, at=at) if then else {}
    return explain_meal(_seen(session, order, priced), [*rules_said(wanted, priced), *rules_said(then, ended)])


def _priced_at(session: Session, order: MealOrder) -> datetime:
    """A moment at which the policies were those of the newest revision, which keeps their version and no time."""
    effective_at = session.get_one(PolicyChange, order.policy_version).effective_at
    return max(order.placed_at, effective_at)


def _seen(session: Session, order: MealOrder, priced: Mapping[str, RuleInForce]) -> MealSeen:
    assert order.diner_id is not None
    seen, facts = see_order(session, order), facts_on(session, [order.diner_id], order.served_on)[order.diner_id]
    return MealSeen(
        state=OrderState(order.state),
        canteen_name=seen.canteen_name,
        served_on=order.served_on,
        meal=order.meal,
        way=order.way,
        diet_form=order.diet_form,
        source=order.source,
        revision=order.revision,
        pickup_number=order.pickup_number,
        list_fen=order.list_fen,
        elder_fen=order.elder_fen,
        cash_fen=order.cash_fen,
        lines=[
            ReceiptLine(line.line, line.share, line.rule_key, line.label, line.fen, line.policy_version)
            for line in seen.lines
        ],
        rule_sentences=subsidy_sentences(priced),
        placed_at=order.placed_at,
        placed_by_name=order.placed_by_name,
        cut_off_at=order.cut_off_at,
        policy_version=order.policy_version,
        age=facts.age,
        assessment_level=order.assessment_level,
        categories=_categories(session, order, words_with(priced)),
        ended_at=order.ended_at,
        ended_by_name=order.ended_by_name,
        end_reason=order.end_reason,
        charged_fen=_charged(session, order),
        frozen=_was_frozen(session, order),
        **_voucher(session, order),
        **_correction(session, order),
    )


def _categories(session: Session, order: MealOrder, names: Mapping[str, str]) -> list[CategoryHeld]:
    """Those that hold on the day, and those that were thought to when the meal was ordered."""
    query = select(DinerCategory).where(
        DinerCategory.person_id == order.diner_id,
        DinerCategory.valid_during.contains(order.served_on),
        DinerCategory.withdrawn_at.is_(None) | (DinerCategory.withdrawn_at > order.placed_at),
    )
    return [
        CategoryHeld(names.get(one.category, one.category), one.withdrawn_at is not None)
        for one in session.scalars(query.order_by(DinerCategory.category, DinerCategory.id))
    ]


def _voucher(session: Session, order: MealOrder) -> dict[str, Any]:
    if order.voucher_id is None:
        return {"voucher_code": None, "voucher_minutes": 0}
    voucher = session.get_one(Voucher, order.voucher_id)
    return {"voucher_code": voucher.code, "voucher_minutes": voucher.price_minutes}


def _charged(session: Session, order: MealOrder) -> int:
    """What a meal that was not had cost, in fen."""
    charges = select(func.coalesce(func.sum(Transfer.amount), 0)).where(
        Transfer.cause_kind == CAUSE, Transfer.cause_id == order.id, Transfer.kind == MISSED
    )
    return int(session.scalars(charges).one())


def _was_frozen(session: Session, order: MealOrder) -> bool:
    """Whether a report of the diner's death stood when the meal ended, however it was answered since."""
    if order.ended_at is None:
        return False
    standing = select(DeathReport.id).where(
        DeathReport.person_id == order.diner_id,
        DeathReport.reported_at <= order.ended_at,
        DeathReport.declined_at.is_(None) | (DeathReport.declined_at > order.ended_at),
    )
    return session.scalars(standing.limit(1)).first() is not None


def _correction(session: Session, order: MealOrder) -> dict[str, Any]:
    asked = session.get(MealCorrection, order.id)
    if asked is None or asked.approved_at is None:
        return {"corrected_at": None, "corrected_by": (), "correction_reason": ""}
    names = (asked.requested_by_name, asked.approved_by_name or "")
    return {"corrected_at": asked.approved_at, "corrected_by": names, "correction_reason": asked.reason}
