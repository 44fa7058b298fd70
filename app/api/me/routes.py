"""What a person sees of the own account."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import PageQuery, numbers_in_cursor
from app.api.me.schemas import BalanceAnswer, MeAnswer, StatementPage
from app.api.operation import operation, page
from app.api.parser import Doors
from timebank.core.actors import Actor
from timebank.ledger import queries
from timebank.ledger.queries import PAID_KIND_NAMES, TRANSFER_KIND_NAMES, Balance, StatementLine
from timebank.ledger.rules import HOUSE

doors = Doors("me", __name__, url_prefix="/api/v1/me", description="我的账户")


@operation(doors, "", "me.show", "我是谁", answers=MeAnswer)
def show(session: Session, actor: Actor) -> dict[str, Any]:
    return {
        "person_id": actor.person(),
        "name": actor.name,
        "township_code": actor.township_code,
        "roles": sorted(actor.roles),
    }


@operation(doors, "/balance", "me.balance", "我的时长", answers=BalanceAnswer)
def balance(session: Session, actor: Actor) -> Balance:
    return queries.balance_of(session, actor.person())


@operation(doors, "/statement", "me.statement", "我的明细", query=PageQuery, answers=StatementPage)
def statement(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    place = numbers_in_cursor(query.get("cursor"), 2)
    after = (place[0], place[1]) if place else None
    lines = queries.statement(session, actor.person(), limit=query["limit"] + 1, after=after)
    found = page(lines, query["limit"], lambda line: [line.account_id, line.version])
    return {**found, "items": [_item(line) for line in found["items"]]}


def _kind_name(line: StatementLine) -> str:
    name = TRANSFER_KIND_NAMES.get(line.kind, line.kind)
    return PAID_KIND_NAMES.get(line.kind, name) if line.minutes < 0 else name


def _item(line: StatementLine) -> dict[str, Any]:
    book = line.counterpart_book_code
    return {
        "transfer_id": line.transfer_id,
        "posted_at": line.posted_at,
        "effective_at": line.effective_at,
        "kind": line.kind,
        "kind_name": _kind_name(line),
        "minutes": line.minutes,
        "balance_minutes": line.balance_minutes,
        "counterpart_township_code": None if book == HOUSE else book,
        "note": line.note,
    }
