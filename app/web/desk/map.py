"""The map of canteens at the desk: where they are, how far one walks, and how many people live too far away."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from app.web.asking import Asker
from app.web.charts.canteen_map import Place, canteen_map
from app.web.charts.drawing import picture
from app.web.desk import figure_words as words
from app.web.desk.charts import is_narrow
from app.web.doors import page
from app.web.lists import township_names
from app.web.screens import screen

doors = Blueprint("desk_map", __name__)

_SUMS = ("people", "within", "beyond", "without_place")


@page(doors, "/desk/map", who="desk")
def map_(ask: Asker) -> Response:
    whose = words.whose_asked(ask)
    said = ask.read("figures.reach", whose)
    placed, unplaced = _numbered(said)
    return screen(
        "desk/map.html",
        ask.actor,
        said=said,
        asked=whose,
        whose=words.whose_name(said),
        title=_title(said),
        placed=placed,
        unplaced=unplaced,
        total={name: sum(area[name] for area in said["areas"]) for name in _SUMS},
        townships=township_names(ask),
    )


@page(doors, "/desk/charts/map.svg", who="desk")
def map_picture(ask: Asker) -> Response:
    said = ask.read("figures.reach", words.whose_asked(ask))
    places = [Place(number, one["latitude"], one["longitude"], one["radius_m"]) for number, one in _numbered(said)[0]]
    return picture(canteen_map(_title(said), places, narrow=is_narrow()))


def _numbered(said: words.Answer) -> tuple[list[tuple[int, Any]], list[Any]]:
    """Canteens on the map by the number that they have there, and those whose place nobody has entered."""
    placed = [one for one in said["canteens"] if one["latitude"] is not None]
    unplaced = [one for one in said["canteens"] if one["latitude"] is None]
    return list(enumerate(placed, start=1)), unplaced


def _title(said: words.Answer) -> str:
    return f"{words.whose_name(said)}助餐点步行{said['map_minutes']}分钟范围"
