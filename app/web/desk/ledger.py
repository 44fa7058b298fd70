"""The whole ledger at a glance: both sides of the trial balance are equal."""

from __future__ import annotations

from flask import Blueprint, Response

from app.web.asking import Asker
from app.web.desk.lists import asked, township_names
from app.web.doors import page
from app.web.screens import screen

doors = Blueprint("desk_ledger", __name__)


@page(doors, "/desk/ledger", who="desk")
def trial_balance(ask: Asker) -> Response:
    found = ask.read("ledger.trial_balance", asked("unit"))
    return screen("desk/ledger.html", ask.actor, trial=found, townships=township_names(ask))
