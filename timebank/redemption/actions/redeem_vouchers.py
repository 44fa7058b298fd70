"""Redeeming vouchers 核销: many scans at once, at one counter or at many, each with its own final answer.

Order of locks: the canteens' scans (one advisory lock a canteen, by id), the vouchers by id, then the ledger's
accounts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from operator import attrgetter
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Instant, UuidColumn
from timebank.core.errors import BankError, NotAllowed, NotFound
from timebank.core.ids import new_id
from timebank.core.rows import insert_rows, insertion, many
from timebank.ledger.actions import post, township_accounts
from timebank.ledger.rules import AccountKind, Movement, Posted, Posting
from timebank.policies.queries import in_force
from timebank.redemption.actions.judge_scans import Counter, ScanRow, Told, Vouchers, told_before
from timebank.redemption.actions.known_vouchers import (
    Canteen,
    Holder,
    KnownVoucher,
    canteen_names,
    canteens_by_id,
    earlier_scans,
    holders_of,
    lock_canteens,
    lock_vouchers,
)
from timebank.redemption.actions.losses import keep_losses, losses_at, tell_of_losses
from timebank.redemption.actions.read_scans import ReadScan, read_scans
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.rules import REASON_SENTENCES, Scan, Verdict, refusal_sentence

_SCANS = insertion(VoucherScan.__table__, ScanRow.__slots__)
_columns_of = attrgetter(*ScanRow.__slots__)

_USED = text("""
UPDATE voucher v SET status = 'redeemed', ended_at = used.at, canteen_id = used.canteen_id
FROM unnest(:ids, :ats, :canteen_ids) AS used (id, at, canteen_id) WHERE v.id = used.id
""").bindparams(many("ids", UuidColumn), many("ats", Instant), many("canteen_ids", UuidColumn))


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """The final answer to one scan, as the clerk reads it; ``replayed`` where the same nonce was answered before."""

    verdict: Verdict
    code: str
    sentence: str
    holder_name: str | None
    canteen_name: str | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Scanned:
    """What one clerk has scanned, in order."""

    actor: Actor
    scans: Sequence[Scan]


def redeem_vouchers(session: Session, *, actor: Actor, scans: Sequence[Scan]) -> list[ScanAnswer]:
    """Answer scans at the clerk's own canteen, in order.

    A nonce that was answered before gets the same answer; a nonce that comes with another code is refused as
    ``nonce_reused``. A scan made without a line, of a signed text, counts from when it was made where that can be
    believed; a meal eaten so that no voucher can pay any more is paid by the guarantee fund. Raises NotAllowed
    ``clerk_only``; NotFound ``canteen_unknown``.
    """
    [answers] = redeem_at_counters(session, [Scanned(actor, scans)])
    if isinstance(answers, BankError):
        raise answers
    return answers


def redeem_at_counters(session: Session, scanned: Sequence[Scanned]) -> list[list[ScanAnswer] | BankError]:
    """Answer what several clerks have scanned, as if one after another; a refusal for whoever may not scan.

    A fixed number of statements, however many clerks and scans there are.
    """
    where = _where(session, scanned)
    read = _read(session, scanned)
    counters = _counters(session, where, read)
    told: list[list[Told] | BankError] = []
    for one, here, scans in zip(scanned, where, read, strict=True):
        if isinstance(here, BankError):
            told.append(here)
        else:
            assert one.actor.login_id is not None
            told.append(counters[here.id].tell(scans, one.actor.login_id))
    insert_rows(session, _SCANS, [_columns_of(row) for counter in counters.values() for row in counter.rows])
    _carry_out(session, list(counters.values()))
    return _answers(session, read, told, counters)


def _where(session: Session, scanned: Sequence[Scanned]) -> list[Canteen | BankError]:
    """The canteen of each clerk, or why there is none."""
    clerks = [one.actor.organisation_id if _is_clerk(one.actor) else None for one in scanned]
    canteens = canteens_by_id(session, {organisation_id for organisation_id in clerks if organisation_id is not None})
    return [_counter_of(organisation_id, canteens) for organisation_id in clerks]


def _counter_of(organisation_id: UUID | None, canteens: Mapping[UUID, Canteen]) -> Canteen | BankError:
    if organisation_id is None:
        return NotAllowed("clerk_only", "只有助餐点工作人员可以核销")
    return canteens.get(organisation_id) or NotFound("canteen_unknown", "没有这个助餐点")


def _is_clerk(actor: Actor) -> bool:
    return actor.staff_role is StaffRole.CANTEEN_CLERK and actor.login_id is not None


def _read(session: Session, scanned: Sequence[Scanned]) -> list[list[ReadScan]]:
    every = iter(read_scans(session, [scan for one in scanned for scan in one.scans]))
    return [list(islice(every, len(one.scans))) for one in scanned]


def _counters(
    session: Session, where: Sequence[Canteen | BankError], read: Sequence[Sequence[ReadScan]]
) -> dict[UUID, Counter]:
    """The canteens with what is known about their scans, all under lock."""
    served = [(here, of_one) for here, of_one in zip(where, read, strict=True) if isinstance(here, Canteen)]
    scans = [(here, scan) for here, of_one in served for scan in of_one]
    canteens = {here.id: here for here, _ in served}
    lock_canteens(session, canteens)
    earlier = earlier_scans(session, {(here.id, scan.scan.nonce) for here, scan in scans})
    by_code = lock_vouchers(session, {scan.code for _, scan in scans if scan.reason is None})
    holders = holders_of(session, by_code.values())
    now = clock.now()
    vouchers = Vouchers(by_code, holders, now, partial(in_force, session, at=now))
    # Only a scan made without a line can have been paid by the fund, now or before.
    may_be_paid = bool(earlier) or any(scan.scan.offline for _, scan in scans)
    losses = losses_at(session, canteens, {voucher.id for voucher in by_code.values()}) if may_be_paid else ()
    by_scan = {loss.second_scan_id: loss for loss in losses}
    return {
        canteen_id: Counter(
            here,
            vouchers,
            known={scan.nonce: told_before(scan, by_scan) for scan in earlier if scan.canteen_id == canteen_id},
            honoured_here={loss.voucher_id for loss in losses if loss.canteen_id == canteen_id},
        )
        for canteen_id, here in canteens.items()
    }


def _carry_out(session: Session, counters: Sequence[Counter]) -> None:
    """Move the minutes of vouchers used, and of what the fund pays, to the canteens' townships; mark the vouchers."""
    used = [(counter, scan) for counter in counters for scan in counter.rows if scan.accepted]
    losses = [(counter, keep_losses(session, counter)) for counter in counters if counter.honoured]
    if not used and not losses:
        return
    redeemed = township_accounts(session, {c.here.township_code for c in counters}, AccountKind.REDEEMED)
    postings: list[Posting] = [_redemption(counter, scan, redeemed) for counter, scan in used]
    postings += [(movement,) for _, kept in losses for movement in kept.movements]
    for result in post(session, postings):
        if not isinstance(result, Posted):
            # An issued voucher's minutes lie in its account; anything else is a break in the books, not a refusal.
            raise RuntimeError(f"a meal could not be paid: {result}")
    _mark_used(session, used)
    for counter, kept in losses:
        tell_of_losses(session, counter, kept)


