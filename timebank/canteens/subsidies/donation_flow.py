"""Which gift paid for which meal: first in, first out. Pure.

What was given and what was drawn are laid end to end on one line of fen, each in the order in which it came; a gift
pays for whatever lies opposite to it. So it does not matter whether a draw came before a later gift was there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Amount:
    """What one gift brought, or one meal or allotment drew."""

    id: UUID
    fen: int


@dataclass(frozen=True, slots=True)
class Used:
    """So much of ``gift_id`` went into ``draw_id``."""

    gift_id: UUID
    draw_id: UUID
    fen: int


def follow(gifts: Sequence[Amount], draws: Sequence[Amount]) -> list[Used]:
    """What of each gift went into each draw, in the order of the draws; what nothing was given for is left out."""
    used: list[Used] = []
    waiting = iter(gifts)
    gift = next(waiting, None)
    left = gift.fen if gift is not None else 0
    for draw in draws:
        wanted = draw.fen
        while wanted and gift is not None:
            fen = min(wanted, left)
            if fen:
                used.append(Used(gift.id, draw.id, fen))
            wanted, left = wanted - fen, left - fen
            if not left:
                gift = next(waiting, None)
                left = gift.fen if gift is not None else 0
    return used


def through_allotments(gifts: Sequence[Amount], parts: Mapping[UUID, Sequence[Amount]]) -> list[Amount]:
    """A canteen's gifts with each allotment replaced by the gifts that it was made of."""
    return [part for gift in gifts for part in parts.get(gift.id, [gift])]


def by_allotment(used: Sequence[Used]) -> dict[UUID, list[Amount]]:
    """Of which gifts each allotment of the pot was made, in their order."""
    parts: dict[UUID, list[Amount]] = defaultdict(list)
    for one in used:
        parts[one.draw_id].append(Amount(one.gift_id, one.fen))
    return dict(parts)
