"""Meal vouchers: buy, list, show as QR, redeem, refund."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import segno
from sqlalchemy.orm import Session

from app.api.fields import Unreadable, id_in_cursor, is_clean
from app.api.operation import operation, page
from app.api.parser import Doors
from app.api.vouchers.schemas import (
    BatchAnswer,
    BatchBody,
    BoughtAnswer,
    BuyBody,
    ScanAnswerSchema,
    ScanBody,
    VoucherItem,
    VoucherPage,
    VouchersQuery,
)
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.redemption import actions, queries
from timebank.redemption.actions import ScanAnswer
from timebank.redemption.codes import grouped
from timebank.redemption.models import Voucher
from timebank.redemption.rules import REASON_SENTENCES, STATUS_NAMES, Scan, VoucherStatus

doors = Doors("vouchers", __name__, url_prefix="/api/v1/vouchers", description="用餐券")


@operation(
    doors, "", "vouchers.buy", "购买用餐券",
    method="POST", body=BuyBody, answers=BoughtAnswer, status=201, key="required",
)  # fmt: skip
def buy(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [_item(voucher) for voucher in actions.buy_vouchers(session, actor=actor, **body)]}


@operation(doors, "", "vouchers.list", "我的用餐券", query=VouchersQuery, answers=VoucherPage)
def list_vouchers(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = queries.vouchers_of(
        session,
        actor=actor,
        for_person_id=query.get("for_person_id"),
        status=query.get("status"),
        limit=query["limit"] + 1,
        before=id_in_cursor(query.get("cursor")),
    )
    answer = page(found, query["limit"], lambda row: row[0].id)
    return {**answer, "items": [_item(*row) for row in answer["items"]]}


@operation(
    doors, "/<uuid:voucher_id>/qr.svg", "vouchers.qr", "用餐券二维码",
    answers=None, media_type="image/svg+xml",
)  # fmt: skip
def qr(session: Session, actor: Actor, voucher_id: UUID) -> bytes:
    voucher = queries.voucher_for(session, actor=actor, voucher_id=voucher_id)
    picture = io.BytesIO()
    segno.make_qr(voucher.code, error="m").save(picture, kind="svg", scale=8, border=4, title=grouped(voucher.code))
    return picture.getvalue()


@operation(
    doors, "/<uuid:voucher_id>/refund", "vouchers.refund", "退用餐券",
    method="POST", answers=VoucherItem, key="required",
)  # fmt: skip
def refund(session: Session, actor: Actor, voucher_id: UUID) -> dict[str, Any]:
    return _item(actions.refund_voucher(session, actor=actor, voucher_id=voucher_id))


@operation(
    doors, "/redeem", "vouchers.redeem", "核销用餐券",
    method="POST", body=ScanBody, answers=ScanAnswerSchema,
)  # fmt: skip
def redeem(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    answers = actions.redeem_vouchers(session, actor=actor, scans=[Scan(**body)])
    return _scan_answer(answers[0], body["nonce"])


@operation(
    doors, "/redeem-batch", "vouchers.redeem_batch", "补传核销",
    method="POST", body=BatchBody, answers=BatchAnswer,
)  # fmt: skip
def redeem_batch(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    read = [Scan(**scan) for scan in body["scans"] if not isinstance(scan, Unreadable)]
    answers = iter(actions.redeem_vouchers(session, actor=actor, scans=read))
    return {
        "results": [
            _not_read(scan) if isinstance(scan, Unreadable) else _scan_answer(next(answers), scan["nonce"])
            for scan in body["scans"]
        ]
    }


def _not_read(scan: Unreadable) -> dict[str, Any]:
    """A final answer too: the scanner need not send this item again."""
    nonce = scan.sent.get("nonce") if isinstance(scan.sent, dict) else None
    return {
        "result": "refused",
        "reason": "scan_unreadable",
        "message": "这条扫码记录不完整，请重新扫码",
        "voucher_id": None,
        "holder_name": None,
        "redeemed_at": None,
        "canteen_id": None,
        "canteen_name": None,
        "nonce": nonce if isinstance(nonce, str) and is_clean(nonce) else None,
    }


def _item(voucher: Voucher, canteen_name: str | None = None) -> dict[str, Any]:
    return {
        "voucher_id": voucher.id,
        "code": voucher.code,
        "code_grouped": grouped(voucher.code),
        "holder_id": voucher.holder_id,
        "status": voucher.status,
        "status_name": STATUS_NAMES[VoucherStatus(voucher.status)],
        "price_minutes": voucher.price_minutes,
        "issued_at": voucher.issued_at,
        "expires_at": voucher.expires_at,
        "redeemed_at": voucher.ended_at if voucher.status == VoucherStatus.REDEEMED else None,
        "canteen_id": voucher.canteen_id,
        "canteen_name": canteen_name,
        "only_township_code": voucher.only_township_code,
    }


def _scan_answer(answer: ScanAnswer, nonce: str) -> dict[str, Any]:
    verdict = answer.verdict
    sentence = REASON_SENTENCES[verdict.reason]
    if verdict.reason == "already_redeemed" and verdict.redeemed_at is not None:
        when = verdict.redeemed_at.astimezone(clock.LOCAL)
        sentence = f"这张券已于{when:%m月%d日%H:%M}在{answer.canteen_name}用过"
    return {
        "result": "accepted" if verdict.accepted else "refused",
        "reason": verdict.reason,
        "message": sentence,
        "voucher_id": verdict.voucher_id,
        "holder_name": answer.holder_name,
        "redeemed_at": verdict.redeemed_at,
        "canteen_id": verdict.canteen_id,
        "canteen_name": answer.canteen_name,
        "nonce": nonce,
    }
