"""How the phone breaks Chinese text into lines."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from clients.miniprogram.terminal.lines import folded


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("时长已经退回。", 12, ["时长已经退", "回。"]),
        ("请在11月24日归还", 9, ["请在11月", "24日归还"]),
        ("见（周小敏）", 5, ["见", "（周", "小", "敏）"]),
        ("看 timebank phone", 10, ["看", "timebank", "phone"]),
        ("一\n二三", 4, ["一", "二三"]),
        ("abcdefgh", 4, ["abcdefgh"]),
        ("", 4, [""]),
    ],
)
def test_a_line_breaks_where_a_reader_expects_it(text: str, width: int, lines: list[str]) -> None:
    assert folded(text, width).split("\n") == lines


@given(st.lists(st.sampled_from(["你", "好", "（王）", "，", "。", "ab1", "2026"]), max_size=40), st.integers(12, 40))
def test_nothing_is_lost_and_no_mark_begins_a_line(pieces: list[str], width: int) -> None:
    text = "您" + "".join(pieces)
    lines = folded(text, width).split("\n")
    assert "".join(lines) == text
    assert not any(line.startswith(("，", "。", "）")) for line in lines)
    # What is wider holds one piece alone, which the screen then folds where it must.
    assert all(cell_len(line) <= width or re.fullmatch(r"（?\w+[，。）]*", line) for line in lines)
