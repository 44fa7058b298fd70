"""All pages, put on the application."""

from __future__ import annotations

from flask import Flask

from app.web import entrance
from app.web.assets import register_assets
from app.web.browser import register_browser
from app.web.counter.rooms import ROOMS
from app.web.desk import rooms as desk
from app.web.phone import (
    account,
    aids,
    ask,
    care,
    coupons,
    diner,
    family,
    giving,
    help,
    help_steps,
    meals,
    ordering,
    orders,
    rounds,
    standing,
)
from app.web.provider import bills, visits

_DOORS = (
    entrance.doors,
    account.doors,
    aids.doors,
    ask.doors,
    care.doors,
    coupons.doors,
    diner.doors,
    family.doors,
    giving.doors,
    help.doors,
    help_steps.doors,
    meals.doors,
    ordering.doors,
    orders.doors,
    rounds.doors,
    standing.doors,
    bills.doors,
    visits.doors,
    *desk.ROOMS,
)


def register_pages(app: Flask, *, development: bool) -> None:
    """Pages, their assets and the browser's cookie."""
    app.extensions["timebank_development"] = development
    register_browser(app, development=development)
    register_assets(app)
    for doors in (*_DOORS, *ROOMS):
        # The doors of the API have names of their own, and some nouns are both.
        app.register_blueprint(doors, name=f"page_{doors.name}")
