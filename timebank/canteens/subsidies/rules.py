"""Claims of subsidies 补贴结算: states, findings, and how a month is settled. Pure; all money in fen.

Source: docs/decisions/0021-claims.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from timebank.canteens.orders.rules import OrderState
from timebank.canteens.pricing.rules import Share
from timebank.core import clock
from timebank.core.errors import BankError, Conflict, NotFound, Refused
from timebank.redemption.care.rules import month_end, month_start

CAUSE = "subsidy_claim"
"""What the transfers of a payment name as their cause."""

SHARE_OF_KIND = {
    "meal_elder": Share.ELDER,
    "meal_missed": Share.ELDER,
    "meal_government": Share.GOVERNMENT,
    "meal_donation": Share.DONATION,
    "meal_garden": Share.GARDEN,
    "meal_volunteers": Share.VOLUNTEERS,
}
"""The kinds of transfer by which a meal is earned, and whose share each is; a missed meal is the elder's."""

IN_KIND_RULES = frozenset({"volunteer_delivery"})
"""Rules of the volunteers' share behind which there is no money: the canteen had the work itself, not its worth."""

COURIER_RULE, COURIER_LABEL = "courier_delivery", "志愿者送餐改由配送员送达"
"""Of a delivery that volunteers were to make and a courier made: the canteen is owed it in money."""

MISSED_RULE, MISSED_LABEL = "meal_missed", "未取餐、未送达按规定收取"


class ClaimState(StrEnum):
    """Where a claim is in its life; one that was returned is computed anew as another claim."""

    COMPUTED = "computed"
    CHECKED = "checked"
    TOWNSHIP_APPROVED = "township_approved"
    APPROVED = "approved"
    PAID = "paid"
    RETURNED = "returned"


STATE_NAMES = {
    ClaimState.COMPUTED: "待核查",
    ClaimState.CHECKED: "已核查",
    ClaimState.TOWNSHIP_APPROVED: "镇街已审批",
    ClaimState.APPROVED: "区级已审批",
    ClaimState.PAID: "已拨付",
    ClaimState.RETURNED: "已退回",
}

_STEPS = {
    "check": (ClaimState.COMPUTED, ClaimState.CHECKED),
    "approve_township": (ClaimState.CHECKED, ClaimState.TOWNSHIP_APPROVED),
    "approve_district": (ClaimState.TOWNSHIP_APPROVED, ClaimState.APPROVED),
    "pay": (ClaimState.APPROVED, ClaimState.PAID),
}
ENDED = frozenset({ClaimState.PAID, ClaimState.RETURNED})


class FindingKind(StrEnum):
    """What a check may find about one meal."""

    LEDGER_MISMATCH = "ledger_mismatch"
    OVER_DAILY_LIMIT = "over_daily_limit"
    CATEGORY_NOT_VALID = "category_not_valid"
    DUPLICATE_ELSEWHERE = "duplicate_elsewhere"
    DINER_GONE = "diner_gone"
    BEYOND_CAPACITY = "beyond_capacity"
    SERVED_OUTSIDE_HOURS = "served_outside_hours"
    MANY_BY_ONE = "many_by_one"


FINDING_NAMES = {
    FindingKind.LEDGER_MISMATCH: "与账目不符",
    FindingKind.OVER_DAILY_LIMIT: "超出补贴标准",
    FindingKind.CATEGORY_NOT_VALID: "当天不符合补贴条件",
    FindingKind.DUPLICATE_ELSEWHERE: "同一餐在别处用餐",
    FindingKind.DINER_GONE: "已去世、退出或迁出",
    FindingKind.BEYOND_CAPACITY: "超出供餐能力",
    FindingKind.SERVED_OUTSIDE_HOURS: "不在供餐时间",
    FindingKind.MANY_BY_ONE: "同一人代订过多",
}


class Decision(StrEnum):
    """How a finding was answered: its government share is disallowed, or it stands as it was."""

    UPHELD = "upheld"
    DISMISSED = "dismissed"


DECISION_NAMES = {Decision.UPHELD: "属实，不予补贴", Decision.DISMISSED: "不属实，照常补贴"}


@dataclass(frozen=True, slots=True)
class Shares:
    """A meal's five shares, or sums of them; negative where something is taken back."""

    elder_fen: int = 0
    government_fen: int = 0
    donation_fen: int = 0
    garden_fen: int = 0
    volunteers_fen: int = 0

    @property
    def list_fen(self) -> int:
        """What the five make together."""
        return self.elder_fen + self.government_fen + self.donation_fen + self.garden_fen + self.volunteers_fen

    def of(self, share: str) -> int:
        """One of the five by the share's name."""
        return int(getattr(self, f"{share}_fen"))

    def minus(self, other: Shares) -> Shares:
        """What is left of each share."""
        return Shares(*(self.of(share) - other.of(share) for share in Share))