def _redemption(counter: Counter, scan: ScanRow, redeemed: Mapping[str, int]) -> Posting:
    voucher, here = counter.vouchers.by_code[scan.code], counter.here
    return (redemption_of(voucher, redeemed[here.township_code], here.name, scan.redeemed_at or counter.vouchers.now),)


def _mark_used(session: Session, used: Sequence[tuple[Counter, ScanRow]]) -> None:
    rows = [(scan.voucher_id, scan.redeemed_at or counter.vouchers.now, counter.here.id) for counter, scan in used]
    if rows:
        ids, ats, canteen_ids = zip(*rows, strict=True)
        session.execute(_USED, {"ids": list(ids), "ats": list(ats), "canteen_ids": list(canteen_ids)})


def redemption_of(voucher: Voucher | KnownVoucher, to_account_id: int, canteen_name: str, at: datetime) -> Movement:
    """The movement by which a voucher pays for a meal at a canteen."""
    return Movement(
        id=new_id(),
        from_account_id=voucher.account_id,
        to_account_id=to_account_id,
        amount=voucher.price_minutes,
        kind="voucher_redemption",
        effective_at=at,
        cause_kind="voucher",
        cause_id=voucher.id,
        note=f"在{canteen_name}用餐",
        policy_version=voucher.policy_version,
    )


def _answers(
    session: Session,
    read: Sequence[Sequence[ReadScan]],
    told: Sequence[list[Told] | BankError],
    counters: Mapping[UUID, Counter],
) -> list[list[ScanAnswer] | BankError]:
    used_at = {one.verdict.canteen_id for of_one in told if isinstance(of_one, list) for one in of_one}
    names = {canteen_id: counter.here.name for canteen_id, counter in counters.items()}
    names |= canteen_names(session, {canteen_id for canteen_id in used_at if canteen_id} - set(names))
    known = next((counter.vouchers for counter in counters.values()), None)
    vouchers = {} if known is None else {v.id: (v, known.holders[v.holder_id]) for v in known.by_code.values()}
    return [
        of_one
        if isinstance(of_one, BankError)
        else [_answer(scan, one, vouchers, names) for scan, one in zip(scans, of_one, strict=True)]
        for scans, of_one in zip(read, told, strict=True)
    ]


def _answer(
    scan: ReadScan,
    told: Told,
    vouchers: Mapping[UUID, tuple[KnownVoucher, Holder]],
    canteen_names: Mapping[UUID, str],
) -> ScanAnswer:
    verdict = told.verdict
    voucher, holder = vouchers.get(verdict.voucher_id, (None, None)) if verdict.voucher_id else (None, None)
    canteen_name = canteen_names.get(verdict.canteen_id) if verdict.canteen_id else None
    return ScanAnswer(
        verdict=verdict,
        code=scan.scan.code,
        sentence=_sentence(verdict, voucher, canteen_name),
        holder_name=holder.name if holder is not None else None,
        canteen_name=canteen_name,
        replayed=told.replayed,
    )


def _sentence(verdict: Verdict, voucher: KnownVoucher | None, canteen_name: str | None) -> str:
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
