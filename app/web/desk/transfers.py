"""Any transfer to its cause and back: its lines, what undid it, its seal; and undoing it, by two."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response

from app.web.asking import Asker, Refusal
from app.web.doors import form_key, page
from app.web.lists import listed
from app.web.screens import filled, screen
from app.web.steps import after

doors = Blueprint("desk_transfers", __name__)

TRANSFER = "/desk/ledger/transfers/<uuid:transfer_id>"

_ROOMS = {
    "task": "/desk/services/{id}",
    "order": "/desk/orders/{id}",
    "care_booking": "/desk/care/{id}",
    "aid_loan": "/desk/aids/loans/{id}",
    "claim": "/desk/claims/{id}",
    "canteen": "/desk/canteens/{id}",
    "meal_donation": "/desk/gifts/money/{id}",
    "hardship": "/desk/hardship/{id}",
    "window": "/desk/clearing/windows/{id}",
}
_OF_SOMEBODY = {
    "voucher": "/desk/people/{person}/why?voucher_id={id}",
    "person": "/desk/people/{person}",
}
"""Where a cause is looked at; the second kind by way of the person whose it is."""


@page(doors, TRANSFER, who="desk")
def transfer(ask: Asker, transfer_id: UUID) -> Response:
    found = ask.read("transfers.show", transfer_id=transfer_id)
    cause = found["cause"]
    others = ask.everything("transfers.list", {"cause_id": cause["cause_id"]}, most=50) if cause else []
    return screen(
        "desk/transfer.html",
        ask.actor,
        found=found,
        others=[one for one in others if one["transfer_id"] != found["movement"]["transfer_id"]],
        cause_path=_path_of(cause),
    )


@page(doors, "/desk/ledger/of/<uuid:cause_id>", who="desk")
def of_cause(ask: Asker, cause_id: UUID) -> Response:
    return screen("desk/transfers.html", ask.actor, **listed(ask, "transfers.list", {"cause_id": str(cause_id)}))


@page(doors, f"{TRANSFER}/reverse", who="desk")
def reverse_form(ask: Asker, transfer_id: UUID) -> Response:
    return _reverse_form(ask, transfer_id)


@page(doors, f"{TRANSFER}/reverse", who="desk", method="POST")
def reverse(ask: Asker, transfer_id: UUID) -> Response:
    answer = ask.write("ledger.reverse", filled(), key=form_key(), transfer_id=transfer_id)
    waits = isinstance(answer, dict) and answer["status"] == "awaiting_second_person"
    words = "已申请冲正，等另一位管理员批准；账还没有动" if waits else "已冲正"
    return after(answer, words, f"/desk/ledger/transfers/{transfer_id}", lambda no: _reverse_form(ask, transfer_id, no))


def _reverse_form(ask: Asker, transfer_id: UUID, refusal: Refusal | None = None) -> Response:
    found = ask.read("transfers.show", transfer_id=transfer_id)
    return screen("desk/reverse.html", ask.actor, refusal=refusal, found=found)


def _path_of(cause: dict[str, Any] | None) -> str | None:
    """Where the asker can look at a cause; None where there is nothing more to see, or it is another township's."""
    if cause is None or cause["subject"] is None:
        return None
    if cause["subject"] in _OF_SOMEBODY:
        known = cause["person_id"] is not None
        return (
            _OF_SOMEBODY[cause["subject"]].format(person=cause["person_id"], id=cause["subject_id"]) if known else None
        )
    return _ROOMS[cause["subject"]].format(id=cause["subject_id"])
