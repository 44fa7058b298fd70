"""Judging scans at canteens, one after another, each on what the ones before it have left, wherever they were made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.policies.rules import PolicyBook
from timebank.redemption.actions.known_vouchers import Canteen, Holder, KnownVoucher
from timebank.redemption.actions.read_scans import ReadScan
from timebank.redemption.models import Voucher
from timebank.redemption.offline_models import GuaranteeLoss
from timebank.redemption.offline_rules import Leeway, LossReason, judge_past, moment_that_counts
from timebank.redemption.rules import Verdict, VoucherState, VoucherStatus, judge


@dataclass(frozen=True, slots=True)
class ScanRow:
    """A row of the table of scans, whose names it has."""

    id: UUID
    canteen_id: UUID
    nonce: str
    code: str
    scanned_at: datetime
    received_at: datetime
    clerk_login_id: UUID
    accepted: bool
    reason: str
    voucher_id: UUID | None
    redeemed_at: datetime | None
    redeemed_canteen_id: UUID | None
    offline: bool
    signed_text: str | None


@dataclass(frozen=True, slots=True)
class Honoured:
    """A meal that the guarantee fund is to pay: the voucher's code, the row of its scan, and why."""

    loss_id: UUID
    code: str
    scan: ScanRow
    reason: LossReason
    eaten_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What one scan is told, and whether it was told so before."""

    verdict: Verdict
    code: str
    replayed: bool = False


class Vouchers:
    """The vouchers of a batch, as they were locked, and as the scans so far have left them.

    Policies are asked for only where a scan was made without a line: the others need none.
    """

    def __init__(
        self,
        by_code: Mapping[str, KnownVoucher],
        holders: Mapping[UUID, Holder],
        now: datetime,
        policies: Callable[[], PolicyBook],
    ) -> None:
        self.by_code, self.holders, self.now = by_code, holders, now
        self._policies = policies
        self.states = {code: state_of(voucher, holders[voucher.holder_id]) for code, voucher in by_code.items()}

    @cached_property
    def policies(self) -> PolicyBook:
        """The policies in force."""
        return self._policies()

    @cached_property
    def leeway(self) -> Leeway:
        """How far a scan without a line is believed."""
        return Leeway(
            max_hours=self.policies.whole("offline_scan_max_hours"),
            skew_minutes=self.policies.whole("offline_clock_skew_minutes"),
        )


@dataclass
class Counter:
    """One canteen with its scans so far: what it judges becomes rows, uses of vouchers, and losses."""

    here: Canteen
    vouchers: Vouchers
    known: dict[str, Told]
    honoured_here: set[UUID]
    rows: list[ScanRow] = field(default_factory=list)
    honoured: list[Honoured] = field(default_factory=list)

    def tell(self, scans: Sequence[ReadScan], clerk_login_id: UUID) -> list[Told]:
        """What each scan of a clerk is told, in order."""
        return [self._tell(scan, clerk_login_id) for scan in scans]

    def _tell(self, scan: ReadScan, clerk_login_id: UUID) -> Told:
        nonce = scan.scan.nonce
        before = self.known.get(nonce)
        if before is not None and before.code == scan.code:
            return replace(before, replayed=True)
        if before is not None:
            return Told(Verdict(False, "nonce_reused", None, None, None), scan.code)
        verdict, loss, eaten_at = self._judge(scan)
        if loss is not None:
            verdict = replace(verdict, loss_id=new_id())
        row = self._row(scan, verdict, clerk_login_id)
        self.rows.append(row)
        if loss is not None and verdict.loss_id is not None and verdict.voucher_id is not None:
            self.honoured_here.add(verdict.voucher_id)
            self.honoured.append(Honoured(verdict.loss_id, scan.code, row, loss, eaten_at))
        self.known[nonce] = Told(verdict, scan.code)
        return self.known[nonce]

    def _judge(self, scan: ReadScan) -> tuple[Verdict, LossReason | None, datetime]:
        now, states, township = self.vouchers.now, self.vouchers.states, self.here.township_code
        if scan.reason is not None:
            return Verdict(False, scan.reason, None, None, None), None, now
        state = states.get(scan.code)
        at = self._moment(scan)
        if state is None or at is None:
            serving = was_serving(self.here, now)
            verdict, after = judge(state, self.here.id, now, township_code=township, serving=serving)
            loss = None
        else:
            known = state.id in self.honoured_here
            verdict, after, loss = judge_past(
                state,
                self.here.id,
                at,
                township_code=township,
                honoured_here=known,
                serving=was_serving(self.here, at),
            )
        if after is not None:
            states[scan.code] = after
        return verdict, loss, at or now

    def _moment(self, scan: ReadScan) -> datetime | None:
        voucher = self.vouchers.by_code.get(scan.code)
        if voucher is None or not scan.checked_without_a_line:
            return None
        return moment_that_counts(
            scan.scan.scanned_at, now=self.vouchers.now, issued_at=voucher.issued_at, leeway=self.vouchers.leeway
        )

    def _row(self, scan: ReadScan, verdict: Verdict, clerk_login_id: UUID) -> ScanRow:
        return ScanRow(
            id=new_id(),
            canteen_id=self.here.id,
            nonce=scan.scan.nonce,
            code=scan.code,
            scanned_at=scan.scan.scanned_at or self.vouchers.now,
            received_at=self.vouchers.now,
            clerk_login_id=clerk_login_id,
            accepted=verdict.accepted,
            reason=verdict.reason,
            voucher_id=verdict.voucher_id,
            redeemed_at=verdict.redeemed_at,
            redeemed_canteen_id=verdict.canteen_id,
            offline=scan.scan.offline,
            signed_text=scan.signed_text,
        )


def was_serving(here: Canteen, at: datetime) -> bool:
    """Whether a canteen was open at a moment, as far as is known: what it scanned before it closed still counts."""
    return here.not_serving_since is None or at < here.not_serving_since


def state_of(voucher: Voucher | KnownVoucher, holder: Person | Holder) -> VoucherState:
    """What deciding about a voucher needs."""
    return VoucherState(
        id=voucher.id,
        status=voucher.status,
        expires_at=voucher.expires_at,
        redeemed_at=voucher.ended_at if voucher.status == VoucherStatus.REDEEMED else None,
        canteen_id=voucher.canteen_id,
        only_township_code=voucher.only_township_code,
        good_times=voucher.good_times,
        ended_at=voucher.ended_at,
        holder_frozen=holder.left_at is not None or holder.death_reported_at is not None,
        set_aside=voucher.set_aside_for is not None,
    )


def told_before(scan: Any, losses: Mapping[UUID, GuaranteeLoss]) -> Told:
    """What a scan of long ago, a row of its table, was told."""
    loss = losses.get(scan.id)
    verdict = Verdict(
        accepted=scan.accepted,
        reason=scan.reason,
        voucher_id=scan.voucher_id,
        redeemed_at=scan.redeemed_at,
        canteen_id=scan.redeemed_canteen_id,
        loss_id=loss.id if loss is not None else None,
    )
    return Told(verdict, scan.code)
