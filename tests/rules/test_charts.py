"""How charts and the map are laid out: in proportion, within their picture, and told apart without colours."""

from __future__ import annotations

from datetime import date
from math import hypot

import pytest

from app.web.charts.canteen_map import Place, canteen_map
from app.web.charts.drawing import FILLS, Box, Circle, Drawing, Words, svg, width_of
from app.web.charts.rows import NARROW_PX, NOTHING_YET, Chart, Row, bars, columns, step_of
from timebank.core.amounts import hours_text, yuan_text
from timebank.supervision.figures.rules import FIGURES, month_name, months_before, next_month, percent_of

MONTHS = [Row(f"{number}月", [number * 600, number * 300]) for number in range(1, 14)]


def a_chart(
    rows: list[Row], *, series: tuple[str, ...] = ("存入", "兑换"), mark: tuple[int, str] | None = None
) -> Chart:
    return Chart("时长", series, rows, hours_text, lambda minutes: str(minutes // 60), mark=mark, base=60)


def boxes(drawing: Drawing) -> list[Box]:
    """The boxes of values, without those of the legend."""
    return [one for one in drawing.shapes if isinstance(one, Box) and one.fill in FILLS and one.height != 18]


def must_stay_inside(drawing: Drawing) -> None:
    for one in drawing.shapes:
        if isinstance(one, Words):
            left = one.x - width_of(one.said, one.size) * {"start": 0, "middle": 0.5, "end": 1}[one.anchor]
            assert left >= -1, one
            assert left + width_of(one.said, one.size) <= drawing.width + 1, one
            assert one.size >= 18
        if isinstance(one, Box):
            assert 0 <= one.x <= one.x + one.width <= drawing.width + 1, one


@pytest.mark.parametrize(
    ("highest", "step"), [(1, 1), (4, 1), (5, 2), (9, 5), (21, 10), (390, 100), (401, 200), (320_400, 100_000)]
)
def test_a_scale_goes_in_round_steps_of_which_about_four_reach_the_top(highest: int, step: int) -> None:
    assert step_of(highest) == step


def test_columns_are_as_high_as_their_values_and_told_apart_by_their_fill() -> None:
    drawing = columns(a_chart(MONTHS))
    must_stay_inside(drawing)
    drawn = boxes(drawing)
    first, second = drawn[0::2], drawn[1::2]
    assert [round(one.height / first[0].height) for one in first] == list(range(1, 14))
    assert all(abs(a.height - 2 * b.height) < 0.01 for a, b in zip(first, second, strict=True))
    assert {one.fill for one in first} != {one.fill for one in second}


@pytest.mark.parametrize("narrow", [False, True])
def test_bars_are_as_long_as_their_values_and_nothing_leaves_the_picture(narrow: bool) -> None:
    rows = [Row("萧王庙街道", [85], "接近硬限额"), Row("大堰镇", [170], "已到硬限额"), Row("西坞街道", [0])]
    chart = Chart("限额", ("已用",), rows, lambda n: f"{n}%", str, mark=(100, "硬限额"))
    drawing = bars(chart, narrow=narrow)
    must_stay_inside(drawing)
    short, long = boxes(drawing)
    assert abs(long.width - 2 * short.width) < 0.01
    said = " ".join(one.said for one in drawing.shapes if isinstance(one, Words))
    assert "85%" in said
    assert "接近硬限额" in said
    assert "0%" in said


def test_what_is_said_beside_a_bar_never_lies_on_it() -> None:
    rows = [Row("老人付一点", [17_787_682], "63.0%"), Row("政府补一点", [6_367_203], "22.5%")]
    drawing = bars(Chart("餐费", ("餐费",), rows, yuan_text, yuan_text))
    must_stay_inside(drawing)
    said = [one for one in drawing.shapes if isinstance(one, Words) and "元" in one.said]
    assert all(words.x > box.x + box.width for words, box in zip(said, boxes(drawing), strict=True))


def test_numbers_of_many_canteens_stand_beside_small_dots_so_that_circles_are_seen() -> None:
    places = [Place(number, 29.45 + number * 0.004, 121.3, 1005) for number in range(1, 97)]
    circles = [one for one in canteen_map("地图", places).shapes if isinstance(one, Circle)]
    reach = [one for one in circles if one.opacity < 1]
    dots = [one for one in circles if one.opacity == 1]
    assert (len(reach), len(dots)) == (96, 96)
    assert max(dot.radius for dot in dots) < min(one.radius for one in reach)


@pytest.mark.parametrize("draw", [columns, bars])
def test_what_is_negative_or_nothing_is_no_bar(draw: object) -> None:
    chart = a_chart([Row("11月", [-60, 0])])
    drawing = draw(chart)  # type: ignore[operator]
    assert boxes(drawing) == []
    if draw is columns:
        assert NOTHING_YET in [one.said for one in drawing.shapes if isinstance(one, Words)]


def test_months_below_one_another_fit_a_phone() -> None:
    drawing = bars(a_chart(MONTHS), narrow=True)
    assert drawing.width == NARROW_PX
    must_stay_inside(drawing)


def test_a_picture_is_written_without_style_or_script_and_what_is_said_stays_words() -> None:
    written = svg(bars(a_chart([Row("<b>&\"'", [60, 0])])))
    assert "<b>" not in written
    assert "&lt;b&gt;&amp;" in written
    for forbidden in ("style", "script", "href", "onload"):
        assert forbidden not in written
    assert "<title>时长</title>" in written


@pytest.mark.parametrize("narrow", [False, True])
def test_a_circle_of_the_map_is_as_wide_as_its_walk(narrow: bool) -> None:
    places = [Place(1, 29.70, 121.47, 1005), Place(2, 29.60, 121.47, 1005), Place(3, 29.65, 121.40, 0)]
    drawing = canteen_map("地图", places, narrow=narrow)
    reach = [one for one in drawing.shapes if isinstance(one, Circle) and one.opacity < 1]
    assert len(reach) == 2
    apart_px = hypot(reach[0].x - reach[1].x, reach[0].y - reach[1].y)
    assert reach[0].y < reach[1].y
    assert abs(apart_px / reach[0].radius - 0.1 * 111_195 / 1005) < 0.01
    for one in reach:
        assert one.radius <= one.x <= drawing.width - one.radius
        assert one.radius <= one.y <= drawing.height - one.radius
    numbers = [one.said for one in drawing.shapes if isinstance(one, Words) and one.said.isdigit()]
    assert numbers == ["1", "2", "3"]


def test_a_map_of_one_canteen_and_of_none_can_be_drawn() -> None:
    assert any(isinstance(one, Circle) for one in canteen_map("地图", [Place(1, 29.7, 121.4, 0)]).shapes)
    assert not any(isinstance(one, Circle) for one in canteen_map("地图", []).shapes)


def test_months_follow_one_another_over_the_years() -> None:
    assert months_before(date(2026, 1, 1), 1) == date(2025, 12, 1)
    assert next_month(date(2025, 12, 1)) == date(2026, 1, 1)
    assert months_before(date(2026, 11, 1), 12) == date(2025, 11, 1)
    assert month_name(date(2026, 3, 1)) == "2026-03"


@pytest.mark.parametrize(
    ("owed", "limit", "percent"),
    [(-60, 100, 0), (0, 0, 0), (1, 0, 100), (799, 1000, 79), (800, 1000, 80), (50, 25, 200)],
)
def test_how_much_of_a_limit_is_used_is_rounded_down(owed: int, limit: int, percent: int) -> None:
    assert percent_of(owed, limit) == percent


def test_every_figure_has_a_name_a_unit_and_says_how_it_is_reckoned() -> None:
    for figure in FIGURES.values():
        assert figure.label
        assert figure.how
        assert figure.unit in ("minute", "fen", "count")
        assert bool(figure.counted) == (figure.unit == "count")
        assert figure.key.endswith("_minutes") == (figure.unit == "minute")
        assert figure.key.endswith("_fen") == (figure.unit == "fen")
    assert len({figure.label for figure in FIGURES.values()}) == len(FIGURES)
