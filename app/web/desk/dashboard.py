"""The dashboard 数据看板: what a duty officer asks on one page, with charts and the figures under them."""

from __future__ import annotations

from flask import Blueprint, Response

from app.web.asking import Asker
from app.web.desk import figure_words as words
from app.web.doors import page
from app.web.lists import township_names
from app.web.screens import screen
from timebank.supervision.figures.rules import FIGURES, SHARE_KEYS, SPENT_KEYS

doors = Blueprint("desk_dashboard", __name__)

_ADDRESSES = {
    "records": "/desk/services?status=recorded",
    "disputes": "/desk/services?status=disputed",
    "line_disputes": "/desk/clearing/disputes?unruled=true",
    "reversals": "/desk/ledger",
    "diners": "/desk/diners?state=applied",
    "canteens": "/desk/canteens?state=applied",
    "claims": "/desk/claims",
    "findings": "/desk/claims",
    "hardship": "/desk/hardship?status=waiting",
    "deaths": "/desk/deaths?open=true",
    "breaks": "/desk/clearing/breaks",
}
"""Where one goes to decide what waits."""

_TILES = (
    *("elders", "volunteers", "diners", "canteens_open", "earned_minutes", "held_minutes"),
    *("meals", "visits"),
)
"""What stands at the top, beside the month before."""

_WINDOWS_SHOWN = 4


@page(doors, "/desk/dashboard", who="desk")
def dashboard(ask: Asker) -> Response:
    whose = words.whose_asked(ask)
    said = ask.read("figures.dashboard", whose)
    *_, before, running = said["months"]
    return screen(
        "desk/dashboard.html",
        ask.actor,
        said=said,
        asked=whose,
        whose=words.whose_name(said),
        tiles=[_tile(key, running, before) for key in _TILES],
        months=list(reversed(said["months"])),
        waiting=[(one["label"], one["number"], _ADDRESSES[one["key"]]) for one in said["waiting"]],
        windows=ask.read("clearing.windows", {"limit": _WINDOWS_SHOWN})["items"],
        townships=township_names(ask),
        spent_keys=SPENT_KEYS,
        share_keys=SHARE_KEYS,
        figures=FIGURES,
        words=words,
    )


def _tile(key: str, running: words.Answer, before: words.Answer) -> tuple[str, str, str]:
    """A figure's name, the running month's amount, and that of the month before, in words."""
    figure = FIGURES[key]
    now, then = (words.figure_said(figure.unit, words.stood(month, key), figure.counted) for month in (running, before))
    return figure.label, now, then
