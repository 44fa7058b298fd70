"""What a meal at the counter costs whoever wants it, before it is sold: by the bank's own price, not the list's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.web.asking import Asker, Refusal
from timebank.core.amounts import yuan_text

_UNSUITABLE = "dish_not_suitable"


@dataclass(frozen=True, slots=True)
class Offer:
    """What one diner pays, in words and by how it is had; or why nothing can be sold.

    ``unsuitable`` are the reasons that speak against a dish, ``lacking`` is what the purse lacks, in words.
    """

    pays: str = ""
    by_voucher: str = ""
    lacking: str = ""
    unsuitable: tuple[str, ...] = ()
    refusal: Refusal | None = None


def offer_to(ask: Asker, sale: Mapping[str, Any], diner: Mapping[str, Any], ways: Sequence[tuple[str, str]]) -> Offer:
    """What ``sale`` costs this diner; each way of having it is asked for, and a voucher where there is one."""
    wanted = {**sale, "person_id": diner["person_id"], "cash": False, "use_voucher": False}
    first = _price(ask, wanted, ways[0][0])
    unsuitable: tuple[str, ...] = ()
    if isinstance(first, Refusal) and first.code == _UNSUITABLE:
        unsuitable, wanted["accept_unsuitable"] = tuple(first.facts["reasons"]), True
        first = _price(ask, wanted, ways[0][0])
    if isinstance(first, Refusal):
        return Offer(unsuitable=unsuitable, refusal=first)
    return Offer(
        pays=_in_words(ask, wanted, ways),
        by_voucher=_in_words(ask, {**wanted, "use_voucher": True}, ways) if diner["unused_vouchers"] else "",
        lacking=yuan_text(first["lacking_fen"]) if first["lacking_fen"] else "",
        unsuitable=unsuitable,
    )


def guest_price(ask: Asker, sale: Mapping[str, Any]) -> Any:
    """What a guest pays in cash, or why nothing can be sold."""
    return ask.write("meal_counter.price", {**sale, "person_id": None, "cash": True, "use_voucher": False}, key="")


def _in_words(ask: Asker, wanted: Mapping[str, Any], ways: Sequence[tuple[str, str]]) -> str:
    """One price, or one for each way where they differ; empty where no voucher is good at this meal."""
    found = {name: _price(ask, wanted, way) for way, name in ways}
    prices = {
        name: yuan_text(asked["elder_fen"])
        for name, asked in found.items()
        if not isinstance(asked, Refusal) and (asked["voucher_id"] or not wanted["use_voucher"])
    }
    if len(set(prices.values())) == 1:
        return next(iter(prices.values()))
    return "，".join(f"{name} {price}" for name, price in prices.items())


def _price(ask: Asker, wanted: Mapping[str, Any], way: str) -> Any:
    return ask.write("meal_counter.price", {**wanted, "way": way}, key="")
