"""What every picture is made of: boxes, lines, circles and words, and how it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from flask import Response, request
from jinja2 import Template

from app.web.printing import templates

FONT_PX = 20
"""Letters, in units of the drawing; pictures are shown about as large as they are drawn."""

INK, SOFT, LINE, PAPER = "#1b2a33", "#4a5a64", "#b9c5c4", "#ffffff"
FILLS = ("#0b5a4a", "url(#stripes)", "url(#dots)")
"""Series by series, to be told apart without their colours: full, striped, dotted."""

EDGES = ("#0b5a4a", "#9a3412", "#1d4ed8")

POLICY = "default-src 'none'; frame-ancestors 'none'"
"""A picture loads nothing and runs nothing."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle, filled as its series is."""

    x: float
    y: float
    width: float
    height: float
    fill: str = PAPER
    edge: str = LINE


@dataclass(frozen=True, slots=True)
class Stroke:
    """A straight line."""

    x1: float
    y1: float
    x2: float
    y2: float
    colour: str = LINE
    dashed: bool = False
    width: float = 1


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle; without a fill only its edge."""

    x: float
    y: float
    radius: float
    fill: str = "none"
    edge: str = INK
    dashed: bool = False
    opacity: float = 1


@dataclass(frozen=True, slots=True)
class Words:
    """Words that begin, end or have their middle at ``x``; ``halo`` parts them from what lies below."""

    x: float
    y: float
    said: str
    anchor: str = "start"
    colour: str = INK
    bold: bool = False
    size: int = FONT_PX
    halo: bool = False


Shape = Box | Stroke | Circle | Words


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture: its size, what it shows in words, and its shapes from the lowest to the topmost."""

    width: float
    height: float
    title: str
    shapes: Sequence[Shape]


def width_of(words: str, size: int = FONT_PX) -> float:
    """About how wide words are: Chinese letters are square, others about half as wide."""
    return sum(1.0 if letter > "\u2e7f" else 0.58 for letter in words) * size


def svg(drawing: Drawing) -> str:
    """The picture as SVG, with presentation attributes only, so that no style has to be let in."""
    kinds = [(type(shape).__name__, shape) for shape in drawing.shapes]
    return _template().render(drawing=drawing, shapes=kinds)


def picture(drawing: Drawing) -> Response:
    """The picture as an answer: whoever has it already is told so, and it is sent again only once it has changed."""
    content = svg(drawing).encode()
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "private, no-cache"}
    answer = Response(content, content_type="image/svg+xml; charset=utf-8", headers=headers)
    answer.set_etag(sha256(content).hexdigest()[:32])
    return answer.make_conditional(request)  # type: ignore[return-value]


@cache
def _template() -> Template:
    return templates(px=_px).get_template("charts/drawing.svg")


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
