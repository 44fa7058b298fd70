"""Judging scans at one canteen, one after another, each on what the ones before it have left."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from timebank.core.ids import new_id
from timebank.people.models import Person
from timebank.policies.rules import PolicyBook
from timebank.redemption.actions.read_scans import ReadScan
from timebank.redemption.models import Voucher, VoucherScan
from timebank.redemption.offline_models import GuaranteeLoss
from timebank.redemption.offline_rules import Leeway, LossReason, judge_past, moment_that_counts
from timebank.redemption.rules import Verdict, VoucherState, VoucherStatus, judge
from timebank.townships.models import Organisation


@dataclass(frozen=True, slots=True)
class Honoured:
    """A meal that the guarantee fund is to pay: the voucher's code, the row of its scan, and why."""

    loss_id: UUID
    code: str
    scan: VoucherScan
    reason: LossReason
    eaten_at: datetime


@dataclass(frozen=True, slots=True)
class Told:
    """What one scan is told, and whether it was told so before."""

    verdict: Verdict
    code: str
    replayed: bool = False


@dataclass
class Counter:
    """One canteen with its scans so far: what it judges becomes rows, uses of vouchers, and losses."""

    here: Organisation
    now: datetime
    policies: PolicyBook
    clerk_login_id: UUID
    vouchers: Mapping[str, Voucher]
    holders: Mapping[UUID, Person]
    known: dict[str, Told]
    honoured_here: set[UUID]
    rows: list[VoucherScan] = field(default_factory=list)
    honoured: list[Honoured] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._leeway = Leeway(
            max_hours=self.policies.whole("offline_scan_max_hours"),
            skew_minutes=self.policies.whole("offline_clock_skew_minutes"),
        )
        self._states = {
            code: state_of(voucher, self.holders[voucher.holder_id]) for code, voucher in self.vouchers.items()
        }

    def tell(self, scans: Sequence[ReadScan]) -> list[Told]:
        """What each scan is told, in order."""
        return [self._tell(scan) for scan in scans]

    def _tell(self, scan: ReadScan) -> Told:
        nonce = scan.scan.nonce
        before = self.known.get(nonce)
        if before is not None and before.code == scan.code:
            return replace(before, replayed=True)
        if before is not None:
            return Told(Verdict(False, "nonce_reused", None, None, None), scan.code)
        verdict, loss, eaten_at = self._judge(scan)
        if loss is not None:
            verdict = replace(verdict, loss_id=new_id())
        row = self._row(scan, verdict)
        self.rows.append(row)
        if loss is not None and verdict.loss_id is not None and verdict.voucher_id is not None:
            self.honoured_here.add(verdict.voucher_id)
            self.honoured.append(Honoured(verdict.loss_id, scan.code, row, loss, eaten_at))
        self.known[nonce] = Told(verdict, scan.code)
        return self.known[nonce]

    def _judge(self, scan: ReadScan) -> tuple[Verdict, LossReason | None, datetime]:
        if scan.reason is not None:
            return Verdict(False, scan.reason, None, None, None), None, self.now
        state, township = self._states.get(scan.code), self.here.township_code
        at = self._moment(scan)
        if state is None or at is None:
            verdict, after = judge(
                state, self.here.id, self.now, township_code=township, serving=was_serving(self.here, self.now)
            )
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
            self._states[scan.code] = after
        return verdict, loss, at or self.now

    def _moment(self, scan: ReadScan) -> datetime | None:
        voucher = self.vouchers.get(scan.code)
        if voucher is None or not scan.checked_without_a_line:
            return None
        issued_at = voucher.issued_at
        return moment_that_counts(scan.scan.scanned_at, now=self.now, issued_at=issued_at, leeway=self._leeway)

    def _row(self, scan: ReadScan, verdict: Verdict) -> VoucherScan:
        return VoucherScan(
            id=new_id(),
            canteen_id=self.here.id,
            nonce=scan.scan.nonce,
            code=scan.code,
            scanned_at=scan.scan.scanned_at or self.now,
            received_at=self.now,
            clerk_login_id=self.clerk_login_id,
            accepted=verdict.accepted,
            reason=verdict.reason,
            voucher_id=verdict.voucher_id,
            redeemed_at=verdict.redeemed_at,
            redeemed_canteen_id=verdict.canteen_id,
            offline=scan.scan.offline,
            signed_text=scan.signed_text,
        )


def was_serving(here: Organisation, at: datetime) -> bool:
    """Whether a canteen was open at a moment, as far as is known: what it scanned before it closed still counts."""
    return here.not_serving_since is None or at < here.not_serving_since


def state_of(voucher: Voucher, holder: Person) -> VoucherState:
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


def told_before(scan: VoucherScan, losses: Mapping[UUID, GuaranteeLoss]) -> Told:
    """What a scan of long ago was told."""
    loss = losses.get(scan.id)
    verdict = Verdict(
        accepted=scan.accepted,
        reason=scan.reason,  # type: ignore[arg-type]
        voucher_id=scan.voucher_id,
        redeemed_at=scan.redeemed_at,
        canteen_id=scan.redeemed_canteen_id,
        loss_id=loss.id if loss is not None else None,
    )
    return Told(verdict, scan.code)
