"""Clearing windows 清算周期, prices and what is netted in them. Pure.

Source: DOMAIN.md (清算、头寸、清算周期; reference price 30 CNY an hour); the states follow what payment switches do:
one window open, the next one opened in the moment in which it closes, review, settlement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from timebank.core.clock import day_start, local_date
from timebank.core.errors import Conflict, Refused
from timebank.ledger.rules import HOUSE
from timebank.policies.rules import PolicyBook


class WindowStatus(StrEnum):
    """Where a window stands. Nobody has reviewed a closed one yet; a settled one never changes."""

    OPEN = "open"
    CLOSED = "closed"
    UNDER_REVIEW = "under_review"
    SETTLED = "settled"


WINDOW_STATUS_NAMES = {
    WindowStatus.OPEN: "进行中",
    WindowStatus.CLOSED: "已关账，待核对",
    WindowStatus.UNDER_REVIEW: "核对中",
    WindowStatus.SETTLED: "已结算",
}

IN_REVIEW = (WindowStatus.CLOSED, WindowStatus.UNDER_REVIEW)


class PriceKind(StrEnum):
    """What the reference price is set for: a meal, an hour of care, the use of an aid."""

    MEAL = "meal"
    CARE = "care"
    AID = "aid"


PRICE_KIND_NAMES = {PriceKind.MEAL: "助餐", PriceKind.CARE: "照护", PriceKind.AID: "辅具"}

_PRICED_AS = {
    "voucher_redemption": PriceKind.MEAL,
    "voucher_purchase": PriceKind.MEAL,
    "voucher_refund": PriceKind.MEAL,
    "voucher_expiry": PriceKind.MEAL,
    "voucher_gift": PriceKind.MEAL,
    "carried_meal": PriceKind.MEAL,
    "carried_aid": PriceKind.AID,
    "aid_use": PriceKind.AID,
}

CARRIED_KIND = {kind: f"carried_{kind}" for kind in PriceKind}
"""The kind of the transfer by which minutes of each price kind are carried into the next window."""

GUARANTEED_KINDS = frozenset({"voucher_redemption", "care_use", "aid_use"})
"""What is honoured beyond a township's hard limit, the guarantee fund 保障金 standing in."""


def price_kind_of(transfer_kind: str) -> PriceKind:
    """At which price a transfer is settled; help, and savings that move with a person, are hours of care."""
    return _PRICED_AS.get(transfer_kind, PriceKind.CARE)


@dataclass(frozen=True, slots=True)
class Sum:
    """What one township owes another by transfers of one kind in one window, gross, in minutes."""

    debtor: str
    creditor: str
    kind: str
    minutes: int
    transfers: int


@dataclass(frozen=True, slots=True)
class PricedSum:
    """What one township owes another at one price, gross; ``fen`` is None where the price is missing."""

    debtor: str
    creditor: str
    price_kind: PriceKind
    minutes: int
    transfers: int
    fen: int | None


@dataclass(frozen=True, slots=True)
class Net:
    """What a township is owed (positive) or owes (negative); ``fen`` is None where a price is missing."""

    minutes: int = 0
    fen: int | None = 0


def window_name(opened_at: datetime, taken: Iterable[str]) -> str:
    """The month in Fenghua in which a window opens, as ``2026-11``; a second one of that month is ``2026-11-2``."""
    month = f"{local_date(opened_at):%Y-%m}"
    names, number = set(taken), 1
    name = month
    while name in names:
        number += 1
        name = f"{month}-{number}"
    return name


