"""The map of canteens 15分钟为老助餐一张图: each a number on its circle of walking distance. Nobody's home is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

from app.web.charts.drawing import INK, PAPER, SOFT, Box, Circle, Drawing, Shape, Stroke, Words
from app.web.charts.rows import NARROW_PX, WIDE_PX, step_of

_HEIGHT_PX, _NARROW_HEIGHT_PX = 640, 420
_EDGE_PX, _DOT_PX, _SMALL_DOT_PX, _STRIP_PX = 30, 15, 5, 62
_MANY = 30
"""From so many places on, numbers stand beside small dots, so that circles are seen."""
_M_PER_DEGREE = 111_195
_OPEN, _REACH, _NOT_OPEN = "#0b5a4a", "#8fc9b5", "#a31621"


@dataclass(frozen=True, slots=True)
class Place:
    """A canteen: its number in the list beside the map, where it is, and how far its circle reaches (0: not open)."""

    number: int
    latitude: float
    longitude: float
    radius_m: int


def canteen_map(title: str, places: Sequence[Place], *, narrow: bool = False) -> Drawing:
    """All places and their circles, north above, as large as fits, with a scale in metres."""
    width, height = (NARROW_PX, _NARROW_HEIGHT_PX) if narrow else (WIDE_PX, _HEIGHT_PX)
    shapes: list[Shape] = [Box(0, 0, width, height, "#f1f5f4")]
    if places:
        frame = _Frame.of(places, width, height - _STRIP_PX)
        points = [(one, *frame.point(one)) for one in places]
        for one, x, y in points:
            if one.radius_m:
                shapes.append(Circle(x, y, one.radius_m * frame.px_per_m, _REACH, _OPEN, opacity=0.35))
        for one, x, y in points:
            shapes += _dot(one, x, y, many=len(places) > _MANY)
        shapes += _scale(frame, width, height)
    shapes += [
        Stroke(width - 20, height - 14, width - 20, height - 50, INK, width=3),
        Stroke(width - 20, height - 50, width - 28, height - 36, INK, width=3),
        Stroke(width - 20, height - 50, width - 12, height - 36, INK, width=3),
        Words(width - 34, height - 24, "北", "end"),
    ]
    return Drawing(width, height, title, shapes)


def _dot(place: Place, x: float, y: float, *, many: bool) -> list[Shape]:
    """A place and its number; one that is not open is hollow and dashed."""
    is_open = place.radius_m > 0
    fill, edge = (_OPEN, _OPEN) if is_open else (PAPER, _NOT_OPEN)
    dot = Circle(x, y, _SMALL_DOT_PX if many else _DOT_PX, fill, edge, not is_open)
    if many:
        beside = Words(x + _SMALL_DOT_PX + 3, y + 6, str(place.number), colour=edge, bold=True, size=18, halo=True)
        return [dot, beside]
    colour = PAPER if is_open else _NOT_OPEN
    return [dot, Words(x, y + 6, str(place.number), "middle", colour, bold=True, size=18)]


def _scale(frame: _Frame, width: float, height: float) -> list[Shape]:
    """A line as long as so many metres, about a quarter of the picture."""
    metres = step_of(round(width / frame.px_per_m / 2))
    long, y = metres * frame.px_per_m, height - 18
    said = f"{metres}米" if metres < 1000 else f"{metres // 1000}公里"
    return [
        Box(10, y - 34, long + 20, 46, PAPER, SOFT),
        Stroke(20, y, 20 + long, y, INK, width=4),
        Words(20, y - 10, said),
    ]


@dataclass(frozen=True, slots=True)
class _Frame:
    """How degrees become points of the picture: flat, which over a district is off by less than a dot."""

    north: float
    west: float
    px_per_m: float
    m_per_degree_east: float
    left: float
    top: float

    @classmethod
    def of(cls, places: Sequence[Place], width: float, height: float) -> _Frame:
        middle = sum(one.latitude for one in places) / len(places)
        east = _M_PER_DEGREE * cos(radians(middle))
        reach = max(max(one.radius_m for one in places), 500)
        north, south = (f(one.latitude for one in places) for f in (max, min))
        west, far_east = (f(one.longitude for one in places) for f in (min, max))
        high_m = (north - south) * _M_PER_DEGREE + 2 * reach
        wide_m = (far_east - west) * east + 2 * reach
        scale = min((width - 2 * _EDGE_PX) / wide_m, (height - 2 * _EDGE_PX) / high_m)
        left = (width - wide_m * scale) / 2 + reach * scale
        top = (height - high_m * scale) / 2 + reach * scale
        return cls(north, west, scale, east, left, top)

    def point(self, place: Place) -> tuple[float, float]:
        """Where a place lies in the picture."""
        return (
            self.left + (place.longitude - self.west) * self.m_per_degree_east * self.px_per_m,
            self.top + (self.north - place.latitude) * _M_PER_DEGREE * self.px_per_m,
        )
