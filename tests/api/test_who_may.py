"""Roles that may not: every operation against everybody whom it is not for, on things that exist."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.api.caller import Caller
from tests.api.description import Operation, describe
from tests.api.samples import sample
from tests.api.scene import ROLES, Scene
from tests.api.whole_database import fingerprint
from tests.factories.people import XIWU, born_for_age, valid_id_number

DESCRIPTION = describe()
Doors = tuple[Flask, Scene]
REGISTERED = {"volunteer", "elder", "proxy", "stranger"}
SIGNED_IN = set(ROLES)
STEWARDS = {"district", "district_2", "steward_xiwu", "steward_shangtian"}
DISTRICT = {"district", "district_2"}
OF_XIWU = DISTRICT | {"steward_xiwu"}
BOOKS = STEWARDS | {"auditor"}

MAY: dict[str, tuple[set[str], str]] = {
    "auth.register": ({"fresh"}, ""),
    "me.show": (REGISTERED, ""),
    "me.balance": (REGISTERED, ""),
    "me.statement": (REGISTERED, ""),
    "people.enrol": (OF_XIWU, ""),
    "people.find": (STEWARDS, ""),
    "people.register_proxy": (OF_XIWU, ""),
    "people.end_proxy": (OF_XIWU, ""),
    "people.move": ({"steward_shangtian", *DISTRICT}, ""),
    "policies.changes": (BOOKS, ""),
    "policies.propose": (DISTRICT, ""),
    "policies.approve": (DISTRICT, ""),
    "tasks.request": ({"elder", "proxy", *OF_XIWU}, ""),
    "tasks.list": (SIGNED_IN, ""),
    # 尚田's steward sees the tasks of 尚田 only, wherever its volunteers go.
    "tasks.show": ({"volunteer", "elder", "proxy", "auditor", *OF_XIWU}, "accepted"),
    "tasks.accept": (REGISTERED, "open"),
    "tasks.cancel": ({"elder", "proxy", "volunteer", *OF_XIWU}, "accepted"),
    "tasks.check_in": ({"volunteer"}, "accepted"),
    "tasks.check_out": ({"proxy"}, "checked_in"),
    "tasks.confirm": ({"elder", "proxy"}, "checked_out"),
    "tasks.dispute": ({"elder", "proxy", "volunteer", *OF_XIWU}, "checked_out"),
    "tasks.rule": (OF_XIWU, "disputed"),
    "tasks.record": (STEWARDS, ""),
    "tasks.approve_record": (STEWARDS, "recorded"),
    "tasks.reject_record": (STEWARDS, "recorded"),
    "vouchers.buy": (REGISTERED, ""),
    "vouchers.list": (REGISTERED, ""),
    "vouchers.qr": ({"volunteer"}, ""),
    "vouchers.refund": ({"volunteer", "steward_shangtian", *DISTRICT}, ""),
    "vouchers.redeem": ({"clerk"}, ""),
    "vouchers.redeem_batch": ({"clerk"}, ""),
    "clearing.positions": (BOOKS, ""),
    "clearing.matrix": (BOOKS, ""),
    "clearing.lines": (BOOKS, ""),
    "clearing.windows": (BOOKS, ""),
    "clearing.window": (BOOKS, ""),
    "clearing.close_window": (DISTRICT, ""),
    "clearing.statement": (BOOKS, ""),
    "clearing.statement_workbook": (BOOKS, ""),
    "clearing.statement_page": (BOOKS, ""),
    "clearing.reconcile": (STEWARDS, ""),
    "clearing.reconciliations": (BOOKS, ""),
    "clearing.breaks": (BOOKS, ""),
    "clearing.cure_break": ({"steward_shangtian", *DISTRICT}, ""),
    "clearing.confirm": ({"steward_shangtian", *DISTRICT}, ""),
    "clearing.dispute_line": ({"steward_shangtian"}, ""),
    "clearing.disputes": (BOOKS, ""),
    "clearing.rule_dispute": (DISTRICT, ""),
    "clearing.settle": (DISTRICT, ""),
    "clearing.abort_settlement": (DISTRICT, ""),
    "clearing.payments": (BOOKS, ""),
    "clearing.payment_paid": (DISTRICT, ""),
    "clearing.payment_failed": (DISTRICT, ""),
    "clearing.instruct_again": (DISTRICT, ""),
    "clearing.grant_override": (DISTRICT, ""),
    "clearing.overrides": (BOOKS, ""),
    "clearing.guarantee_calls": (BOOKS, ""),
    "ledger.trial_balance": (BOOKS, ""),
    "ledger.reverse": (STEWARDS, ""),
    "notices.list": (REGISTERED | STEWARDS, ""),
}
"""Who may, and the status of the task that the operation is tried on."""

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
    }
    path = {p["name"]: path[p["name"]] for p in operation.parameters("path")}
    query = {
        p["name"]: sample(operation, p["schema"], p["name"]) for p in operation.parameters("query") if p["required"]
    }
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
    if operation_id == "clearing.dispute_line":
        return {"transfer_id": str(scene.disputed_line)}
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
