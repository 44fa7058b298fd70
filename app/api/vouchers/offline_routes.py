"""Counters without a line: what they download, the keys, and what the guarantee fund pays."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.fields import PageQuery
from app.api.operation import operation, page_of_all
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from app.api.vouchers.offline_schemas import (
    BundleAnswer,
    BundleQuery,
    KeyItem,
    KeyPage,
    LossesQuery,
    LossItem,
    LossPage,
    PayBody,
    RevokeBody,
)
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.redemption import actions, offline_queries
from timebank.redemption.models import VoucherScan
from timebank.redemption.offline_models import SigningKey
from timebank.redemption.offline_queries import LOSS_ORDERS, LossView
from timebank.redemption.offline_rules import LOSS_NAMES, LossReason
from timebank.redemption.signing import MOST_KEYS, text_of

doors = Doors("offline", __name__, url_prefix="/api/v1/offline", description="断网核销")


@operation(
    doors, "/bundle", "offline.bundle", "下载断网核销所需的密钥与名单",
    query=BundleQuery, answers=BundleAnswer, one_moment=True,
)  # fmt: skip
def bundle(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = offline_queries.bundle(session, actor=actor, **query)
    said = _bundle(found)
    content = json.dumps(said, sort_keys=True, separators=(",", ":")).encode()
    return {**said, "signature": text_of(found.signed_with.sign(content))}


@operation(doors, "/keys", "offline.keys", "签名密钥", query=PageQuery, answers=KeyPage)
def keys(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    return page_of_all([_key(one) for one in offline_queries.signing_keys(session)], query)


@operation(
    doors, f"/keys/<int(max={MOST_KEYS}):key_id>/revoke", "offline.revoke_key", "停用签名密钥",
    method="POST", body=RevokeBody, answers=KeyItem, key="optional",
)  # fmt: skip
def revoke_key(session: Session, actor: Actor, body: dict[str, Any], key_id: int) -> dict[str, Any]:
    return _key(actions.revoke_signing_key(session, actor=actor, key_id=key_id, **body))


@operation(doors, "/losses", "offline.losses", "保障金损失", query=LossesQuery, answers=LossPage)
def losses(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = offline_queries.losses(
        session,
        actor=actor,
        township_code=query.get("township_code"),
        paid=query.get("paid"),
        part=part_of(query, LOSS_ORDERS),
    )
    return listed(found.holding([loss_item(view) for view in found.items]), LOSS_ORDERS)


@operation(
    doors, "/losses/<uuid:loss_id>/pay", "offline.pay_loss", "登记保障金已支付",
    method="POST", body=PayBody, answers=LossItem, key="required",
)  # fmt: skip
def pay_loss(session: Session, actor: Actor, body: dict[str, Any], loss_id: UUID) -> dict[str, Any]:
    actions.pay_loss(session, actor=actor, loss_id=loss_id, **body)
    return loss_item(offline_queries.loss_view(session, actor=actor, loss_id=loss_id))


def _bundle(found: offline_queries.Bundle) -> dict[str, Any]:
    """All of it in texts and numbers, since the signature is over what is sent, letter by letter."""
    return {
        "server_time": _moment(found.at),
        "canteen_id": str(found.here.id),
        "canteen_name": found.here.name,
        "township_code": found.here.township_code,
        "scan_max_hours": found.scan_max_hours,
        "clock_skew_minutes": found.clock_skew_minutes,
        "meal_periods": {meal: list(period) for meal, period in found.meal_periods.items()},
        "keys": [
            {
                "key_id": key.id,
                "public_key": text_of(bytes(key.public_key)),
                "signs_from": _moment(key.signs_from),
                "signs_until": _moment(key.signs_until),
                "revoked_at": _moment(key.revoked_at),
            }
            for key in found.keys
        ],
        "since": found.since,
        "upto": found.upto,
        "more": found.more,
        "ended": list(found.ended),
        "key_id": found.signed_with.id,
    }


def _key(key: SigningKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "public_key": text_of(bytes(key.public_key)),
        "made_at": key.made_at,
        "signs_from": key.signs_from,
        "signs_until": key.signs_until,
        "revoked_at": key.revoked_at,
        "revoked_by_name": key.revoked_by_name,
        "revoke_reason": key.revoke_reason,
    }


def loss_item(view: LossView) -> dict[str, Any]:
    """One loss as it is answered, with both scans as evidence."""
    loss = view.loss
    return {
        "loss_id": loss.id,
        "reason": loss.reason,
        "reason_name": LOSS_NAMES[LossReason(loss.reason)],
        "voucher_id": loss.voucher_id,
        "code": view.code,
        "canteen_id": loss.canteen_id,
        "canteen_name": view.canteen_name,
        "township_code": loss.township_code,
        "minutes": loss.minutes,
        "loss_fen": loss.loss_fen,
        "eaten_at": loss.eaten_at,
        "noted_at": loss.noted_at,
        "first_scan": _evidence(view.first_scan, view.first_canteen_name) if view.first_scan is not None else None,
        "second_scan": _evidence(view.second_scan, view.canteen_name),
        "paid_at": loss.paid_at,
        "paid_by_name": loss.paid_by_name,
        "outside_reference": loss.outside_reference,
    }


def _evidence(scan: VoucherScan, canteen_name: str | None) -> dict[str, Any]:
    return {
        "scan_id": scan.id,
        "canteen_id": scan.canteen_id,
        "canteen_name": canteen_name,
        "nonce": scan.nonce,
        "offline": scan.offline,
        "scanned_at": scan.scanned_at,
        "received_at": scan.received_at,
    }


def _moment(moment: Any) -> Any:
    return None if moment is None else moment.astimezone(clock.LOCAL).isoformat()