@dataclass(frozen=True, slots=True)
class Settlement:
    """How a claim is settled: ``claimed`` = disallowed + in kind + netted + paid; only ``paid`` is never negative.

    A negative part runs the other way: it is given back to the canteen, or stays in its drawer as cash to hand in.
    """

    disallowed_fen: int
    garden_in_kind_fen: int
    volunteers_in_kind_fen: int
    netted_fen: int
    paid_fen: int


def settle(
    *, claimed_fen: int, disallowed_fen: int, garden_fen: int, volunteers_in_kind_fen: int, cash_fen: int
) -> Settlement:
    """Divide what a canteen has earned; ``cash_fen`` lies in its drawer already, less than 0 where it gave cash out.

    What is owed to the canteen beyond its cash is paid; where it has more cash than is owed, the rest stays there.
    """
    owed = claimed_fen - disallowed_fen - garden_fen - volunteers_in_kind_fen
    netted = min(cash_fen, owed)
    return Settlement(disallowed_fen, garden_fen, volunteers_in_kind_fen, netted, owed - netted)


class Book(StrEnum):
    """How an order stands against the ledger: as it should; or not."""

    FITS = "fits"
    NO_ORDER = "no_order"
    ELSEWHERE = "elsewhere"
    DIFFERS = "differs"


BOOK_REASONS = {
    Book.NO_ORDER: "账上有餐费，但没有对应的订单",
    Book.ELSEWHERE: "订单属于另一个助餐点",
    Book.DIFFERS: "账上金额与订单金额不符",
}


def stands(state: str | None, *, here: bool, earned: Shares, own: Shares) -> Book:
    """Whether what the ledger has of an order (reversed transfers left out) is what its state and its price say."""
    if state is None:
        return Book.NO_ORDER
    if not here:
        return Book.ELSEWHERE
    if state == OrderState.SERVED:
        fits = earned == own
    elif state in (OrderState.MISSED, OrderState.UNDELIVERED):
        fits = earned == Shares(elder_fen=earned.elder_fen) and 0 <= earned.elder_fen <= own.elder_fen
    else:
        fits = earned == Shares()
    return Book.FITS if fits else Book.DIFFERS


def month_of(moment: datetime) -> str:
    """The month in Fenghua in which ``moment`` lies, as ``2026-11``."""
    return f"{moment.astimezone(clock.LOCAL):%Y-%m}"


def claimable_from(month: str, claim_day: int) -> datetime:
    """From when a month is claimed by itself: the start of this day of the month after."""
    return month_end(month) + timedelta(days=claim_day - 1)


def must_be_over(month: str, now: datetime) -> None:
    """A month is claimed once it is over. Raises Refused ``month_invalid``; Conflict ``month_not_finished``."""
    if month_end(month) > now:
        raise Conflict("month_not_finished", "当月还没有结束，不能结算补贴", month=month)


def months_back(now: datetime, months: int) -> list[str]:
    """The last so many finished months, oldest first."""
    found: list[str] = []
    first = month_start(month_of(now))
    for _ in range(months):
        first = month_start(month_of(first - timedelta(days=1)))
        found.append(month_of(first))
    return found[::-1]


def after(deed: str, state: str) -> ClaimState:
    """The state after one of the steps of a claim. Raises Conflict ``wrong_state``."""
    before, reached = _STEPS[deed]
    if state != before:
        raise wrong_state(state)
    return reached


def must_be_open(state: str) -> None:
    """Neither paid nor returned. Raises Conflict ``wrong_state``."""
    if state in ENDED:
        raise wrong_state(state)


def wrong_state(state: str) -> Conflict:
    """The refusal for a claim that stands elsewhere than the request supposes."""
    return Conflict("wrong_state", f"这份补贴结算“{STATE_NAMES[ClaimState(state)]}”，不能这样办理", status=state)


def claim_unknown(claim_id: object) -> BankError:
    """The refusal for a claim that is not there, or nobody's business of the asker."""
    return NotFound("claim_unknown", "没有这份补贴结算", claim_id=claim_id)


def received_at(day: date, now: datetime) -> datetime:
    """The moment under which something received on ``day`` is booked. Raises Refused ``day_in_future``."""
    if day > clock.local_date(now):
        raise Refused("day_in_future", "收到日期不能晚于今天", field="received_on")
    return min(now, clock.day_start(day))


def produce_price(prices: Mapping[str, int], item: str) -> int:
    """Fen a kilogram of this produce, or of any that has no price of its own."""
    return int(prices.get(item, prices["default"]))


def proposed_value_fen(weight_g: int, fen_per_kg: int) -> int:
    """What produce of this weight is worth by policy, rounded half up to the fen, at least one."""
    return max(1, (2 * weight_g * fen_per_kg + 1000) // 2000)