def window_due(opened_at: datetime, months: int) -> datetime:
    """When a window is to be closed: the first moment, in Fenghua, of the month ``months`` after it opened."""
    opened = local_date(opened_at)
    following = opened.year * 12 + opened.month - 1 + months
    return day_start(date(following // 12, following % 12 + 1, 1))


def fen_of(minutes: int, fen_per_hour: int) -> int:
    """What minutes are worth, in fen, rounded half up; minutes are never negative here."""
    return (minutes * fen_per_hour * 2 + 60) // 120


def price(sums: Iterable[Sum], prices: Mapping[str, int]) -> list[PricedSum]:
    """Sums by debtor, creditor and price kind, in that order; positions then sum to zero in minutes and in fen.

    What townships owe one another is rounded once, half up. Minutes carried over run between the house and each
    township; there each is what the rounded running total grows by, so that what comes in is what goes out.
    """
    totals: dict[tuple[str, str, PriceKind], tuple[int, int]] = {}
    for one in sums:
        key = (one.debtor, one.creditor, price_kind_of(one.kind))
        minutes, transfers = totals.get(key, (0, 0))
        totals[key] = minutes + one.minutes, transfers + one.transfers
    running: dict[tuple[bool, PriceKind], int] = {}
    priced = []
    for (debtor, creditor, kind), (minutes, transfers) in sorted(totals.items()):
        before = 0
        if HOUSE in (debtor, creditor):
            side = debtor == HOUSE, kind
            before = running.get(side, 0)
            running[side] = before + minutes
        fen = fen_of(before + minutes, prices[kind]) - fen_of(before, prices[kind]) if kind in prices else None
        priced.append(PricedSum(debtor, creditor, kind, minutes, transfers, fen))
    return priced


def nets(priced: Iterable[PricedSum]) -> dict[str, Net]:
    """What each party is owed or owes; minutes sum to zero, and fen do where every price is known."""
    owed: dict[str, Net] = {}
    for one in priced:
        for party, sign in ((one.debtor, -1), (one.creditor, 1)):
            before = owed.get(party, Net())
            fen = None if before.fen is None or one.fen is None else before.fen + sign * one.fen
            owed[party] = replace(before, minutes=before.minutes + sign * one.minutes, fen=fen)
    return owed


def nets_by_kind(priced: Iterable[PricedSum]) -> dict[tuple[str, PriceKind], int]:
    """The minutes that each party is owed or owes at each price."""
    owed: dict[tuple[str, PriceKind], int] = {}
    for one in priced:
        for party, sign in ((one.debtor, -1), (one.creditor, 1)):
            key = party, one.price_kind
            owed[key] = owed.get(key, 0) + sign * one.minutes
    return owed


def must_have_prices(priced: Iterable[PricedSum], at: datetime) -> None:
    """Raises Refused ``price_missing`` where something was done that has no reference price at ``at``."""
    missing = sorted({one.price_kind for one in priced if one.fen is None})
    if missing:
        names = "、".join(PRICE_KIND_NAMES[kind] for kind in missing)
        title = f"{local_date(at):%Y-%m-%d} 没有{names}的结算参考价，请先定价"
        raise Refused("price_missing", title, price_kinds=[str(kind) for kind in missing], at=at)


def must_stand_at(status: str, *allowed: WindowStatus) -> None:
    """Raises Conflict ``window_wrong_state``, ``window_still_open``, ``window_already_settled``."""
    if status in allowed:
        return
    if status == WindowStatus.OPEN:
        raise Conflict("window_still_open", "这个清算周期还没有关账", status=status)
    if status == WindowStatus.SETTLED:
        raise Conflict("window_already_settled", "这个清算周期已经结算，不再更改", status=status)
    said = WINDOW_STATUS_NAMES[WindowStatus(status)]
    raise Conflict("window_wrong_state", f"这个清算周期{said}，不能这样办理", status=status)


def reason_given(text: str, *, field: str = "reason") -> str:
    """The reason without blanks around it. Raises Refused ``reason_needed`` where nothing is left."""
    reason = text.strip()
    if not reason:
        raise Refused("reason_needed", "请写明理由", field=field)
    return reason


class LimitState(StrEnum):
    """Where a township stands against the limits of what it may owe."""

    WITHIN = "within"
    SOFT = "soft"
    HARD = "hard"


LIMIT_STATE_NAMES = {
    LimitState.WITHIN: "在限额内",
    LimitState.SOFT: "已到软限额",
    LimitState.HARD: "已到硬限额",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """What a township owes in all windows not settled, its limits, and what was granted beyond them, in minutes."""

    owed_minutes: int
    soft_limit_minutes: int
    hard_limit_minutes: int
    override_minutes: int = 0

    @property
    def limit_state(self) -> LimitState:
        """Where the township stands against its limits."""
        return limit_state(self.owed_minutes, self.soft_limit_minutes, self.hard_limit_minutes)

    @property
    def limit_state_name(self) -> str:
        """The same in words."""
        return LIMIT_STATE_NAMES[self.limit_state]

    @property
    def beyond_limit_minutes(self) -> int:
        """The part of the debt that lies beyond the hard limit."""
        return max(0, self.owed_minutes - self.hard_limit_minutes)


def standing(policies: PolicyBook, township_code: str, owed_minutes: int, override_minutes: int = 0) -> Standing:
    """How a township that owes so many minutes stands under these policies."""
    soft = policies.whole("position_soft_limit_minutes", township_code)
    hard = policies.whole("position_hard_limit_minutes", township_code)
    return Standing(owed_minutes, soft, hard, override_minutes)


def limit_state(owed_minutes: int, soft_limit_minutes: int, hard_limit_minutes: int) -> LimitState:
    """Where somebody who owes so many minutes stands; a limit counts from when it is reached."""
    if owed_minutes >= hard_limit_minutes:
        return LimitState.HARD
    return LimitState.SOFT if owed_minutes >= soft_limit_minutes else LimitState.WITHIN
