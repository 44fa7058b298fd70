"""Vouchers as coupons to print and cut out, on A4 or on the 80 mm paper of a receipt printer: no script, no loading."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache, partial

from jinja2 import Environment
from markupsafe import Markup

from app.web.printing import only_style, qr, templates
from timebank.core.clock import LOCAL
from timebank.redemption.actions import Coupon, Sheet

PAPERS = {"a4": 8, "receipt": 1}
"""Papers, with how many coupons find place on one page."""

_TEMPLATE = "vouchers/coupons.html"


def coupon_page(sheet: Sheet, paper: str) -> str:
    """The whole page for one of ``PAPERS``."""
    pages = _pages(sheet.coupons, PAPERS[paper])
    return _templates().get_template(_TEMPLATE).render(sheet=sheet, pages=pages, style=_style(paper))


@cache
def page_policy(paper: str) -> str:
    """The Content-Security-Policy under which the page, with its own style and nothing else, is shown."""
    return only_style(_style(paper))


@cache
def _style(paper: str) -> str:
    parts = (f"vouchers/{name}.css" for name in ("coupons", paper))
    return Markup("").join(Markup(_templates().get_template(part).render()) for part in parts)


def _pages(coupons: Sequence[Coupon], on_a_page: int) -> list[Sequence[Coupon]]:
    return [coupons[first : first + on_a_page] for first in range(0, len(coupons), on_a_page)]


@cache
def _templates() -> Environment:
    # Half of the quiet zone: the coupon's padding is the other half.
    return templates(moment=_moment, qr=partial(qr, quiet=2))


def _moment(value: datetime) -> str:
    return f"{value.astimezone(LOCAL):%Y年%m月%d日 %H:%M}"
