"""Giving each of many wants at most one of many offers, so that as many as possible are served. Pure.

Wants that are alike are counted, not listed, and so are offers: a day's meals are hundreds of rows, but few kinds of
row. What is assigned is a maximum flow (Dinic) from kinds of want to kinds of offer. The wants of an earlier rank are
served first, and an earlier one is never given up for a later one; that takes nothing from the number served in all.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

Want = TypeVar("Want", bound=Hashable)
Offer = TypeVar("Offer", bound=Hashable)


def assign(
    ranks: Iterable[Mapping[Want, int]], offers: Mapping[Offer, int], fits: Mapping[Want, Sequence[Offer]]
) -> dict[tuple[Want, Offer], int]:
    """How many of each want get which offer. The same mappings in the same order answer the same.

    ``ranks`` are wants with their number, the first rank served first; ``offers`` have their number too; ``fits`` are
    the offers that will do for each want.
    """
    flow = _Flow()
    places = {offer: flow.node() for offer in offers}
    for offer, number in offers.items():
        flow.edge(places[offer], flow.SINK, number)
    edges: dict[tuple[Want, Offer], int] = {}
    for rank in ranks:
        for want, number in rank.items():
            node = flow.node()
            flow.edge(flow.SOURCE, node, number)
            for offer in fits[want]:
                edges[want, offer] = flow.edge(node, places[offer], number)
        flow.fill()
    return {pair: flow.through(edge) for pair, edge in edges.items() if flow.through(edge)}


class _Flow:
    """A flow network; an edge's way back has the number next to it."""

    SOURCE, SINK = 0, 1

    def __init__(self) -> None:
        self._heads: list[int] = []
        self._left: list[int] = []
        self._edges: list[list[int]] = [[], []]

    def node(self) -> int:
        self._edges.append([])
        return len(self._edges) - 1

    def edge(self, tail: int, head: int, capacity: int) -> int:
        number = len(self._heads)
        self._heads += (head, tail)
        self._left += (capacity, 0)
        self._edges[tail].append(number)
        self._edges[head].append(number + 1)
        return number

    def through(self, edge: int) -> int:
        """How much flows through an edge."""
        return self._left[edge ^ 1]

    def fill(self) -> None:
        """Send as much as possible; what leaves the source already goes on doing so."""
        while (depths := self._depths())[self.SINK] >= 0:
            self._send(depths)

    def _depths(self) -> list[int]:
        """How far every node is from the source along edges with room; -1 where there is no way."""
        depths = [-1] * len(self._edges)
        depths[self.SOURCE] = 0
        waiting = deque([self.SOURCE])
        while waiting and depths[self.SINK] < 0:
            node = waiting.popleft()
            for edge in self._edges[node]:
                head = self._heads[edge]
                if self._left[edge] and depths[head] < 0:
                    depths[head] = depths[node] + 1
                    waiting.append(head)
        return depths

    def _send(self, depths: list[int]) -> None:
        """Send along shortest ways until each is blocked; an edge that led nowhere is not tried again."""
        tried = [0] * len(self._edges)
        way: list[int] = []
        node = self.SOURCE
        while True:
            if node == self.SINK:
                node = self._push(way)
            elif (edge := self._onward(node, depths, tried)) is not None:
                way.append(edge)
                node = self._heads[edge]
            elif way:
                node = self._heads[way.pop() ^ 1]
                tried[node] += 1
            else:
                return

    def _onward(self, node: int, depths: list[int], tried: list[int]) -> int | None:
        edges = self._edges[node]
        while tried[node] < len(edges):
            edge = edges[tried[node]]
            if self._left[edge] and depths[self._heads[edge]] == depths[node] + 1:
                return edge
            tried[node] += 1
        return None

    def _push(self, way: list[int]) -> int:
        """Fill a way to the sink, and answer the node before the first edge that is full now."""
        amount = min(self._left[edge] for edge in way)
        for edge in way:
            self._left[edge] -= amount
            self._left[edge ^ 1] += amount
        full = next(place for place, edge in enumerate(way) if not self._left[edge])
        node = self._heads[way[full] ^ 1]
        del way[full:]
        return node
