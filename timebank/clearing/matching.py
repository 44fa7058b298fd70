"""Matching a township's own list of lines against the books 往来核对. Pure.

A row is matched by the transfer id that it gives; else by day in Fenghua and signed minutes, and by counterpart and
person where it gives them. Each row and each line is used once, exact matches come before looser ones, and as many are
matched as can be; the order of rows means nothing. Whatever is left is a break 差异, which has one type.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from itertools import product
from uuid import UUID

from timebank.clearing.pairing import assign
from timebank.clearing.township_lists import PERSON_RANKS, BookedLine, BreakType, Found, ListedLine, Outcome

Pairs = list[tuple[ListedLine, BookedLine]]
Pattern = tuple[str | None, str | None]
"""Which lines a row may mean: those with this counterpart (None: any) and this person (None: anybody)."""


def match(
    rows: Iterable[ListedLine],
    lines: Iterable[BookedLine],
    *,
    named: Iterable[BookedLine] = (),
    neighbours: Callable[[Sequence[ListedLine]], Iterable[BookedLine]] = lambda _rows: (),
) -> Outcome:
    """Match the rows of a list with the ``lines`` of one window.

    ``named`` are the township's lines of other windows whose ids the rows give; ``neighbours`` answers lines of other
    windows that rows without a line of this one may mean.
    """
    rest, free = sorted(rows, key=_order), {line.transfer_id: line for line in lines}
    known = free | {line.transfer_id: line for line in named}
    here = frozenset(free)
    by_id, again, rest = _pair_by_id(rest, known)
    breaks = [Found(BreakType.WINDOW, *pair) for pair in by_id if pair[1].transfer_id not in here]
    breaks += [
        Found(BreakType.AMOUNT, row, line)
        for row, line in by_id
        if line.transfer_id in here and row.minutes != line.minutes
    ]
    matches = [pair for pair in by_id if pair[1].transfer_id in here and pair[0].minutes == pair[1].minutes]
    rest, free = _without(by_id, rest, free)
    alike = _pair_alike(rest, free.values())
    rest, free = _without(alike, rest, free)
    matches += alike
    if rest:
        taken = {line.transfer_id for _, line in by_id} | here
        others = {line.transfer_id: line for line in neighbours(rest) if line.transfer_id not in taken}
        elsewhere = _pair_alike(rest, others.values())
        rest, _ = _without(elsewhere, rest, others)
        breaks += [Found(BreakType.WINDOW, *pair) for pair in elsewhere]
    twice, rest = _fitting(rest, matches)
    breaks += [Found(BreakType.DUPLICATE, *pair) for pair in (*again, *twice)]
    unlike = _pair_same_person(rest, free.values())
    rest, free = _without(unlike, rest, free)
    breaks += [Found(BreakType.AMOUNT, *pair) for pair in unlike]
    breaks += _unknown(rest, breaks)
    breaks += [Found(BreakType.MISSING_THERE, None, free[i]) for i in sorted(free)]
    return Outcome(matches, breaks)


def _order(row: ListedLine) -> tuple[tuple[str, ...], int]:
    return row.content, row.row


def _pair_by_id(rows: Sequence[ListedLine], known: dict[UUID, BookedLine]) -> tuple[Pairs, Pairs, list[ListedLine]]:
    """Rows that give the id of a line: the best for each line, those that name it once more, and all other rows."""
    naming: dict[UUID, list[ListedLine]] = defaultdict(list)
    others = []
    for row in rows:
        # The second leg's id is the first's with its last bit turned (ledger/rules.py).
        ids = (row.transfer_id, UUID(int=row.transfer_id.int ^ 1)) if row.transfer_id is not None else ()
        found = next((i for i in ids if i in known), None)
        if found is None:
            others.append(row)
        else:
            naming[found].append(row)
    first, again = [], []
    for transfer_id, several in naming.items():
        line = known[transfer_id]
        best = min(several, key=partial(_unlikeness, line))
        first.append((best, line))
        again += [(row, line) for row in several if row is not best]
    return first, again, others


def _unlikeness(line: BookedLine, row: ListedLine) -> tuple[bool, bool]:
    return row.minutes != line.minutes, row.day != line.day


def _pair_alike(rows: Sequence[ListedLine], lines: Iterable[BookedLine]) -> Pairs:
    """Rows and lines of the same day and minutes, and of the same counterpart and person where the row names them."""
    rows_at: dict[tuple[date, int], list[ListedLine]] = defaultdict(list)
    for row in rows:
        rows_at[row.day, row.minutes].append(row)
    lines_at: dict[tuple[date, int], list[BookedLine]] = defaultdict(list)
    for line in lines:
        if (line.day, line.minutes) in rows_at:
            lines_at[line.day, line.minutes].append(line)
    return [pair for when, found in sorted(lines_at.items()) for pair in _pair_within(rows_at[when], found)]


def _pair_within(rows: Sequence[ListedLine], lines: Sequence[BookedLine]) -> Pairs:
    wants: dict[Pattern, deque[ListedLine]] = defaultdict(deque)
    for row in rows:
        wants[row.counterpart, row.person].append(row)
    offers: dict[tuple[str, tuple[str, ...]], deque[BookedLine]] = defaultdict(deque)
    for line in sorted(lines, key=lambda one: (one.counterpart, one.persons, one.transfer_id)):
        offers[line.counterpart, line.persons].append(line)
    fits: dict[Pattern, list[tuple[str, tuple[str, ...]]]] = defaultdict(list)
    for offer in offers:
        for pattern in _patterns(*offer):
            if pattern in wants:
                fits[pattern].append(offer)
    ranks: dict[int, dict[Pattern, int]] = defaultdict(dict)
    for pattern in sorted(fits, key=lambda one: (one[0] or "", one[1] or "")):
        ranks[_rank(pattern)][pattern] = len(wants[pattern])
    given = assign([ranks[rank] for rank in sorted(ranks)], {o: len(those) for o, those in offers.items()}, fits)
    return [
        (wants[pattern].popleft(), offers[offer].popleft()) for (pattern, offer), n in given.items() for _ in range(n)
    ]


def _patterns(counterpart: str, persons: Sequence[str]) -> Iterable[Pattern]:
    return product((counterpart, None), (*persons, None))


def _rank(pattern: Pattern) -> int:
    """How much a row says: the lower, the more exact."""
    counterpart, person = pattern
    if person is None:
        return 2 * len(PERSON_RANKS) + (counterpart is None)
    sure = next(rank for rank, kind in enumerate(PERSON_RANKS) if person.startswith(kind))
    return sure + len(PERSON_RANKS) * (counterpart is None)


def _pair_same_person(rows: Sequence[ListedLine], lines: Iterable[BookedLine]) -> Pairs:
    """Rows and lines of the same day, person, counterpart and direction, whatever their minutes."""
    shelves: dict[tuple[date, bool, str, str], deque[BookedLine]] = defaultdict(deque)
    for line in sorted(lines, key=lambda one: (one.minutes, one.transfer_id)):
        for person in line.persons:
            shelves[line.day, line.minutes > 0, line.counterpart, person].append(line)
    used: set[UUID] = set()
    pairs: Pairs = []
    for row in sorted(rows, key=lambda one: (_rank((one.counterpart, one.person)), one.minutes)):
        # Whoever does not name both stands before no shelf.
        shelf = shelves.get((row.day, row.minutes > 0, row.counterpart or "", row.person or ""), deque())
        while shelf and shelf[0].transfer_id in used:
            shelf.popleft()
        if shelf:
            used.add(shelf[0].transfer_id)
            pairs.append((row, shelf.popleft()))
    return pairs


def _without(
    pairs: Pairs, rows: Sequence[ListedLine], lines: dict[UUID, BookedLine]
) -> tuple[list[ListedLine], dict[UUID, BookedLine]]:
    used_rows = {row.row for row, _ in pairs}
    used_lines = {line.transfer_id for _, line in pairs}
    return (
        [row for row in rows if row.row not in used_rows],
        {i: line for i, line in lines.items() if i not in used_lines},
    )


def _fitting(rows: Sequence[ListedLine], matches: Pairs) -> tuple[Pairs, list[ListedLine]]:
    """Rows that fit a line which another row has, with that line; and all others."""
    fitting: dict[tuple[date, int, Pattern], BookedLine] = {}
    for line in sorted((line for _, line in matches), key=lambda one: one.transfer_id):
        for pattern in _patterns(line.counterpart, line.persons):
            fitting.setdefault((line.day, line.minutes, pattern), line)
    pairs: Pairs = []
    others = []
    for row in rows:
        taken = fitting.get((row.day, row.minutes, (row.counterpart, row.person)))
        if taken is None:
            others.append(row)
        else:
            pairs.append((row, taken))
    return pairs, others


def _unknown(rows: Sequence[ListedLine], breaks: Sequence[Found]) -> list[Found]:
    """The rest of the rows: one that says what a broken one says is there twice, the books know nothing of others."""
    broken = {found.row.content: found.line for found in breaks if found.row is not None}
    found = []
    for row in rows:
        line = broken.get(row.content)
        found.append(Found(BreakType.MISSING_HERE if line is None else BreakType.DUPLICATE, row, line))
    return found
