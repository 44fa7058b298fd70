"""What a person sees of the own account."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import PageQuery, moment_and_key_in_cursor, numbers_in_cursor
from app.api.me.schemas import (
    BalanceAnswer,
    ExplainQuery,
    ExplanationAnswer,
    HonoursAnswer,
    MeAnswer,
    RefusalPage,
    StatementPage,
    StatementQuery,
    WhoseQuery,
)
from app.api.operation import SUMMARY_OF, operation, page
from app.api.parser import Doors
from timebank.canteens.purses.queries import purse_account, purses_of
from timebank.core.actors import Actor
from timebank.core.replies import KeptReply
from timebank.explaining import queries as why
from timebank.explaining.eaten import explain_meal_order
from timebank.explaining.ordered import explain_care, explain_voucher
from timebank.explaining.rules import Explanation
from timebank.ledger import queries
from timebank.ledger.queries import PAID_KIND_NAMES, TRANSFER_KIND_NAMES, StatementLine
from timebank.ledger.rules import HOUSE, AccountKind
from timebank.tasks.honours import Honours, honours_of

doors = Doors("me", __name__, url_prefix="/api/v1/me", description="我的账户")


@operation(doors, "", "me.show", "我是谁", answers=MeAnswer)
def show(session: Session, actor: Actor) -> dict[str, Any]:
    return {
        "person_id": actor.person(),
        "name": actor.name,
        "township_code": actor.township_code,
        "roles": sorted(actor.roles),
    }


@operation(doors, "/balance", "me.balance", "我的时长", query=WhoseQuery, answers=BalanceAnswer)
def balance(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    person_id = why.whose(session, actor, query.get("for_person_id"))
    return {**asdict(queries.balance_of(session, person_id)), **_purse(session, person_id)}


@operation(doors, "/honours", "me.honours", "我的荣誉", answers=HonoursAnswer)
def honours(session: Session, actor: Actor) -> Honours:
    return honours_of(session, actor.person())


@operation(doors, "/statement", "me.statement", "我的明细", query=StatementQuery, answers=StatementPage)
def statement(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    person_id = why.whose(session, actor, query.get("for_person_id"))
    place = numbers_in_cursor(query.get("cursor"), 2)
    after = (place[0], place[1]) if place else None
    kind = AccountKind(query["account"])
    lines = queries.statement(session, person_id, limit=query["limit"] + 1, after=after, kind=kind)
    found = page(lines, query["limit"], lambda line: [line.account_id, line.version])
    return {**found, "items": [_item(line) for line in found["items"]]}


@operation(doors, "/explain", "me.explain", "为什么", query=ExplainQuery, answers=ExplanationAnswer)
def explain(session: Session, actor: Actor, query: dict[str, Any]) -> Explanation:
    if "key" in query:
        return why.explain_reply(session, actor=actor, key=query["key"], names=SUMMARY_OF)
    person_id = why.whose(session, actor, query.get("for_person_id"))
    if "transfer_id" in query:
        return why.explain_transfer(session, person_id=person_id, transfer_id=query["transfer_id"])
    if "voucher_id" in query:
        return explain_voucher(session, person_id=person_id, voucher_id=query["voucher_id"])
    if "booking_id" in query:
        return explain_care(session, person_id=person_id, booking_id=query["booking_id"])
    if "order_id" in query:
        return explain_meal_order(session, person_id=person_id, order_id=query["order_id"])
    return why.explain_task(session, person_id=person_id, task_id=query["task_id"])


@operation(doors, "/refusals", "me.refusals", "我没有办成的事", query=PageQuery, answers=RefusalPage)
def refusals(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    before = moment_and_key_in_cursor(query.get("cursor"))
    found = why.refusals_of(session, actor=actor, limit=query["limit"] + 1, before=before)
    answer = page(found, query["limit"], lambda kept: [kept.answered_at.isoformat(), kept.key])
    return {**answer, "items": [_refusal(kept) for kept in answer["items"]]}


def _purse(session: Session, person_id: UUID) -> dict[str, int]:
    """What is in the purse; nothing for whoever never had one."""
    if purse_account(session, person_id) is None:
        return {}
    purse = purses_of(session, [person_id])[person_id]
    return {
        "purse_fen": purse.balance_fen,
        "purse_held_fen": purse.held_fen,
        "purse_available_fen": purse.available_fen,
    }


def _refusal(kept: KeptReply) -> dict[str, Any]:
    problem: dict[str, Any] = kept.body or {}
    return {
        "key": kept.key,
        "operation": kept.operation,
        "operation_name": SUMMARY_OF.get(kept.operation, kept.operation),
        "refused_at": kept.answered_at,
        "code": problem.get("code", ""),
        "title": problem.get("title", ""),
    }


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
        "expires_on": line.expires_on,
    }
