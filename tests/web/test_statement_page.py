"""The statement as a page to print: everything escaped, nothing loaded, nothing run, large enough to read."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from app.web import statement_page as module
from app.web.statement_page import MOST_LINES, page_policy, rendered, statement_page
from tests.factories.statements import NASTY, SEAL, lines_seen, statement_seen, window_seen
from timebank.clearing.queries import Line, StatementView
from timebank.clearing.queries.statement_view import BothWays, Gross


class Seen(HTMLParser):
    """The tags of a page, and its text as people see it."""

    VOID = frozenset({"meta"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.style = ""
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
        else:
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        return " ".join(text for text in self.texts if text)


def many_lines(count: int) -> list[Line]:
    return [replace(lines_seen()[0], seq=number) for number in range(count)]


def test_the_page_says_the_position_every_total_and_every_line() -> None:
    said = statement_seen()
    text = Seen(rendered(said, lines_seen())).text
    assert "西坞街道 2026-11：应收 1小时14分钟（74 分钟），应收 39.68元" in text
    assert "助餐 2小时30分钟 2 笔 43.88元 1小时 1 笔 17.55元 1小时30分钟 90 分钟 26.33元" in text
    assert "合计 3小时15分钟 3 笔 66.38元 2小时1分钟 3 笔 26.70元 1小时14分钟 74 分钟 39.68元" in text
    assert "尚田街道 小计 3小时15分钟 3 笔 66.38元 0分钟 0 笔 0.00元 3小时15分钟 195 分钟 66.38元" in text
    assert "大堰镇 辅具 0分钟 0 笔 0.00元 1小时1分钟 2 笔 9.15元 -1小时1分钟 -61 分钟 -9.15元" in text
    for expected in (
        "2026-11-03 00:00 尚田街道 服务所得",
        "上期移入",
        "异议：维持在本周期",
        "第1次收款 39.68元 支付失败",
    ):
        assert expected in text
    assert re.findall(r"经办人|复核人|负责人（签字盖章）|日期", text) == [
        "经办人",
        "复核人",
        "负责人（签字盖章）",
        "日期",
    ]
    assert " ".join(SEAL[place : place + 8] for place in range(0, 64, 8)) in text


def test_everything_that_people_typed_is_escaped() -> None:
    name = "</style><script>alert(2)</script>"
    window = window_seen(closed_by_name=name)
    page = rendered(statement_seen(window=window, township_name=name), lines_seen())
    seen = Seen(page)
    assert NASTY[5] in seen.text
    assert name in seen.text
    assert "script" not in {tag for tag, _ in seen.tags}


def test_nothing_is_loaded_and_nothing_is_run() -> None:
    seen = Seen(rendered(statement_seen(), lines_seen()))
    loading = {"script", "link", "img", "iframe", "object", "form", "base"}
    assert loading.isdisjoint(tag for tag, _ in seen.tags)
    attributes = {name for _, found in seen.tags for name in found}
    assert attributes <= {
        *("lang", "charset", "name", "content", "class", "role", "aria-label", "tabindex", "scope", "colspan"),
        "data-label",
    }
    assert re.search(r"url\(|@import", seen.style) is None


def test_the_policy_lets_this_style_in_and_nothing_else() -> None:
    style = Seen(rendered(statement_seen(), [])).style
    digest = b64encode(sha256(style.encode()).digest()).decode()
    assert page_policy() == f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'"


def test_on_paper_nothing_is_smaller_than_12_points() -> None:
    style = Seen(rendered(statement_seen(), [])).style
    sizes = re.findall(r"font(?:-size)?:[^;}]*?([0-9.]+)(pt|px|rem|em|%)", style)
    points = {"pt": 1.0, "px": 0.75, "rem": 13.5}
    assert len(sizes) >= 6
    assert [size for size in sizes if float(size[0]) * points[size[1]] < 12] == []
    assert "size: A4" in style
    for tag, attributes in Seen(rendered(statement_seen(), lines_seen())).tags:
        assert "style" not in attributes, tag


def test_wide_tables_scroll_within_themselves_and_can_be_reached_by_keyboard() -> None:
    tags = Seen(rendered(statement_seen(), lines_seen())).tags
    around = [before[1] for before, (tag, _) in pairwise(tags) if tag == "table"]
    assert len(around) == 6
    for attributes in around:
        assert (attributes["class"], attributes["role"], attributes["tabindex"]) == ("scroll", "region", "0")
        assert attributes["aria-label"]


def test_a_page_has_at_most_500_lines_and_says_where_the_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def page_of(count: int) -> tuple[int, str]:
        lines = many_lines(count)
        monkeypatch.setattr(module, "every_line", lambda *_, **__: iter(lines))
        said = statement_seen(total=BothWays(given=Gross(count, 60 * count, 0)), disputes=[], moved_out=[])
        page = statement_page(None, None, said)  # type: ignore[arg-type]
        return page.count("2026-11-01 00:00</td>"), Seen(page).text

    shown, text = page_of(MOST_LINES + 3)
    assert shown == 500
    assert "共 503 笔，以下为最早的 500 笔；全部明细请下载 Excel 对账单。" in text
    for count in (MOST_LINES, 1):
        shown, text = page_of(count)
        assert shown == count
        assert "Excel" not in text
    assert "没有明细。" in page_of(0)[1]


def test_lines_that_do_not_add_up_make_no_page_where_all_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for count, refused in ((MOST_LINES, True), (MOST_LINES + 1, False)):

        def lines(*_: object, count: int = count, **__: object) -> object:
            yield from many_lines(count)
            raise ArithmeticError("these do not add up")

        monkeypatch.setattr(module, "every_line", lines)
        if refused:
            with pytest.raises(ArithmeticError):
                statement_page(None, None, statement_seen())  # type: ignore[arg-type]
        else:
            assert statement_page(None, None, statement_seen())  # type: ignore[arg-type]


def open_statement() -> StatementView:
    window = window_seen(
        status="open", status_name="进行中", closed_at=None, closed_by_name=None, settled_at=None, seal=None
    )
    return statement_seen(
        window=window,
        confirmation=None,
        settlement=None,
        seal=None,
        seal_is_final=False,
        counterparts=[],
        disputes=[],
        moved_out=[],
    )


def test_an_open_window_says_so_and_leaves_out_what_is_not_yet() -> None:
    text = Seen(rendered(open_statement(), [])).text
    assert "2026-11（进行中）" in text
    assert "封存值： 本周期进行中，尚未封存" in text
    for absent in ("关账", "确认", "付款", "移期", "异议"):
        assert absent not in text
    assert "本周期与其他镇街没有往来。" in text
    under_review = Seen(rendered(statement_seen(seal_is_final=False, confirmation=None), [])).text
    assert "核对中，可能变动" in under_review
    assert "尚未确认" in under_review
