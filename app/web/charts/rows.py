"""Charts of rows, each a name and its values: columns over months, or bars one below another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.web.charts.drawing import EDGES, FILLS, FONT_PX, INK, LINE, SOFT, Box, Drawing, Shape, Stroke, Words, width_of

WIDE_PX, NARROW_PX = 1000, 350
_PLOT_PX, _BAR_PX, _GAP_PX = 300, 26, 14
_TICKS = 4
NOTHING_YET = "这段时间还没有发生"


@dataclass(frozen=True, slots=True)
class Row:
    """A name, a value for each series (negative ones are drawn as nothing), and what is said beside them."""

    name: str
    values: Sequence[int]
    remark: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows of values in one unit; ``said`` writes a value for people, ``short`` for an axis.

    ``mark`` is a value to be told apart by a line, and its name; steps of the scale are multiples of ``base``.
    """

    title: str
    series: Sequence[str]
    rows: Sequence[Row]
    said: Callable[[int], str]
    short: Callable[[int], str]
    mark: tuple[int, str] | None = None
    base: int = 1

    @property
    def highest(self) -> int:
        """The largest value there is, the mark included; one step at least, so that nothing is divided by 0."""
        values = [value for row in self.rows for value in row.values]
        return max([self.base, *values, *([self.mark[0]] if self.mark else [])])

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be seen."""
        return not any(value > 0 for row in self.rows for value in row.values)


def columns(chart: Chart) -> Drawing:
    """Columns side by side, from the earliest to the latest, over a scale of whole steps."""
    step = step_of(-(-chart.highest // chart.base)) * chart.base
    top = step * -(-chart.highest // step)
    shapes, y = _legend(chart.series, WIDE_PX)
    left = max(width_of(chart.short(value)) for value in range(0, top + 1, step)) + 12
    base = y + _PLOT_PX

    def height(value: int) -> float:
        return max(0, value) * _PLOT_PX / top

    for value in range(0, top + 1, step):
        shapes.append(Stroke(left, base - height(value), WIDE_PX, base - height(value), SOFT if value == 0 else LINE))
        shapes.append(Words(left - 8, base - height(value) + FONT_PX * 0.35, chart.short(value), "end", SOFT))
    room = (WIDE_PX - left) / max(1, len(chart.rows))
    bar = min(44.0, room * 0.8 / len(chart.series))
    for number, row in enumerate(chart.rows):
        middle = left + room * (number + 0.5)
        first = middle - bar * len(chart.series) / 2
        for place, value in enumerate(row.values):
            if value > 0:
                shapes.append(Box(first + bar * place, base - height(value), bar, height(value), *_look(place)))
        shapes.append(Words(middle, base + FONT_PX * 1.4, row.name, "middle"))
    if chart.is_empty:
        shapes.append(Words((left + WIDE_PX) / 2, base - _PLOT_PX / 2, NOTHING_YET, "middle", SOFT))
    return Drawing(WIDE_PX, base + FONT_PX * 2, chart.title, shapes)


def bars(chart: Chart, *, narrow: bool = False) -> Drawing:
    """Bars one below another with their values beside them; where it is narrow, each name stands above its bars."""
    width = NARROW_PX if narrow else WIDE_PX
    shapes, y = _legend(chart.series, width) if len(chart.series) > 1 else ([], float(_GAP_PX))
    names = 0.0 if narrow else max([width_of(row.name) for row in chart.rows], default=0) + 12
    beside = [_beside(chart, row, value, narrow=narrow) for row in chart.rows for value in row.values]
    values = max(map(width_of, beside), default=0) + 12
    room = max(60.0, width - names - values)
    if chart.mark is not None:
        shapes, y = _mark(chart, shapes, y, names, room, width)
    first_y = y
    for row in chart.rows:
        if narrow:
            y += FONT_PX * 1.25
            shapes.append(Words(0, y - 4, row.name + (f"　{row.remark}" if row.remark else ""), bold=True))
        else:
            middle = y + _BAR_PX * len(row.values) / 2 + FONT_PX * 0.35
            shapes.append(Words(names - 12, middle, row.name, "end"))
        for place, value in enumerate(row.values):
            long = max(0, value) * room / chart.highest
            if value > 0:
                shapes.append(Box(names, y + 2, long, _BAR_PX - 4, *_look(place)))
            said = _beside(chart, row, value, narrow=narrow)
            shapes.append(_value(said, names + long + 8, y + _BAR_PX - 6, width))
            y += _BAR_PX
        y += _GAP_PX
    if chart.mark is not None:
        x = names + chart.mark[0] * room / chart.highest
        shapes.append(Stroke(x, first_y - 2, x, y - _GAP_PX / 2, INK, dashed=True, width=2))
    return Drawing(width, y + 4, chart.title, shapes)


def _beside(chart: Chart, row: Row, value: int, *, narrow: bool) -> str:
    """What stands beside a bar; a row's remark stands above it where it is narrow."""
    return chart.said(value) + (f"　{row.remark}" if row.remark and not narrow else "")


def _value(said: str, x: float, y: float, width: float) -> Words:
    """Beside its bar, or where there is no room for it, at the edge of the picture."""
    return Words(x, y, said) if x + width_of(said) <= width else Words(width, y, said, "end")


def _mark(
    chart: Chart, shapes: list[Shape], y: float, names: float, room: float, width: float
) -> tuple[list[Shape], float]:
    assert chart.mark is not None
    value, name = chart.mark
    x = names + value * room / chart.highest
    half = width_of(name) / 2
    middle = min(max(x, half), width - half)
    return [*shapes, Words(middle, y + FONT_PX * 0.6, name, "middle", SOFT)], y + FONT_PX + _GAP_PX


def step_of(highest: int) -> int:
    """A step of 1, 2 or 5 times a power of ten, so that about four of them reach ``highest``."""
    step = 1
    for factor in _steps():
        step = factor
        if factor * _TICKS >= highest:
            break
    return step


def _steps() -> Sequence[int]:
    return [digit * 10**power for power in range(16) for digit in (1, 2, 5)]


def _look(place: int) -> tuple[str, str]:
    return FILLS[place % len(FILLS)], EDGES[place % len(EDGES)]


def _legend(series: Sequence[str], width: float) -> tuple[list[Shape], float]:
    """The names of the series, each beside its fill, in as many lines as it takes; where the drawing goes on."""
    shapes: list[Shape] = []
    x, y = 0.0, 8.0
    for place, name in enumerate(series):
        long = 34 + width_of(name) + 28
        if x > 0 and x + long > width:
            x, y = 0.0, y + FONT_PX * 1.6
        shapes += [Box(x, y, 26, 18, *_look(place)), Words(x + 34, y + 16, name)]
        x += long
    return shapes, y + FONT_PX * 2
