"""From what the ledger has of each order to the meals, lines and sums of a claim. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from uuid import UUID

from timebank.canteens.orders.rules import OrderState
from timebank.canteens.pricing.rules import Share
from timebank.canteens.subsidies.rules import (
    BOOK_REASONS,
    COURIER_LABEL,
    COURIER_RULE,
    IN_KIND_RULES,
    MISSED_LABEL,
    MISSED_RULE,
    Book,
    FindingKind,
    Shares,
    stands,
)
from timebank.canteens.subsidies.screening import Found, called_by
from timebank.core.amounts import yuan_text

_NOT_EATEN = frozenset({OrderState.MISSED, OrderState.UNDELIVERED})


@dataclass(frozen=True, slots=True)
class Earned:
    """One order of which the ledger has other than was claimed; ``state`` None where there is no such order."""

    order_id: UUID | None
    state: str | None
    canteen_id: UUID | None
    diner_id: UUID | None
    served_on: date | None
    meal: str | None
    own: Shares
    earned: Shares
    claimed: Shares
    claimed_meals: int
    canteen_name: str | None = None
    pickup_number: int | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line of an order's receipt that says who bears something."""

    share: str
    rule_key: str
    label: str
    fen: int

    def by_courier(self) -> OrderLine:
        """The line where a courier brought the meal: what volunteers were to carry, they did not."""
        if self.rule_key not in IN_KIND_RULES:
            return self
        return replace(self, rule_key=COURIER_RULE, label=COURIER_LABEL)


@dataclass(frozen=True, slots=True)
class ClaimedMeal:
    """One order as a claim takes it: what is new in the ledger since it was claimed last."""

    order_id: UUID
    served_on: date
    meal: str
    meals: int
    shares: Shares

    @property
    def is_new(self) -> bool:
        """A meal that was eaten and is claimed for the first time."""
        return self.meals > 0


@dataclass(slots=True)
class LineSum:
    """What one rule makes in a claim."""

    share: str
    rule_key: str
    label: str
    meals: int = 0
    fen: int = 0

    @property
    def in_kind(self) -> bool:
        """Whether the canteen had it in kind, so that no money is owed for it."""
        return self.share == Share.GARDEN or self.rule_key in IN_KIND_RULES


@dataclass(slots=True)
class Books:
    """A claim before it is written: its meals, its lines, what does not fit, and what the ledger says in all."""

    meals: list[ClaimedMeal] = field(default_factory=list)
    lines: dict[tuple[str, str], LineSum] = field(default_factory=dict)
    misfits: list[Found] = field(default_factory=list)
    ledger_fen: int = 0

    @property
    def total(self) -> Shares:
        """The five shares of all meals together."""
        return Shares(*(sum(one.shares.of(share) for one in self.meals) for share in Share))

    @property
    def volunteers_in_kind_fen(self) -> int:
        """What of the volunteers' share was work at the canteen and no money."""
        return sum(line.fen for line in self.lines.values() if line.in_kind and line.share == Share.VOLUNTEERS)

    def sorted_lines(self) -> list[LineSum]:
        """By share in the order of the five, the largest first."""
        places = list(Share)
        return sorted(self.lines.values(), key=lambda line: (places.index(Share(line.share)), -line.fen, line.rule_key))


def keep_books(canteen_id: UUID, earned: Iterable[Earned], lines: Mapping[UUID, Sequence[OrderLine]]) -> Books:
    """Take every order whose ledger, price and lines agree; name every other one as not to be approved."""
    books = Books()
    for one in earned:
        new = one.earned.minus(one.claimed)
        books.ledger_fen += new.list_fen
        own_lines = lines.get(one.order_id, ()) if one.order_id is not None else ()
        book = stands(one.state, here=one.canteen_id == canteen_id, earned=one.earned, own=one.own)
        borne = _borne(one, new, own_lines) if book == Book.FITS else None
        if borne is None:
            books.misfits.append(_misfit(one, book, own_lines))
            continue
        meal = _claimed(one, new)
        books.meals.append(meal)
        _add_lines(books, meal, borne)
    return books


def _claimed(one: Earned, new: Shares) -> ClaimedMeal:
    assert one.order_id is not None
    assert one.served_on is not None
    assert one.meal is not None
    eaten = one.state == OrderState.SERVED
    return ClaimedMeal(one.order_id, one.served_on, one.meal, int(eaten) - one.claimed_meals, new)


def _borne(one: Earned, new: Shares, lines: Sequence[OrderLine]) -> list[OrderLine] | None:
    """The lines that make what is new: the order's own, or the same taken back; None where they do not add up."""
    if one.state in _NOT_EATEN:
        return [OrderLine(Share.ELDER, MISSED_RULE, MISSED_LABEL, new.elder_fen)]
    if _sums(lines) != one.own or new not in (one.own, Shares().minus(one.own)):
        return None
    sign = 1 if new == one.own else -1
    return [OrderLine(line.share, line.rule_key, line.label, sign * line.fen) for line in lines]


def _sums(lines: Iterable[OrderLine]) -> Shares:
    sums: dict[str, int] = defaultdict(int)
    for line in lines:
        sums[line.share] += line.fen
    return Shares(*(sums[share] for share in Share))


def _add_lines(books: Books, meal: ClaimedMeal, borne: Sequence[OrderLine]) -> None:
    for line in borne:
        key = line.share, line.rule_key
        total = books.lines.setdefault(key, LineSum(*key, line.label))
        total.fen += line.fen
    for key in {(line.share, line.rule_key) for line in borne}:
        books.lines[key].meals += meal.meals


def _misfit(one: Earned, book: Book, lines: Sequence[OrderLine]) -> Found:
    if book == Book.FITS:
        said = f"订单明细合计{yuan_text(_sums(lines).list_fen)}，账上{yuan_text(one.earned.list_fen)}"
    else:
        said = f"{BOOK_REASONS[book]}：账上{yuan_text(one.earned.list_fen)}，订单{yuan_text(one.own.list_fen)}"
    order_id = one.order_id if book != Book.NO_ORDER else None
    at_stake = max(0, one.earned.government_fen - one.own.government_fen)
    if one.served_on is not None and one.meal is not None and one.pickup_number is not None:
        said = f"{called_by(one.canteen_name or '', one.served_on, one.meal, one.pickup_number)}：{said}"
    return Found(FindingKind.LEDGER_MISMATCH, order_id, one.diner_id, at_stake, said)
