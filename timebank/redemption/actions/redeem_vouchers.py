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
from timebank.ledger.rules import AccountKind, Movement, Posted
from timebank.people.models import Person
from timebank.redemption.codes import tidy_code
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.rules import Scan, Verdict, VoucherState, VoucherStatus, judge
from timebank.townships.models import Organisation
from timebank.townships.queries import canteen


@dataclass(frozen=True, slots=True)
class ScanAnswer:
    """The final answer to one scan, as the clerk reads it; ``replayed`` where the same nonce was answered before."""

    verdict: Verdict
    code: str
    holder_name: str | None
    canteen_name: str | None
    replayed: bool = False


def redeem_vouchers(session: Session, *, actor: Actor, scans: Sequence[Scan]) -> list[ScanAnswer]:
    """Answer scans at the clerk's own canteen, in order.

    A nonce that was answered before gets the same answer; a nonce that comes with another code is refused as
    ``nonce_reused``. Raises NotAllowed ``clerk_only``.
    """
    if actor.staff_role is not StaffRole.CANTEEN_CLERK or actor.organisation_id is None or actor.login_id is None:
        raise NotAllowed("clerk_only", "只有助餐点工作人员可以核销")
    here = canteen(session, actor.organisation_id)
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"scans {here.id}", 0))))
    earlier = _earlier_scans(session, here.id, {scan.nonce for scan in scans})
    vouchers = _lock_vouchers(session, {code for scan in scans if (code := tidy_code(scan.code))})
    now = clock.now()
    answered, verdicts = _judge_all(scans, earlier, vouchers, here, now)
    _store(session, answered, here.id, actor.login_id)
    used = [vouchers[scan.code] for scan in answered if scan.accepted]
    _carry_out(session, used, here, now)
    return _answers(session, scans, verdicts, vouchers)


def _earlier_scans(session: Session, canteen_id: UUID, nonces: set[str]) -> dict[str, VoucherScan]:
    query = select(VoucherScan).where(VoucherScan.canteen_id == canteen_id, VoucherScan.nonce.in_(nonces))
    return {scan.nonce: scan for scan in session.scalars(query)}


def _lock_vouchers(session: Session, codes: set[str]) -> dict[str, Voucher]:
    query = select(Voucher).where(Voucher.code.in_(codes)).order_by(Voucher.id)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return {voucher.code: voucher for voucher in session.scalars(locked)}


def _judge_all(
    scans: Sequence[Scan],
    earlier: Mapping[str, VoucherScan],
    vouchers: Mapping[str, Voucher],
    here: Organisation,
    now: datetime,
) -> tuple[list[VoucherScan], list[tuple[Verdict, bool]]]:
    """The scans that are new, as rows, and a verdict for each scan with whether it was given before."""
    states = {code: _state(voucher) for code, voucher in vouchers.items()}
    known = dict(earlier)
    new: list[VoucherScan] = []
    verdicts: list[tuple[Verdict, bool]] = []
    for scan in scans:
        code = tidy_code(scan.code) or scan.code
        before = known.get(scan.nonce)
        if before is not None:
            same = before.code == code
            verdicts.append((_verdict(before) if same else Verdict(False, "nonce_reused", None, None, None), same))
            continue
        verdict, after = judge(states.get(code), here.id, now, township_code=here.township_code)
        if after is not None:
            states[code] = after
        known[scan.nonce] = _row(scan, code, verdict, now)
        new.append(known[scan.nonce])
        verdicts.append((verdict, False))
    return new, verdicts


def _row(scan: Scan, code: str, verdict: Verdict, now: datetime) -> VoucherScan:
    return VoucherScan(
        id=new_id(),
        nonce=scan.nonce,
        code=code,
        scanned_at=scan.scanned_at or now,
        received_at=now,
        accepted=verdict.accepted,
        reason=verdict.reason,
        voucher_id=verdict.voucher_id,
        redeemed_at=verdict.redeemed_at,
        redeemed_canteen_id=verdict.canteen_id,
    )


def _store(session: Session, scans: Sequence[VoucherScan], canteen_id: UUID, clerk_login_id: UUID) -> None:
    for scan in scans:
        scan.canteen_id, scan.clerk_login_id = canteen_id, clerk_login_id
    session.add_all(scans)
    session.flush()


def _carry_out(session: Session, used: Sequence[Voucher], here: Organisation, now: datetime) -> None:
    """Move the minutes of the accepted vouchers to the canteen's township, and mark the vouchers."""
    if not used:
        return
    redeemed = township_accounts(session, [here.township_code], AccountKind.REDEEMED)[here.township_code]
    postings = [(_redemption(voucher, redeemed, here, now),) for voucher in used]
    for result in post(session, postings):
        if not isinstance(result, Posted):
            # An issued voucher's minutes lie in its account; anything else is a break in the books, not a refusal.
            raise RuntimeError(f"an issued voucher could not be paid: {result}")
    for voucher in used:
        voucher.status, voucher.ended_at, voucher.canteen_id = VoucherStatus.REDEEMED, now, here.id
    session.flush()


def _redemption(voucher: Voucher, to_account_id: int, here: Organisation, now: datetime) -> Movement:
    return Movement(
        id=new_id(),
        from_account_id=voucher.account_id,
        to_account_id=to_account_id,
        amount=voucher.price_minutes,
        kind="voucher_redemption",
        effective_at=now,
        cause_kind="voucher",
        cause_id=voucher.id,
        note=f"在{here.name}用餐",
        policy_version=voucher.policy_version,
    )


def _answers(
    session: Session, scans: Sequence[Scan], verdicts: Sequence[tuple[Verdict, bool]], vouchers: Mapping[str, Voucher]
) -> list[ScanAnswer]:
    by_id = {voucher.id: voucher for voucher in vouchers.values()}
    holders = select(Person.id, Person.name).where(Person.id.in_({v.holder_id for v in by_id.values()}))
    names = {person_id: name for person_id, name in session.execute(holders)}
    used_at = select(Organisation.id, Organisation.name)
    used_at = used_at.where(Organisation.id.in_({verdict.canteen_id for verdict, _ in verdicts if verdict.canteen_id}))
    places = {canteen_id: name for canteen_id, name in session.execute(used_at)}
    return [
        ScanAnswer(
            verdict=verdict,
            code=scan.code,
            holder_name=names.get(by_id[verdict.voucher_id].holder_id) if verdict.voucher_id in by_id else None,
            canteen_name=places.get(verdict.canteen_id) if verdict.canteen_id else None,
            replayed=replayed,
        )
        for scan, (verdict, replayed) in zip(scans, verdicts, strict=True)
    ]


def _state(voucher: Voucher) -> VoucherState:
    return VoucherState(
        id=voucher.id,
        status=voucher.status,
        expires_at=voucher.expires_at,
        redeemed_at=voucher.ended_at if voucher.status == VoucherStatus.REDEEMED else None,
        canteen_id=voucher.canteen_id,
        only_township_code=voucher.only_township_code,
    )


def _verdict(scan: VoucherScan) -> Verdict:
    return Verdict(
        accepted=scan.accepted,
        reason=scan.reason,  # type: ignore[arg-type]
        voucher_id=scan.voucher_id,
        redeemed_at=scan.redeemed_at,
        canteen_id=scan.redeemed_canteen_id,
    )
