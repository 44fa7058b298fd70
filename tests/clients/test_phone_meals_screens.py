"""Every screen about meals at every width: within the terminal, nothing cut, and nothing that is not Chinese."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from rich.cells import cell_len

from tests.clients.meal_answers import ONE_ORDER, ORDER, PURSE_LINE, meals
from tests.clients.shown import Phone, listed
from tests.clients.test_phone_screens import WIDTHS, english

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

SCREENS = [
    ("canteens",),
    ("menu",),
    ("price", "1", "2"),
    ("order", "2", "--yes"),
    ("orders",),
    ("show", "1"),
    ("change", "1", "--way", "自取"),
    ("cancel", "1"),
    ("standing",),
    ("standing", "set", "--meal", "午餐", "--weekdays", "每天"),
    ("standing", "pause", "1", "--from", "明天", "--until", "后天"),
    ("standing", "end", "1"),
    ("apply", "--diet", "软食"),
    ("file",),
    ("update", "--diet", "软食"),
    ("purse",),
    ("purse", "--lines"),
    ("rate", "1", "--stars", "5"),
    ("ratings",),
    ("show", "没有这份"),
]


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("words", SCREENS, ids=" ".join)
def test_a_screen_about_meals_fits_and_is_chinese(
    of_wang: Phone, bank: ScriptedBank, monkeypatch: pytest.MonkeyPatch, columns: str, words: tuple[str, ...]
) -> None:
    meals(bank)
    monkeypatch.setenv("COLUMNS", columns)
    for listing in ("menu", "orders", "standing"):
        of_wang("meal", listing)
    lines = of_wang("meal", *words).output.splitlines()
    assert max(cell_len(line) for line in lines) <= int(columns)
    # A panel fills the width, so that a narrower one would be a mistake in counting.
    assert {cell_len(line) for line in lines if line.startswith(("┃", "┏"))} == {int(columns)}
    joined = " ".join(line.strip("┃ ") for line in lines)
    assert "…" not in joined
    assert english(joined.replace("AA 级", "")) == []


@pytest.mark.parametrize("columns", WIDTHS)
def test_a_pickup_number_and_a_handover_code_stand_alone(
    of_wang: Phone, bank: ScriptedBank, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    meals(bank)
    monkeypatch.setenv("COLUMNS", columns)
    of_wang("meal", "orders")
    assert "┃ 交接码：1 5 2 2 ┃" in " ".join(of_wang("meal", "show", "1").output.split())
    bank.on("GET", ONE_ORDER, bank.reply(200, ORDER | {"way": "eat_in"}))
    assert "┃ 取餐号：12 ┃" in " ".join(of_wang("meal", "show", "1").output.split())


@pytest.mark.parametrize("columns", ["60", "64", "72", "80", "88", "100"])
def test_no_amount_is_torn_apart_in_a_table(
    of_wang: Phone, bank: ScriptedBank, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    meals(bank)
    monkeypatch.setenv("COLUMNS", columns)
    sentences = [f"{'年' * length}午餐订了没有来取，按规定收取1234.50元。" for length in range(0, 30, 2)]
    listed(bank, "/purses/statement", *(PURSE_LINE | {"sentence": one} for one in sentences))
    assert of_wang("meal", "purse", "--lines").output.count("1234.50") == len(sentences)
