"""Redeeming vouchers 核销: many scans at once, each with its own final answer.

Order of locks: the canteen's scans (one advisory lock a canteen), the vouchers by id, then the ledger's accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed
from timebank.core.ids import new_id
from timebank.ledger.actions import post, township_accounts
from timebank.ledger.rules import AccountKind, Movement, Posted, Posting
from timebank.people.models import Person
from timebank.people.queries import people_by_ids
from timebank.policies.queries import in_force
from timebank.redemption.actions.judge_scans import Counter, Told, told_before
from timebank.redemption.actions.losses import keep_losses, losses_at, tell_of_losses
from timebank.redemption.actions.read_scans import ReadScan, read_scans
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.rules import REASON_SENTENCES, Scan, Verdict, VoucherStatus, refusal_sentence
from timebank.townships.models import Organisation
from timebank.townships.queries import canteen


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """The final answer to one scan, as the clerk reads it; ``replayed`` where the same nonce was answered before."""

    verdict: Verdict
    code: str
    sentence: str
    holder_name: str | None
    canteen_name: str | None
    replayed: bool = False


def redeem_vouchers(session: Session, *, actor: Actor, scans: Sequence[Scan]) -> list[ScanAnswer]:
    """Answer scans at the clerk's own canteen, in order.

    A nonce that was answered before gets the same answer; a nonce that comes with another code is refused as
    ``nonce_reused``. A scan made without a line, of a signed text, counts from when it was made where that can be
    believed; a meal eaten so that no voucher can pay any more is paid by the guarantee fund. Raises NotAllowed
    ``clerk_only``.
    """
    if actor.staff_role is not StaffRole.CANTEEN_CLERK or actor.organisation_id is None or actor.login_id is None:
        raise NotAllowed("clerk_only", "只有助餐点工作人员可以核销")
    here = canteen(session, actor.organisation_id)
    read = read_scans(session, scans)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"scans {here.id}", 0))))
    earlier = _earlier_scans(session, here.id, {scan.nonce for scan in scans})
    vouchers = _lock_vouchers(session, {scan.code for scan in read if scan.reason is None})
    holders = people_by_ids(session, {voucher.holder_id for voucher in vouchers.values()})
    counter = _counter(session, here, actor.login_id, earlier, vouchers, holders)
    told = counter.tell(read)
    session.add_all(counter.rows)
    session.flush()
    _carry_out(session, counter)
    return _answers(session, read, told, counter)


def _counter(
    session: Session,
    here: Organisation,
    clerk_login_id: UUID,
    earlier: Sequence[VoucherScan],
    vouchers: Mapping[str, Voucher],
    holders: Mapping[UUID, Person],
) -> Counter:
    now = clock.now()
    losses = losses_at(session, here.id, {voucher.id for voucher in vouchers.values()})
    by_scan = {loss.second_scan_id: loss for loss in losses}
    return Counter(
        here=here,
        now=now,
        policies=in_force(session, at=now),
        clerk_login_id=clerk_login_id,
        vouchers=vouchers,
        holders=holders,
        known={scan.nonce: told_before(scan, by_scan) for scan in earlier},
        honoured_here={loss.voucher_id for loss in losses},
    )


def _earlier_scans(session: Session, canteen_id: UUID, nonces: set[str]) -> Sequence[VoucherScan]:
    query = select(VoucherScan).where(VoucherScan.canteen_id == canteen_id, VoucherScan.nonce.in_(nonces))
    return session.scalars(query).all()


def _lock_vouchers(session: Session, codes: set[str]) -> dict[str, Voucher]:
    query = select(Voucher).where(Voucher.code.in_(codes)).order_by(Voucher.id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {voucher.code: voucher for voucher in session.scalars(locked)}


def _carry_out(session: Session, counter: Counter) -> None:
    """Move the minutes of vouchers used, and of what the fund pays, to the canteen's township; mark the vouchers."""
    here = counter.here
    used = {scan.code: scan.redeemed_at or counter.now for scan in counter.rows if scan.accepted}
    if not used and not counter.honoured:
        return
    redeemed = township_accounts(session, [here.township_code], AccountKind.REDEEMED)[here.township_code]
    vouchers = counter.vouchers
    postings: list[Posting] = [(redemption_of(vouchers[code], redeemed, here, at),) for code, at in used.items()]
    losses = keep_losses(session, counter)
    postings += [(movement,) for movement in losses.movements]
    for result in post(session, postings):
        if not isinstance(result, Posted):
            # An issued voucher's minutes lie in its account; anything else is a break in the books, not a refusal.
            raise RuntimeError(f"a meal could not be paid: {result}")
    for code, at in used.items():
        voucher = counter.vouchers[code]
        voucher.status, voucher.ended_at, voucher.canteen_id = VoucherStatus.REDEEMED, at, here.id
    session.flush()
    tell_of_losses(session, counter, losses)


def redemption_of(voucher: Voucher, to_account_id: int, here: Organisation, at: datetime) -> Movement:
    """The movement by which a voucher pays for a meal at ``here``."""
    return Movement(
        id=new_id(),
        from_account_id=voucher.account_id,
        to_account_id=to_account_id,
        amount=voucher.price_minutes,
        kind="voucher_redemption",
        effective_at=at,
        cause_kind="voucher",
        cause_id=voucher.id,
        note=f"在{here.name}用餐",
        policy_version=voucher.policy_version,
    )


def _answers(session: Session, scans: Sequence[ReadScan], told: Sequence[Told], counter: Counter) -> list[ScanAnswer]:
    by_id = {voucher.id: voucher for voucher in counter.vouchers.values()}
    used_at = select(Organisation.id, Organisation.name)
    used_at = used_at.where(Organisation.id.in_({t.verdict.canteen_id for t in told if t.verdict.canteen_id}))
    places = {canteen_id: name for canteen_id, name in session.execute(used_at)}
    answers = []
    for scan, one in zip(scans, told, strict=True):
        voucher = by_id.get(one.verdict.voucher_id) if one.verdict.voucher_id else None
        place = places.get(one.verdict.canteen_id) if one.verdict.canteen_id else None
        answers.append(
            ScanAnswer(
                verdict=one.verdict,
                code=scan.scan.code,
                sentence=_sentence(one.verdict, voucher, place),
                holder_name=counter.holders[voucher.holder_id].name if voucher is not None else None,
                canteen_name=place,
                replayed=one.replayed,
            )
        )
    return answers


def _sentence(verdict: Verdict, voucher: Voucher | None, canteen_name: str | None) -> str:
    """Yes or no and why, in words for the clerk."""
    if verdict.reason == "already_redeemed" and verdict.redeemed_at is not None:
        when = verdict.redeemed_at.astimezone(clock.LOCAL)
        said = f"这张券已于{when:%m月%d日%H:%M}在{canteen_name}用过"
    elif voucher is None:
        said = REASON_SENTENCES[verdict.reason]
    else:
        good_times, on_expiry = voucher.good_times, voucher.on_expiry
        said = refusal_sentence(
            verdict.reason, good_times=good_times, void_reason=voucher.void_reason, on_expiry=on_expiry
        )
    return said if verdict.loss_id is None else f"{said}；断网时已经用餐，这一餐由保障金支付"
