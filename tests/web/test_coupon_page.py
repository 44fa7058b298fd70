"""Coupons as a page to print: everything escaped, nothing loaded, nothing run, large enough to read and to scan."""

from __future__ import annotations

import re
from base64 import b64encode
from datetime import datetime
from hashlib import sha256

import pytest
import segno

from app.web.coupon_page import PAPERS, coupon_page, page_policy
from tests.web.test_statement_page import Seen
from timebank.core.clock import LOCAL
from timebank.redemption.actions import Coupon, Sheet

NASTY = "</style><script>alert(2)</script>"
MADE_AT = datetime(2026, 3, 10, 9, 5, tzinfo=LOCAL)


def coupon(number: int = 0, *, holder_name: str = "周桂芬", times_text: str = "每天") -> Coupon:
    return Coupon(
        qr_text=f"CODE{number}",
        code_grouped=f"ABCD-EFGH-{number:03}",
        holder_name=holder_name,
        price_minutes=90,
        expires_at=datetime(2026, 9, 6, 9, tzinfo=LOCAL),
        place_text="全区助餐点通用",
        times_text=times_text,
    )


def page_of(count: int = 1, paper: str = "a4", *, more: bool = False) -> str:
    return coupon_page(Sheet([coupon(n) for n in range(count)], MADE_AT, "西坞街道管理员", more), paper)


@pytest.mark.parametrize("paper", PAPERS)
def test_a_coupon_says_all_that_somebody_without_a_phone_needs(paper: str) -> None:
    one = coupon(times_text="周一至周五，午餐（10:00～13:30）")
    text = Seen(coupon_page(Sheet([one], MADE_AT, "西坞街道管理员", more=False), paper)).text
    for said in (
        *("周桂芬", "1小时30分钟", "有效期至 2026年09月06日 09:00", "ABCD-EFGH-000", "遗失请到镇街补办"),
        "周一至周五，午餐（10:00～13:30）可用，全区助餐点通用",
    ):
        assert said in text
    assert "西坞街道管理员 制作于 2026年03月10日 09:05" in text


def test_the_qr_is_that_of_the_voucher(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = re.findall(r'<path[^>]* d="([^"]+)"', page_of(2))
    expected = [segno.make_qr(f"CODE{n}", error="m").svg_inline(border=2) for n in range(2)]
    assert [re.findall(r' d="([^"]+)"', svg)[0] for svg in expected] == drawn
    assert drawn[0] != drawn[1]


@pytest.mark.parametrize(("count", "pages"), [(1, 1), (8, 1), (9, 2), (200, 25)])
def test_eight_coupons_find_place_on_a_page_of_a4_and_one_on_a_receipt(count: int, pages: int) -> None:
    for paper, expected in (("a4", pages), ("receipt", count)):
        tags = [attributes.get("class") for _, attributes in Seen(page_of(count, paper)).tags]
        assert (tags.count("page"), tags.count("coupon")) == (expected, count)


def test_a_page_that_has_not_all_says_so() -> None:
    assert "还有用餐券没有印在本页" in Seen(page_of(more=True)).text
    assert "还有用餐券" not in Seen(page_of()).text


@pytest.mark.parametrize("paper", PAPERS)
def test_everything_that_people_typed_is_escaped(paper: str) -> None:
    page = coupon_page(Sheet([coupon(holder_name=NASTY)], MADE_AT, NASTY, more=False), paper)
    seen = Seen(page)
    assert seen.text.count(NASTY) == 2
    assert "script" not in {tag for tag, _ in seen.tags}


@pytest.mark.parametrize("paper", PAPERS)
def test_nothing_is_loaded_and_nothing_is_run(paper: str) -> None:
    seen = Seen(page_of(3, paper))
    assert {"script", "link", "img", "iframe", "object", "form", "base"}.isdisjoint(tag for tag, _ in seen.tags)
    assert re.search(r"url\(|@import", seen.style) is None
    for tag, attributes in seen.tags:
        assert "style" not in attributes, tag
        assert not [name for name in attributes if name.startswith("on") or name in ("src", "href")], tag


@pytest.mark.parametrize("paper", PAPERS)
def test_the_policy_lets_this_style_in_and_nothing_else(paper: str) -> None:
    digest = b64encode(sha256(Seen(page_of(1, paper)).style.encode()).digest()).decode()
    assert page_policy(paper) == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"


def test_each_paper_has_its_size_and_on_it_codes_are_at_least_seven_millimetres_high() -> None:
    for paper, size in (("a4", "size: A4"), ("receipt", "size: 80mm")):
        style = Seen(page_of(1, paper)).style
        assert size in style
        on_paper = style[style.rindex("@media print") :]
        assert min(float(mm) for mm in re.findall(r"\.code \{[^}]*font-size: ([0-9.]+)mm", on_paper)) >= 7
    on_screen = re.findall(r"\.code \{[^}]*font: bold ([0-9]+)px", style)
    assert int(on_screen[0]) >= 24


@pytest.mark.parametrize("paper", PAPERS)
def test_a_qr_is_at_least_thirty_millimetres_without_its_margin(paper: str) -> None:
    """The plainest code has 21 modules, and of the quiet zone two on each side lie within the picture."""
    widths = [float(mm) for mm in re.findall(r"\.qr \{ width: ([0-9.]+)mm", Seen(page_of(1, paper)).style)]
    assert len(widths) == 2
    assert min(widths) * 21 / 25 >= 30


@pytest.mark.parametrize("paper", PAPERS)
def test_nothing_to_read_is_smaller_than_12_points(paper: str) -> None:
    sizes = re.findall(r"font(?:-size)?:[^;}]*?([0-9.]+)(pt|px|rem|mm)", Seen(page_of(1, paper)).style)
    points = {"pt": 1.0, "px": 0.75, "rem": 13.5, "mm": 72 / 25.4}
    assert len(sizes) >= 7
    assert [size for size in sizes if float(size[0]) * points[size[1]] < 12] == []
