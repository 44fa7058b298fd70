"""The trial balance, and reversals by two persons."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.ledger.schemas import ReverseAnswer, ReverseBody, TrialAnswer, TrialQuery
from app.api.operation import operation
from app.api.parser import Doors
from timebank.core.actors import Actor
from timebank.ledger import actions, queries
from timebank.redemption.queries import order_of, origin_of

doors = Doors("ledger", __name__, url_prefix="/api/v1/ledger", description="时间账本")


@operation(doors, "/trial-balance", "ledger.trial_balance", "试算平衡", query=TrialQuery, answers=TrialAnswer)
def trial_balance(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    items = queries.trial_balance(session, query["unit"])
    return {
        "unit": query["unit"],
        "items": items,
        "total_debit": sum(item.debit for item in items),
        "total_credit": sum(item.credit for item in items),
    }


@operation(
    doors, "/transfers/<uuid:transfer_id>/reverse", "ledger.reverse", "冲正",
    method="POST", body=ReverseBody, answers=ReverseAnswer, key="required",
)  # fmt: skip
def reverse(session: Session, actor: Actor, body: dict[str, Any], transfer_id: UUID) -> dict[str, Any]:
    state, transfer, reversal = actions.reverse(
        session,
        actor=actor,
        transfer_id=transfer_id,
        reason=body["reason"],
        origin_of=origin_of,
        order_of=order_of,
    )
    return {"status": state, "transfer_id": transfer, "reversal_transfer_id": reversal}
