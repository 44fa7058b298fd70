"""Roles that may not: every operation against everybody whom it is not for, on things that exist."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.caller import Caller
from tests.api.description import Operation, describe
from tests.api.may import MAY, SIGNED_IN
from tests.api.samples import sample
from tests.api.scene import ROLES, Scene
from tests.api.whole_database import fingerprint
from tests.factories.people import XIWU, born_for_age, valid_id_number

DESCRIPTION = describe()
Doors = tuple[Flask, Scene]
QUERY: dict[str, dict[str, Any]] = {"me.explain": {"key": "a key"}}
"""What a query needs beyond its required fields."""

BOOKING = {
    "care_bookings.assign": "booked",
    "care_bookings.check_out": "checked_in",
    "care_bookings.confirm": "checked_out",
    "care_bookings.dispute": "checked_out",
    "care_bookings.decide": "disputed",
}
"""The state of the visit that the operation is tried on, where it is not assigned."""

OF_A_DRAFT = ("menus.change_item", "menus.remove_item")

GUARDED = [o for o in DESCRIPTION.operations.values() if not o.anyone]


def test_every_guarded_operation_says_here_whom_it_is_for() -> None:
    assert {o.operation_id for o in GUARDED} == set(MAY)


@pytest.mark.parametrize("operation_id", MAY)
def test_whoever_may_not_is_refused_and_changes_nothing(
    operation_id: str, still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    app, scene = still_doors
    operation = DESCRIPTION.operations[operation_id]
    may, status = MAY[operation_id]
    path: dict[str, Any] = {
        "task_id": scene.tasks[status or "open"],
        "voucher_id": scene.vouchers["issued"],
        "transfer_id": scene.transfer_id,
        "registration_id": scene.proxy_registration_id,
        "person_id": scene.person_id("volunteer"),
        "change_id": scene.change_id,
        "window": scene.reviewed_window,
        "dispute_id": scene.dispute_id,
        "payment_id": scene.payment_id,
        "break_id": scene.break_id,
        "key_id": 1,
        "proposal_id": scene.proposals["proxy" if operation_id.startswith("proxies.") else "relation"],
        "relation_id": scene.relation_id,
        "hardship_id": scene.hardship_id,
        "loss_id": scene.loss_id,
        "report_id": scene.death_report_id,
        "provider_id": scene.care_provider_id,
        "booking_id": scene.care_bookings[BOOKING.get(operation_id, "assigned")],
        "item_id": scene.aid_items["in_repair" if operation_id == "aid_items.repaired" else "free_here"],
        "canteen_id": scene.canteens["open"],
        "order_id": scene.orders["placed"],
        "round_id": scene.rounds["departed" if operation_id == "rounds.finish" else "planned"],
        "standing_order_id": scene.orders["standing"],
        "dish_id": scene.menus["dish"],
        "menu_id": scene.menus["draft"],
        "menu_item_id": scene.menus["draft_item" if operation_id in OF_A_DRAFT else "released_item"],
        "category_id": scene.diner_category_id,
        "follow_up_id": scene.follow_up_id,
        "import_id": scene.import_id,
        "reconciliation_id": scene.reconciliation_id,
        "claim_id": scene.claims.claim_id if scene.claims else None,
        "donation_id": scene.claims.donation_id if scene.claims else None,
        "number": 1,
        "name": "beijing",
        "policy_key": "volunteer_min_age",
        "loan_id": scene.aid_loans["reserved" if operation_id in ("aid_loans.lend", "aid_loans.cancel") else "lent"],
    }
    if operation_id.startswith("diners."):
        path["person_id"] = scene.diners["waiting" if operation_id == "diners.review" else "approved"]
    if operation_id.startswith("ratings."):
        path["order_id"] = scene.rated_order_id
    path = {p["name"]: path[p["name"]] for p in operation.parameters("path")}
    query = {
        p["name"]: sample(operation, p["schema"], p["name"]) for p in operation.parameters("query") if p["required"]
    }
    query |= QUERY.get(operation_id, {})
    if operation_id in ("dishes.list", "menus.import") or operation_id.startswith("kitchen."):
        query["canteen_id"] = str(scene.canteens["clerks"])
    if operation_id.startswith("care_bills."):
        query["provider_id"] = str(scene.care_provider_id)
    body = {**sample(operation, operation.body), **_real(scene, operation_id)} if operation.body is not None else None
    file = _file(operation)
    before = fingerprint(app.extensions["timebank_database"])
    for who in sorted(SIGNED_IN - may):
        problem = still_callers[who].refused(operation_id, body, query=query, **file, **path)
        assert problem["status"] in (403, 404, 409), (who, problem)
        assert problem["code"] != "not_found", (who, problem)
    assert fingerprint(app.extensions["timebank_database"]) == before


def _file(operation: Operation) -> dict[str, Any]:
    """A body of the right kind, where the operation takes a file."""
    return {"data": b"whatever", "content_type": operation.file[0]} if operation.file is not None else {}


def _real(scene: Scene, operation_id: str) -> dict[str, Any]:
    """What must exist or hold, so that nothing but the role is in the way."""
    pair = {"volunteer_id": str(scene.person_id("volunteer")), "elder_id": str(scene.person_id("elder"))}
    if operation_id in ("auth.register", "people.enrol"):
        return {"id_number": valid_id_number(born_for_age(70)), "phone": "13912345678", "township_code": XIWU}
    if operation_id == "people.register_proxy":
        return {"elder_id": pair["elder_id"], "proxy_id": str(scene.person_id("stranger"))}
    if operation_id == "family.register":
        return {"person_id": pair["elder_id"], "relative_id": pair["volunteer_id"]}
    if operation_id in ("hardship.request", "deaths.report", "purses.pay_out_estate"):
        return {"person_id": pair["elder_id"]}
    if operation_id in ("rounds.deliver", "rounds.undelivered"):
        return {"order_id": str(scene.rounds["order_away"])}
    if operation_id in ("dishes.enter", "menus.draft", "menus.copy", "rounds.plan", "kitchen.cooked"):
        return {"canteen_id": str(scene.canteens["clerks"])}
    if operation_id == "aid_items.enter":
        return {"kind": "wheelchair", "home_township_code": XIWU}
    if operation_id == "care_providers.enter":
        return {"services": ["bathing"], "townships": [XIWU]}
    if operation_id in ("orders.price", "orders.place", "standing_orders.set"):
        return {"canteen_id": str(scene.canteens["clerks"]), "for_person_id": pair["elder_id"]}
    if operation_id == "diners.apply":
        return {"person_id": pair["elder_id"]}
    if operation_id == "care_bookings.book":
        return {"for_person_id": pair["elder_id"], "minutes": 60, "evidence": "电话记录"}
    if operation_id == "aid_loans.reserve":
        return {"item_id": str(scene.aid_items["free"]), "for_person_id": pair["elder_id"], "evidence": "电话确认"}
    if operation_id in ("vouchers.sheet", "vouchers.reissue"):
        return {"voucher_ids": [str(scene.vouchers["issued"])]}
    if operation_id == "clearing.dispute_line":
        return {"transfer_id": str(scene.disputed_line)}
    if operation_id in ("subsidy_claims.compute", "meal_donations.receive", "produce.receive"):
        return {"canteen_id": str(scene.canteens["open"])}
    if operation_id == "tills.hand_in":
        return {"canteen_id": str(scene.canteens["clerks"])}
    if operation_id == "meal_counter.correct":
        return {"order_id": str(scene.orders["placed"])}
    if operation_id == "tasks.request":
        return {"elder_id": pair["elder_id"]}
    if operation_id == "tasks.record":
        return {**pair, "started_at": "2026-01-05T09:00:00+08:00", "ended_at": "2026-01-05T10:00:00+08:00"}
    return {}


@pytest.mark.parametrize("who", ["volunteer", "stranger", "proxy"])
def test_nobody_spends_or_sees_what_is_anothers(who: str, still_callers: dict[str, Caller], still_doors: Doors) -> None:
    scene = still_doors[1]
    other = {"volunteer": "stranger", "stranger": "volunteer", "proxy": "volunteer"}[who]
    caller, holder = still_callers[who], str(scene.person_id(other))
    assert caller.refused("vouchers.buy", {"quantity": 1, "for_person_id": holder})["code"] == "not_your_elder"
    assert caller.refused("vouchers.list", query={"for_person_id": holder})["code"] == "not_your_elder"
    if who != "volunteer":
        unknown = caller.refused("vouchers.refund", voucher_id=scene.vouchers["issued"])
        assert (unknown["status"], unknown["code"]) == (404, "voucher_unknown")


def test_a_steward_finds_nobody_of_another_township(still_callers: dict[str, Caller], still_doors: Doors) -> None:
    number = valid_id_number(born_for_age(64))
    form = {"name": "邬国民", "id_number": number, "township_code": XIWU, "roles": ["volunteer"]}
    person = still_callers["steward_xiwu"].ok("people.enrol", form)
    assert still_callers["steward_shangtian"].refused("people.find", query={"id_number": number})["status"] == 404
    for who in ("steward_xiwu", "district"):
        assert still_callers[who].ok("people.find", query={"id_number": number})["person_id"] == person["person_id"]


@pytest.mark.parametrize("who", ROLES)
def test_what_does_not_exist_is_refused_to_everybody(
    who: str, still_callers: dict[str, Caller], still_doors: Doors
) -> None:
    bank = still_doors[0].extensions["timebank_database"]
    before = fingerprint(bank)
    for operation in GUARDED:
        if operation.parameters("path"):
            body = sample(operation, operation.body) if operation.body is not None else None
            problem = still_callers[who].refused(operation.operation_id, body, **_file(operation))
            assert problem["status"] in (403, 404), problem
    assert fingerprint(bank) == before
