"""Gifts to relatives, donations to the pool, the pools themselves, and help out of them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import PageQuery, id_in_cursor, numbers_in_cursor
from app.api.giving.schemas import (
    DeclineHardshipBody,
    DonateBody,
    DonationItem,
    DonationPage,
    GiftItem,
    GiftPage,
    GiftsQuery,
    GiveMinutesBody,
    HardshipBody,
    HardshipItem,
    HardshipPage,
    HardshipQuery,
    PoolPage,
    PoolStatementPage,
    PoolStatementQuery,
)
from app.api.operation import operation, page, page_of_all
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.core.actors import Actor
from timebank.giving import actions, queries
from timebank.giving.models import HardshipRequest
from timebank.giving.queries import HARDSHIP_ORDERS, DonationSeen, GiftSeen, HardshipFilter, HardshipSeen, PoolLine
from timebank.giving.rules import DONATION, HARDSHIP_STATUS_NAMES, HardshipStatus
from timebank.ledger.queries import PAID_KIND_NAMES, TRANSFER_KIND_NAMES
from timebank.people.family_rules import RELATION_NAMES

doors = Doors("giving", __name__, url_prefix="/api/v1", description="赠与、捐赠、公益时间池与困难帮扶")


@operation(
    doors, "/gifts", "gifts.give", "赠与亲属",
    method="POST", body=GiveMinutesBody, answers=GiftItem, status=201, key="required",
)  # fmt: skip
def give(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    gift = actions.give(session, actor=actor, **body)
    return _gift(queries.gift_seen(session, gift, viewer_id=gift.giver_id))


@operation(doors, "/gifts", "gifts.list", "赠出与收到的时长", query=GiftsQuery, answers=GiftPage)
def list_gifts(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    wanted = {"for_person_id": query.get("for_person_id"), "direction": query.get("direction")}
    before = id_in_cursor(query.get("cursor"))
    found = queries.gifts_of(session, actor=actor, limit=query["limit"] + 1, before=before, **wanted)
    answer = page(found, query["limit"], lambda one: one.gift_id)
    return {**answer, "items": [_gift(one) for one in answer["items"]]}


@operation(
    doors, "/donations", "donations.give", "向公益时间池捐赠",
    method="POST", body=DonateBody, answers=DonationItem, status=201, key="required",
)  # fmt: skip
def donate(session: Session, actor: Actor, body: dict[str, Any]) -> DonationSeen:
    return queries.donation_seen(session, actions.donate(session, actor=actor, **body))


@operation(doors, "/donations", "donations.list", "我的捐赠", query=PageQuery, answers=DonationPage)
def list_donations(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    before = id_in_cursor(query.get("cursor"))
    found, total = queries.donations_of(session, actor=actor, limit=query["limit"] + 1, before=before)
    return {**page(found, query["limit"], lambda one: one.donation_id), "total_minutes": total}


@operation(doors, "/pools", "pool.show", "公益时间池", query=PageQuery, answers=PoolPage)
def show_pools(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    return page_of_all(queries.pools(session, actor=actor), query)


@operation(
    doors, "/pools/statement", "pool.statement", "公益时间池明细",
    query=PoolStatementQuery, answers=PoolStatementPage,
)  # fmt: skip
def pool_statement(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    place = numbers_in_cursor(query.get("cursor"), 1)
    found = queries.pool_statement(
        session,
        actor=actor,
        township_code=query.get("township_code"),
        limit=query["limit"] + 1,
        before=place[0] if place else None,
    )
    answer = page(found, query["limit"], lambda line: [line.version])
    return {**answer, "items": [_line(line) for line in answer["items"]]}


@operation(
    doors, "/hardship", "hardship.request", "申请困难帮扶",
    method="POST", body=HardshipBody, answers=HardshipItem, status=201, key="optional",
)  # fmt: skip
def request_hardship(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _asked(session, actions.request_hardship(session, actor=actor, **body))


@operation(doors, "/hardship", "hardship.list", "困难帮扶申请", query=HardshipQuery, answers=HardshipPage)
def list_hardship(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    named = ("township_code", "status", "person_id", "since", "until")
    wanted = HardshipFilter(**{name: query.get(name) for name in named})
    found = queries.hardship_requests(session, actor=actor, wanted=wanted, part=part_of(query, HARDSHIP_ORDERS))
    return listed(found.holding([_hardship(one) for one in found.items]), HARDSHIP_ORDERS)


@operation(
    doors, "/hardship/<uuid:hardship_id>/approve", "hardship.approve", "批准困难帮扶",
    method="POST", answers=HardshipItem, key="required",
)  # fmt: skip
def approve_hardship(session: Session, actor: Actor, hardship_id: UUID) -> dict[str, Any]:
    return _asked(session, actions.approve_hardship(session, actor=actor, hardship_id=hardship_id))


@operation(
    doors, "/hardship/<uuid:hardship_id>/decline", "hardship.decline", "不予批准或撤回困难帮扶",
    method="POST", body=DeclineHardshipBody, answers=HardshipItem, key="optional",
)  # fmt: skip
def decline_hardship(session: Session, actor: Actor, body: dict[str, Any], hardship_id: UUID) -> dict[str, Any]:
    return _asked(session, actions.decline_hardship(session, actor=actor, hardship_id=hardship_id, **body))


def _gift(seen: GiftSeen) -> dict[str, Any]:
    return {**asdict(seen), "relation_name": RELATION_NAMES[seen.relation]}


def _line(line: PoolLine) -> dict[str, Any]:
    name = "收到捐赠" if line.kind == DONATION else TRANSFER_KIND_NAMES.get(line.kind, line.kind)
    return {**asdict(line), "kind_name": PAID_KIND_NAMES.get(line.kind, name) if line.minutes < 0 else name}


def _asked(session: Session, request: HardshipRequest) -> dict[str, Any]:
    return _hardship(queries.hardship_seen(session, request))


def _hardship(seen: HardshipSeen) -> dict[str, Any]:
    return {**asdict(seen), "status_name": HARDSHIP_STATUS_NAMES[HardshipStatus(seen.status)]}
