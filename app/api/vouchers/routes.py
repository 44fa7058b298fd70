"""Meal vouchers: buy, list, show as QR, redeem, refund."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import segno
from sqlalchemy.orm import Session

from app.api.fields import Unreadable, id_in_cursor, is_clean
from app.api.operation import operation, page
from app.api.parser import Doors
from app.api.together import Call
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
from timebank.core.actors import Actor
from timebank.core.errors import BankError
from timebank.redemption import actions, queries
from timebank.redemption.actions import ScanAnswer
from timebank.redemption.codes import grouped
from timebank.redemption.models import Voucher
from timebank.redemption.offline_queries import qr_texts
from timebank.redemption.rules import STATUS_NAMES, Scan, VoucherStatus

doors = Doors("vouchers", __name__, url_prefix="/api/v1/vouchers", description="用餐券")


@operation(
    doors, "", "vouchers.buy", "购买用餐券",
    method="POST", body=BuyBody, answers=BoughtAnswer, status=201, key="required",
)  # fmt: skip
def buy(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [voucher_item(voucher) for voucher in actions.buy_vouchers(session, actor=actor, **body)]}


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
    return {**answer, "items": _with_qr_texts(session, answer["items"])}


@operation(doors, "/<uuid:voucher_id>", "vouchers.show", "用餐券详情", answers=VoucherItem)
def show(session: Session, actor: Actor, voucher_id: UUID) -> dict[str, Any]:
    [shown] = _with_qr_texts(session, [queries.voucher_seen(session, actor=actor, voucher_id=voucher_id)])
    return shown


@operation(
    doors, "/<uuid:voucher_id>/qr.svg", "vouchers.qr", "用餐券二维码",
    answers=None, media_type="image/svg+xml",
)  # fmt: skip
def qr(session: Session, actor: Actor, voucher_id: UUID) -> bytes:
    voucher = queries.voucher_for(session, actor=actor, voucher_id=voucher_id)
    picture = io.BytesIO()
    [text] = qr_texts(session, [voucher])
    segno.make_qr(text, error="m").save(picture, kind="svg", scale=8, border=4, title=grouped(voucher.code))
    return picture.getvalue()


@operation(
    doors, "/<uuid:voucher_id>/refund", "vouchers.refund", "退用餐券",
    method="POST", answers=VoucherItem, key="required",
)  # fmt: skip
def refund(session: Session, actor: Actor, voucher_id: UUID) -> dict[str, Any]:
    return voucher_item(actions.refund_voucher(session, actor=actor, voucher_id=voucher_id))


@operation(
    doors, "/redeem", "vouchers.redeem", "核销用餐券",
    method="POST", body=ScanBody, answers=ScanAnswerSchema, gathered=True,
)  # fmt: skip
def redeem(session: Session, calls: Sequence[Call]) -> list[dict[str, Any] | BankError]:
    scanned = [actions.Scanned(call.actor, [Scan(**call.body)]) for call in calls]
    answers = zip(calls, actions.redeem_at_counters(session, scanned), strict=True)
    return [told if isinstance(told, BankError) else scan_answer(told[0], call.body["nonce"]) for call, told in answers]


@operation(
    doors, "/redeem-batch", "vouchers.redeem_batch", "补传核销",
    method="POST", body=BatchBody, answers=BatchAnswer,
)  # fmt: skip
def redeem_batch(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    read = [Scan(**scan) for scan in body["scans"] if not isinstance(scan, Unreadable)]
    answers = iter(actions.redeem_vouchers(session, actor=actor, scans=read))
    return {
        "results": [
            _not_read(scan) if isinstance(scan, Unreadable) else scan_answer(next(answers), scan["nonce"])
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
        "honoured": False,
        "loss_id": None,
        "nonce": nonce if isinstance(nonce, str) and is_clean(nonce) else None,
    }


def _with_qr_texts(session: Session, rows: list[tuple[Voucher, str | None]]) -> list[dict[str, Any]]:
    """A phone draws the QRs itself, so that it can show them without a line."""
    unused = [voucher for voucher, _ in rows if voucher.status == VoucherStatus.ISSUED]
    texts = {voucher.id: text for voucher, text in zip(unused, qr_texts(session, unused), strict=True)}
    return [{**voucher_item(*row), "qr_text": texts.get(row[0].id)} for row in rows]


def voucher_item(voucher: Voucher, canteen_name: str | None = None) -> dict[str, Any]:
    """One voucher, as every operation answers it."""
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
        "good_times": voucher.good_times.text(),
        "on_expiry": voucher.on_expiry,
        "issued_by_name": voucher.issued_by_name,
        "void_reason": voucher.void_reason,
        "void_note": voucher.void_note,
        "replaces_voucher_id": voucher.replaces_id,
        "replaced_by_voucher_id": voucher.replaced_by_id,
    }


def scan_answer(answer: ScanAnswer, nonce: str) -> dict[str, Any]:
    """Yes or no and why, as every scan is answered."""
    verdict = answer.verdict
    return {
        "result": "accepted" if verdict.accepted else "refused",
        "reason": verdict.reason,
        "message": answer.sentence,
        "voucher_id": verdict.voucher_id,
        "holder_name": answer.holder_name,
        "redeemed_at": verdict.redeemed_at,
        "canteen_id": verdict.canteen_id,
        "canteen_name": answer.canteen_name,
        "honoured": verdict.loss_id is not None,
        "loss_id": verdict.loss_id,
        "nonce": nonce,
    }
