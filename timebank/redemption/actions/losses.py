"""Losses of the guarantee fund 保障金损失: meals eaten in good faith at a counter without a line, and their payment."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.clearing.rules import fen_of
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.amounts import hours_text, yuan_text
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.actions import township_accounts
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_person, notify_stewards
from timebank.policies.queries import in_force
from timebank.redemption.actions.judge_scans import Counter
from timebank.redemption.actions.known_vouchers import Canteen
from timebank.redemption.codes import grouped
from timebank.redemption.models import VoucherScan
from timebank.redemption.offline_models import GuaranteeLoss
from timebank.redemption.offline_rules import LossReason
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class KeptLosses:
    """Losses just kept, the movements that go with them, and for each the canteen where the voucher was used."""

    losses: Sequence[GuaranteeLoss] = ()
    movements: Sequence[Movement] = ()
    elsewhere: Sequence[str | None] = ()


def losses_at(
    session: Session, canteen_ids: Collection[UUID], voucher_ids: Collection[UUID]
) -> Sequence[GuaranteeLoss]:
    """What the fund has paid, or is to pay, at these canteens for these vouchers."""
    query = select(GuaranteeLoss).where(
        GuaranteeLoss.voucher_id.in_(voucher_ids), GuaranteeLoss.canteen_id.in_(canteen_ids)
    )
    return session.scalars(query).all()


def keep_losses(session: Session, counter: Counter) -> KeptLosses:
    """Write the losses down that a counter's scans have made; the movements are for the caller to post."""
    vouchers, policies = counter.vouchers.by_code, counter.vouchers.policies
    price = policies.value("reference_price_fen_per_hour").get("meal")
    township = counter.here.township_code
    issuance, redeemed = (
        township_accounts(session, [township], kind)[township] for kind in (AccountKind.ISSUANCE, AccountKind.REDEEMED)
    )
    first = _first_scans(session, [vouchers[one.code].id for one in counter.honoured])
    losses, movements, elsewhere = [], [], []
    for one in counter.honoured:
        voucher = vouchers[one.code]
        scan_id, place = first.get(voucher.id, (None, None))
        loss = GuaranteeLoss(
            id=one.loss_id,
            reason=one.reason,
            voucher_id=voucher.id,
            canteen_id=counter.here.id,
            township_code=township,
            minutes=voucher.price_minutes,
            loss_fen=None if price is None else fen_of(voucher.price_minutes, price),
            first_scan_id=scan_id,
            second_scan_id=one.scan.id,
            eaten_at=one.eaten_at,
            noted_at=counter.vouchers.now,
            policy_version=policies.version,
        )
        losses.append(loss)
        movements.append(_movement(loss, issuance, redeemed, counter.here))
        elsewhere.append(place)
    session.add_all(losses)
    session.flush()
    return KeptLosses(losses, movements, elsewhere)


def tell_of_losses(session: Session, counter: Counter, kept: KeptLosses) -> None:
    """Tell the holders, and once a batch the stewards of the canteen's township and of the district."""
    if not kept.losses:
        return
    by_id = {voucher.id: voucher for voucher in counter.vouchers.by_code.values()}
    for loss, elsewhere in zip(kept.losses, kept.elsewhere, strict=True):
        voucher = by_id[loss.voucher_id]
        what = f"您的用餐券（{grouped(voucher.code)}）"
        if loss.reason == LossReason.EATEN_TWICE:
            what += f"在{elsewhere}和{counter.here.name}两处使用"
        else:
            what += f"退回或失效以前，已在{counter.here.name}用过餐"
        body = f"{what}，当时网络不通。多用的这一餐由保障金支付，不扣您的时长。如果不是您本人用餐，请告诉镇街管理员。"
        notify_person(session, person_id=voucher.holder_id, title="用餐券断网使用说明", body=body)
    worth = hours_text(sum(loss.minutes for loss in kept.losses))
    body = f"{counter.here.name}补传的断网扫码中有{len(kept.losses)}餐（{worth}）须由保障金支付，请核对扫码记录。"
    for township_code in (counter.here.township_code, None):
        notify_stewards(session, township_code=township_code, title="断网核销损失", body=body)
    session.flush()


def pay_loss(session: Session, *, actor: Actor, loss_id: UUID, outside_reference: str) -> GuaranteeLoss:
    """Note that the fund has paid a loss, under the bank's reference; again under the same one is the same.

    One payment may pay several losses. Raises NotAllowed ``district_only``; NotFound ``loss_unknown``; Conflict
    ``loss_already_paid``; Refused ``reference_needed``, ``price_missing``.
    """
    actor.must_be_district()
    reference = outside_reference.strip()
    if not reference:
        raise Refused("reference_needed", "请填写银行或国库的凭证号", field="outside_reference")
    loss = session.get(GuaranteeLoss, loss_id, with_for_update=True, populate_existing=True)
    if loss is None:
        raise NotFound("loss_unknown", "没有这笔保障金损失", loss_id=loss_id)
    if loss.paid_at is not None and loss.outside_reference == reference:
        return loss
    if loss.paid_at is not None:
        raise Conflict(
            "loss_already_paid", "这笔损失已经支付", loss_id=loss_id, outside_reference=loss.outside_reference
        )
    _must_be_priced(session, loss)
    loss.paid_at, loss.paid_by, loss.paid_by_name = clock.now(), actor.login_id, actor.name
    loss.outside_reference = reference
    session.flush()
    note_down(
        session,
        actor=actor,
        action="loss_paid",
        subject=("guarantee_loss", loss.id),
        outside_reference=reference,
        loss_fen=loss.loss_fen,
    )
    body = f"断网核销损失{yuan_text(loss.loss_fen or 0)}已由保障金支付，凭证号 {reference}。"
    notify_stewards(session, township_code=loss.township_code, title="保障金已支付", body=body)
    return loss


def _first_scans(session: Session, voucher_ids: Sequence[UUID]) -> dict[UUID, tuple[UUID, str]]:
    """For each voucher that was used: the scan that used it, and the canteen's name."""
    query = (
        select(VoucherScan.voucher_id, VoucherScan.id, Organisation.name)
        .join(Organisation, Organisation.id == VoucherScan.canteen_id)
        .where(VoucherScan.voucher_id.in_(voucher_ids), VoucherScan.accepted)
    )
    return {voucher_id: (scan_id, name) for voucher_id, scan_id, name in session.execute(query) if voucher_id}


def _movement(loss: GuaranteeLoss, issuance: int, redeemed: int, here: Canteen) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=issuance,
        to_account_id=redeemed,
        amount=loss.minutes,
        kind="offline_loss",
        effective_at=loss.eaten_at,
        cause_kind="guarantee_loss",
        cause_id=loss.id,
        note=f"断网时在{here.name}用餐，由保障金支付",
        policy_version=loss.policy_version,
    )


def _must_be_priced(session: Session, loss: GuaranteeLoss) -> None:
    """A loss noted on a day without a reference price gets that of today. Raises Refused ``price_missing``."""
    if loss.loss_fen is not None:
        return
    price = in_force(session, at=clock.now()).value("reference_price_fen_per_hour").get("meal")
    if price is None:
        raise Refused("price_missing", "还没有助餐的结算参考价", price_kinds=["meal"])
    loss.loss_fen = fen_of(loss.minutes, price)
