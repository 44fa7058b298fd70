"""Charts as pictures of their own; the page that shows one has its figures in a table beside it."""

from __future__ import annotations

from flask import Blueprint, Response, request

from app.web.asking import Asker
from app.web.charts.drawing import picture
from app.web.charts.rows import Chart, bars, columns
from app.web.desk import figure_words as words
from app.web.doors import page

doors = Blueprint("desk_charts", __name__)


@page(doors, "/desk/charts/minutes.svg", who="desk")
def minutes(ask: Asker) -> Response:
    return _over_months(words.minutes_chart(_dashboard(ask)))


@page(doors, "/desk/charts/redemptions.svg", who="desk")
def redemptions(ask: Asker) -> Response:
    return _over_months(words.redemptions_chart(_dashboard(ask)))


@page(doors, "/desk/charts/limits.svg", who="desk")
def limits(ask: Asker) -> Response:
    return picture(bars(words.limits_chart(_dashboard(ask)), narrow=is_narrow()))


@page(doors, "/desk/charts/shares.svg", who="desk")
def shares(ask: Asker) -> Response:
    said = _bulletin(ask)
    amounts = {line["key"]: line["amount"] for line in said["lines"]}
    chart = words.shares_chart(words.whose_name(said), said["month"], amounts)
    return picture(bars(chart, narrow=is_narrow()))


@page(doors, "/desk/charts/townships.svg", who="desk")
def townships(ask: Asker) -> Response:
    return picture(bars(words.townships_chart(_bulletin(ask)), narrow=is_narrow()))


def is_narrow() -> bool:
    """Whether the picture is for a phone."""
    return request.args.get("narrow") == "1"


def _over_months(chart: Chart) -> Response:
    return picture(bars(chart, narrow=True) if is_narrow() else columns(chart))


def _dashboard(ask: Asker) -> words.Answer:
    found: words.Answer = ask.read("figures.dashboard", words.whose_asked(ask))
    return found


def _bulletin(ask: Asker) -> words.Answer:
    asked = {**words.whose_asked(ask), "month": request.args.get("month", "")}
    found: words.Answer = ask.read("bulletins.show", asked)
    return found
