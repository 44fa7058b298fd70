"""Single transfers: one from end to end, and all of one cause."""

from __future__ import annotations

from dataclasses import fields
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.ledger.routes import doors
from app.api.ledger.transfer_schemas import OfCauseQuery, TransferAnswer, TransferPage, TransferSeal
from app.api.operation import operation, page_of_all
from timebank.core.actors import Actor
from timebank.explaining import tracing


@operation(doors, "/transfers/<uuid:transfer_id>", "transfers.show", "一笔划转的来龙去脉", answers=TransferAnswer)
def show(session: Session, actor: Actor, transfer_id: UUID) -> dict[str, Any]:
    found = tracing.trace(session, actor=actor, transfer_id=transfer_id)
    said = {one.name: getattr(found, one.name) for one in fields(found)}
    seal = found.seal
    if seal is not None:
        said["seal"] = {name: getattr(seal, name) for name in TransferSeal().fields} | {"hash": bytes(seal.hash).hex()}
    return said


@operation(doors, "/transfers", "transfers.list", "一件事的全部划转", query=OfCauseQuery, answers=TransferPage)
def list_of_cause(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    return page_of_all(tracing.of_cause(session, actor=actor, cause_id=query["cause_id"]), query)
