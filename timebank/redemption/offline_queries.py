"""What counters download, what QRs say, and what the guarantee fund has paid."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session, aliased

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.chinese_order import by_pinyin
from timebank.core.errors import Conflict, NotAllowed
from timebank.core.sorting import Orders, Part, Slice, by_course, slice_of
from timebank.policies.queries import in_force
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.offline_models import GuaranteeLoss, SigningKey, VoucherEnding
from timebank.redemption.offline_rules import LossReason
from timebank.redemption.signing import MEALS, WEEKDAYS, PrivateKey, SignedVoucher, signed_payload
from timebank.townships.models import Organisation
from timebank.townships.queries import canteen

HASH_BYTES = 8

_HERE, _ELSEWHERE = aliased(Organisation), aliased(Organisation)

LOSS_ORDERS = Orders(
    of="losses",
    by={
        "noted_at": GuaranteeLoss.id,
        "eaten_at": GuaranteeLoss.eaten_at,
        "canteen": by_pinyin(_HERE.name),
        "reason": by_course(GuaranteeLoss.reason, list(LossReason)),
        "minutes": GuaranteeLoss.minutes,
        "loss_fen": GuaranteeLoss.loss_fen,
        "paid_at": GuaranteeLoss.paid_at,
    },
    tie=GuaranteeLoss.id,
    usual="-noted_at",
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a counter needs to work alone. ``ended`` are hashes of codes; the next download goes on after ``upto``."""

    at: datetime
    here: Organisation
    keys: Sequence[SigningKey]
    scan_max_hours: int
    clock_skew_minutes: int
    meal_periods: dict[str, Any]
    since: int
    upto: int
    more: bool
    ended: Sequence[str]
    signed_with: PrivateKey


@dataclass(frozen=True, slots=True)
class LossView:
    """A loss of the fund with the scans that are its evidence: of that meal, and of the one that used the voucher."""

    loss: GuaranteeLoss
    canteen_name: str
    code: str
    second_scan: VoucherScan
    first_scan: VoucherScan | None
    first_canteen_name: str | None


def code_hash(code: str) -> str:
    """What stands for a code on the list: the first eight bytes of its SHA-256, in hexadecimal."""
    return hashlib.sha256(code.encode()).digest()[:HASH_BYTES].hex()


def signing_key(session: Session) -> PrivateKey | None:
    """The key that signs now: today's, or where that was revoked the next one, which counters know already."""
    query = select(SigningKey).where(SigningKey.revoked_at.is_(None), SigningKey.signs_until > clock.now())
    key = session.scalar(query.order_by(SigningKey.signs_from).limit(1))
    return PrivateKey(key.id, bytes.fromhex(key.private_key)) if key is not None else None


def qr_texts(session: Session, vouchers: Sequence[Voucher]) -> list[str]:
    """What the QR of each voucher says: its signed text, or the plain code in the first moments without a key."""
    key = signing_key(session)
    return [voucher.code if key is None else signed_payload(_printed(voucher), key) for voucher in vouchers]


def bundle(session: Session, *, actor: Actor, since: int, limit: int) -> Bundle:
    """The download for one counter: all keys and rules, and what ended early after number ``since``.

    Raises NotAllowed ``clerk_only``; NotFound ``canteen_unknown``; Conflict ``signing_key_missing``.
    """
    if actor.staff_role is not StaffRole.CANTEEN_CLERK or actor.organisation_id is None:
        raise NotAllowed("clerk_only", "只有助餐点工作人员可以下载")
    here = canteen(session, actor.organisation_id)
    key = signing_key(session)
    if key is None:
        raise Conflict("signing_key_missing", "签名密钥还在准备，请过一会儿再试")
    now = clock.now()
    policies = in_force(session, at=now)
    newest = session.scalar(select(func.max(VoucherEnding.number))) or 0
    query = select(VoucherEnding.number, VoucherEnding.code_hash).where(
        VoucherEnding.number > since, VoucherEnding.printed_until > now
    )
    rows = session.execute(query.order_by(VoucherEnding.number).limit(limit + 1)).all()
    more = len(rows) > limit
    return Bundle(
        at=now,
        here=here,
        keys=signing_keys(session),
        scan_max_hours=policies.whole("offline_scan_max_hours"),
        clock_skew_minutes=policies.whole("offline_clock_skew_minutes"),
        meal_periods=policies.value("meal_periods", here.township_code),
        since=since,
        upto=rows[limit - 1].number if more else max(newest, since),
        more=more,
        ended=[bytes(row.code_hash).hex() for row in rows[:limit]],
        signed_with=key,
    )


def signing_keys(session: Session) -> Sequence[SigningKey]:
    """All keys there ever were, oldest first; there are a few a year."""
    return session.scalars(select(SigningKey).order_by(SigningKey.id)).all()


def losses(
    session: Session,
    *,
    actor: Actor,
    township_code: str | None = None,
    paid: bool | None = None,
    part: Part,
) -> Slice[LossView]:
    """What the guarantee fund pays or has paid, newest first where ``part`` asks for no other order.

    Raises NotAllowed ``books_not_yours``.
    """
    actor.must_see_books()
    query = _losses()
    if township_code is not None:
        query = query.where(GuaranteeLoss.township_code == township_code)
    if paid is not None:
        query = query.where(GuaranteeLoss.paid_at.is_not(None) if paid else GuaranteeLoss.paid_at.is_(None))
    found = slice_of(session, query, LOSS_ORDERS, part)
    return found.holding([LossView(*row) for row in found.items])


def loss_view(session: Session, *, actor: Actor, loss_id: UUID) -> LossView:
    """One loss that is there. Raises NotAllowed ``books_not_yours``."""
    actor.must_see_books()
    return LossView(*session.execute(_losses().where(GuaranteeLoss.id == loss_id)).one())


def _losses() -> Select[*tuple[Any, ...]]:
    """Losses with the canteen, the voucher's code, and both scans with where the first one was."""
    second, first = aliased(VoucherScan), aliased(VoucherScan)
    return (
        select(GuaranteeLoss, _HERE.name, Voucher.code, second, first, _ELSEWHERE.name)
        .join(_HERE, _HERE.id == GuaranteeLoss.canteen_id)
        .join(Voucher, Voucher.id == GuaranteeLoss.voucher_id)
        .join(second, second.id == GuaranteeLoss.second_scan_id)
        .outerjoin(first, first.id == GuaranteeLoss.first_scan_id)
        .outerjoin(_ELSEWHERE, _ELSEWHERE.id == first.canteen_id)
    )


def _printed(voucher: Voucher) -> SignedVoucher:
    times = voucher.good_times
    return SignedVoucher(
        code=voucher.code,
        expires_at=voucher.expires_at,
        weekdays=times.weekdays or WEEKDAYS,
        meals=MEALS if times.meals is None else tuple(times.meals),
        only_township_code=voucher.only_township_code,
    )
