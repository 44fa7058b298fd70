"""What becomes of vouchers: printed on paper, made anew, given, made void; and people looked up at the counter."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.operation import Sent, operation
from app.api.vouchers.life_schemas import (
    DinerBody,
    DinersAnswer,
    RedeemForBody,
    VoucherChoiceBody,
    VoucherGiftBody,
    VoucherGivenAnswer,
    VoucherSheetBody,
    VoucherVoidBody,
)
from app.api.vouchers.routes import doors, scan_answer, voucher_item
from app.api.vouchers.schemas import BoughtAnswer, ScanAnswerSchema, VoucherItem
from app.web.coupon_page import coupon_page, page_policy
from timebank.core.actors import Actor
from timebank.redemption import actions
from timebank.redemption.models import Voucher


@operation(
    doors, "/sheet", "vouchers.sheet", "打印用餐券",
    method="POST", body=VoucherSheetBody, answers=None, media_type="text/html",
)  # fmt: skip
def sheet(session: Session, actor: Actor, body: dict[str, Any]) -> Sent:
    paper = body.pop("format")
    page = coupon_page(actions.print_sheet(session, actor=actor, **body), paper)
    return Sent(page.encode(), {"Content-Security-Policy": page_policy(paper)})


@operation(
    doors, "/reissue", "vouchers.reissue", "挂失补办用餐券",
    method="POST", body=VoucherChoiceBody, answers=BoughtAnswer, status=201, key="required",
)  # fmt: skip
def reissue(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": [voucher_item(voucher) for voucher in actions.reissue_vouchers(session, actor=actor, **body)]}


@operation(
    doors, "/<uuid:voucher_id>/give", "vouchers.give", "转赠用餐券",
    method="POST", body=VoucherGiftBody, answers=VoucherGivenAnswer, status=201, key="required",
)  # fmt: skip
def give(session: Session, actor: Actor, body: dict[str, Any], voucher_id: UUID) -> Voucher:
    return actions.give_voucher(session, actor=actor, voucher_id=voucher_id, **body)


@operation(
    doors, "/<uuid:voucher_id>/void", "vouchers.void", "作废用餐券",
    method="POST", body=VoucherVoidBody, answers=VoucherItem, key="required",
)  # fmt: skip
def void(session: Session, actor: Actor, body: dict[str, Any], voucher_id: UUID) -> dict[str, Any]:
    return voucher_item(actions.void_voucher(session, actor=actor, voucher_id=voucher_id, **body))


@operation(doors, "/find", "vouchers.find", "查找用餐人", method="POST", body=DinerBody, answers=DinersAnswer)
def find(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return {"items": actions.find_diners(session, actor=actor, **body)}


@operation(
    doors, "/redeem-for", "vouchers.redeem_for", "为查找到的用餐人核销",
    method="POST", body=RedeemForBody, answers=ScanAnswerSchema,
)  # fmt: skip
def redeem_for(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return scan_answer(actions.redeem_for(session, actor=actor, **body), body["nonce"])
