"""Every operation once through HTTP, each answer held against the OpenAPI document (see ``Caller``)."""

from __future__ import annotations

from datetime import timedelta

from app.api.clearing.reconciliation_routes import WORKBOOK
from tests.api.caller import Caller
from tests.api.description import Description
from tests.api.scene import Scene
from tests.api.walk_aids import borrow_aids
from tests.api.walk_canteens import open_a_canteen
from tests.api.walk_care import receive_care
from tests.api.walk_delivery import carry_meals
from tests.api.walk_diners import become_diners
from tests.api.walk_estates import inherit_a_purse
from tests.api.walk_exports import take_lists_out
from tests.api.walk_figures import read_the_figures
from tests.api.walk_giving import give_within_the_family
from tests.api.walk_imports import import_workbooks
from tests.api.walk_leaving import settle_accounts
from tests.api.walk_meal_counter import work_at_the_counter
from tests.api.walk_menus import write_menus
from tests.api.walk_offline import work_without_a_line
from tests.api.walk_orders import order_meals
from tests.api.walk_ratings import say_what_one_thinks
from tests.api.walk_subsidies import settle_last_month
from tests.api.walk_tracing import look_things_up
from tests.api.walk_vouchers import live_with_vouchers
from tests.api.walk_why import ask_why
from tests.doors import SignIn
from tests.factories.lists import workbook
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, born_for_age, valid_id_number
from timebank.core import clock
from timebank.core.db import Database


def test_help_given_in_one_township_is_eaten_in_another(scene: Scene, sign_in: SignIn) -> None:
    elder, volunteer, clerk, auditor = map(sign_in, ("elder", "volunteer", "clerk", "auditor"))
    before = volunteer.ok("me.balance")
    start = clock.now() + timedelta(minutes=1)
    wanted = {"service_type": "companionship", "starts_at": start.isoformat(), "minutes": 60}
    task = elder.ok("tasks.request", wanted)
    assert (task["status"], task["township_code"], task["minutes"]) == ("open", XIWU, 60)
    path = {"task_id": task["task_id"]}
    assert volunteer.ok("tasks.accept", **path)["status"] == "accepted"
    assert volunteer.ok("tasks.check_in", {"service_code": task["service_code"]}, **path)["status"] == "checked_in"
    volunteer.ok("dev.set_clock", {"now": (clock.now() + timedelta(minutes=60)).isoformat()})
    assert volunteer.ok("tasks.check_out", **path)["status"] == "checked_out"
    confirmed = elder.ok("tasks.confirm", {"rating": 5, "comment": "很好"}, **path)
    assert (confirmed["status"], confirmed["payable_minutes"]) == ("confirmed", 60)
    after = volunteer.ok("me.balance")
    assert after["available_minutes"] - before["available_minutes"] == 60
    line = volunteer.ok("me.statement", query={"limit": 1})["items"][0]
    assert (line["minutes"], line["balance_minutes"], line["counterpart_township_code"]) == (
        60,
        after["savings_minutes"],
        XIWU,
    )
    bought = volunteer.ok("vouchers.buy", {"quantity": 1})["items"][0]
    assert (bought["status"], bought["price_minutes"]) == ("issued", 60)
    scan = {"code": bought["code"], "nonce": "n-1"}
    first = clerk.ok("vouchers.redeem", scan)
    assert (first["result"], first["holder_name"]) == ("accepted", "林志远")
    assert clerk.ok("vouchers.redeem", scan) == first
    again = clerk.ok("vouchers.redeem", {**scan, "nonce": "n-2"})
    assert (again["result"], again["reason"], again["redeemed_at"]) == (
        "refused",
        "already_redeemed",
        first["redeemed_at"],
    )
    standing = auditor.ok("clearing.positions", query={"window": "all"})
    owed = {item["township_code"]: item["position_minutes"] for item in standing["items"]}
    # The scene itself brought 120 minutes from 西坞 to 尚田, of which 120 became vouchers and 60 a meal in 大堰.
    assert (owed[XIWU], owed[SHANGTIAN], owed[DAYAN], standing["sum_minutes"]) == (-180, 60, 120, 0)
    lines = auditor.ok("clearing.matrix", query={"window": "all"})["items"]
    assert {(x["debtor_township_code"], x["creditor_township_code"]): x["minutes"] for x in lines} == {
        (XIWU, SHANGTIAN): 180,
        (SHANGTIAN, DAYAN): 120,
    }
    trial = auditor.ok("ledger.trial_balance")
    assert trial["total_debit"] == trial["total_credit"] > 0


def test_every_operation_answers_as_the_document_says(
    scene: Scene, sign_in: SignIn, nobody: Caller, description: Description, bank: Database
) -> None:
    persons = ("elder", "volunteer", "proxy", "stranger", "fresh")
    everybody = {who: sign_in(who) for who in (*persons, "clerk", "provider", "auditor")}
    staff = {who: sign_in(who) for who in ("district", "district_2", "steward_xiwu", "steward_shangtian")}
    _read_everything(scene, nobody, everybody, staff)
    ask_why(scene, everybody)
    look_things_up(scene, {**staff, "auditor": everybody["auditor"]})
    take_lists_out(everybody)
    _register_and_enrol(scene, everybody["fresh"], staff)
    _go_through_tasks(scene, everybody, staff)
    _move_vouchers_and_papers(scene, everybody, staff)
    _review_and_settle(scene, everybody["auditor"], staff)
    _reconcile(scene, everybody, staff)
    work_without_a_line(scene, everybody, staff)
    borrow_aids(scene, nobody, everybody, staff)
    open_a_canteen(scene, everybody, staff)
    write_menus(scene, everybody, staff)
    become_diners(scene, everybody, staff)
    import_workbooks(scene, staff, everybody["auditor"])
    say_what_one_thinks(scene, everybody, staff)
    order_meals(scene, everybody, staff)
    carry_meals(scene, everybody, staff)
    work_at_the_counter(scene, bank, everybody, staff)
    settle_last_month(scene, everybody, staff)
    read_the_figures(everybody, staff)
    receive_care(scene, nobody, everybody, staff)
    give_within_the_family(scene, everybody, staff)
    live_with_vouchers(scene, everybody, staff)
    settle_accounts(scene, everybody, staff)
    inherit_a_purse(everybody, staff)
    nobody.ok("dev.set_clock", {"now": (clock.now() + timedelta(seconds=1)).isoformat()})
    called = {operation for caller in (nobody, *everybody.values(), *staff.values()) for operation in caller.called}
    elsewhere = {"auth.staff_login", "auth.wechat_login"}
    assert set(description.operations) - called - elsewhere == set()


def _read_everything(scene: Scene, nobody: Caller, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    assert len(nobody.ok("townships.list")["items"]) == 12
    assert {item["rate_percent"] for item in nobody.ok("service_types.list")["items"]} == {100}
    assert nobody.ok("policies.list")["policy_version"] >= 1
    shown = people["volunteer"].ok("me.show")
    assert (shown["name"], shown["township_code"], shown["roles"]) == ("林志远", SHANGTIAN, ["volunteer"])
    people["volunteer"].ok("me.balance")
    people["volunteer"].ok("me.statement")
    opened = people["volunteer"].ok("web_tickets.issue", {"next": "/m/orders"})
    assert opened["address"] == f"/m/ticket?next=/m/orders#{opened['ticket']}"
    assert {t["status"] for t in staff["steward_xiwu"].ok("tasks.list")["items"]} >= {"open", "recorded", "disputed"}
    assert people["elder"].ok("tasks.show", task_id=scene.tasks["open"])["service_code"] == scene.codes["open"]
    assert {v["status"] for v in people["volunteer"].ok("vouchers.list")["items"]} == {"issued", "redeemed"}
    one = people["volunteer"].ok("vouchers.show", voucher_id=scene.vouchers["issued"])
    assert one in people["volunteer"].ok("vouchers.list")["items"]
    assert people["volunteer"].ok("vouchers.qr", voucher_id=scene.vouchers["issued"]).startswith(b"<?xml")
    assert people["volunteer"].ok("notices.list")["items"]
    people["auditor"].ok("clearing.positions", query={"window": scene.settled_window})
    people["auditor"].ok("clearing.lines", query={"township_code": XIWU, "window": scene.settled_window})
    people["auditor"].ok("clearing.matrix")
    for form in ("statement", "statement_workbook", "statement_page"):
        assert staff["steward_shangtian"].ok(f"clearing.{form}", window=scene.settled_window)
    people["auditor"].ok("ledger.trial_balance", query={"unit": "fen"})
    assert people["auditor"].ok("policies.changes")["items"][0]["change_id"] == scene.change_id


def _register_and_enrol(scene: Scene, fresh: Caller, staff: dict[str, Caller]) -> None:
    number = valid_id_number(born_for_age(61))
    form = {"name": "沈月琴", "id_number": number, "phone": "13912345678", "township_code": XIWU}
    registered = fresh.ok("auth.register", form)
    assert fresh.ok("me.show")["person_id"] == registered["person_id"]
    enrolled = staff["steward_xiwu"].ok("people.enrol", {**form, "roles": ["volunteer"]})
    assert enrolled["person_id"] == registered["person_id"]
    assert staff["district"].ok("people.find", query={"id_number": number})["person_id"] == registered["person_id"]
    made = staff["steward_xiwu"].ok(
        "people.register_proxy",
        {
            "elder_id": str(scene.person_id("elder")),
            "proxy_id": registered["person_id"],
            "relation": "邻居",
            "consent_evidence": "委托书2号",
        },
    )
    ended = staff["steward_xiwu"].ok("people.end_proxy", registration_id=made["registration_id"])
    assert ended["ended_at"]
    gone = {"township_code": DAYAN, "evidence": "户口迁移证2026-120号"}
    moved = staff["steward_xiwu"].ok("people.move", gone, person_id=registered["person_id"])
    assert (moved["to_township_code"], moved["moved_minutes"], moved["transfer_id"]) == (DAYAN, 0, None)


def _go_through_tasks(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    start = clock.now() + timedelta(days=1)
    wanted = {"service_type": "companionship", "starts_at": start.isoformat(), "minutes": 30}
    assert people["proxy"].ok("tasks.request", {**wanted, "elder_id": str(scene.person_id("elder"))})["service_code"]
    assert people["volunteer"].ok("tasks.accept", task_id=scene.tasks["open"])["status"] == "accepted"
    where = people["volunteer"].ok("tasks.where", task_id=scene.tasks["open"])
    assert (where["contact_name"], where["contact_is_proxy"]) == ("周桂芬", False)
    assert people["volunteer"].ok("tasks.cancel", {}, task_id=scene.tasks["open"])["status"] == "open"
    called_off = people["elder"].ok("tasks.cancel", {"reason": "busy"}, task_id=scene.tasks["accepted"])
    assert (called_off["status"], called_off["ended_reason"]) == ("cancelled", "临时有事")
    assert people["proxy"].ok("tasks.check_out", task_id=scene.tasks["checked_in"])["status"] == "checked_out"
    disputed = people["elder"].ok("tasks.dispute", {"reason": "没有来"}, task_id=scene.tasks["checked_in"])
    assert disputed["status"] == "disputed"
    ruling = {"volunteer_id": str(scene.person_id("volunteer")), "minutes": 60, "reason": "双方同意"}
    ruled = staff["steward_xiwu"].ok("tasks.rule", ruling, task_id=scene.tasks["disputed"])
    assert (ruled["status"], ruled["payable_minutes"]) == ("confirmed", 60)
    assert people["elder"].ok("tasks.confirm", {"rating": 4}, task_id=scene.tasks["checked_out"])["payable_minutes"]
    approved = staff["district"].ok("tasks.approve_record", task_id=scene.tasks["recorded"])
    assert (approved["status"], approved["back_filled"], approved["payable_minutes"]) == ("confirmed", True, 120)
    rejected = staff["district"].ok("tasks.reject_record", {"reason": "没有签名"}, task_id=_recorded(scene, staff))
    assert rejected["status"] == "rejected"
    soon = (clock.now() + timedelta(minutes=1)).isoformat()
    task = people["elder"].ok("tasks.request", {**wanted, "starts_at": soon})
    people["volunteer"].ok("tasks.accept", task_id=task["task_id"])
    where = {"service_code": task["service_code"], "latitude": 29.65, "longitude": 121.41}
    assert people["volunteer"].ok("tasks.check_in", where, task_id=task["task_id"])["status"] == "checked_in"


def _review_and_settle(scene: Scene, auditor: Caller, staff: dict[str, Caller]) -> None:
    district, shangtian, window = staff["district"], staff["steward_shangtian"], scene.reviewed_window
    ruled = district.ok("clearing.rule_dispute", {"ruling": "moved", "reason": "待查"}, dispute_id=scene.dispute_id)
    assert (ruled["ruling"], ruled["window"]) == ("moved", window)
    assert auditor.ok("clearing.disputes")["items"][0]["dispute_id"] == str(scene.dispute_id)
    assert shangtian.ok("clearing.confirm", {}, window=window)["position_minutes"] == 0
    district.ok("clearing.confirm", {"township_code": DAYAN, "note": "已电话核对"}, window=window)
    assert district.ok("clearing.settle", window=window)["status"] == "settled"
    undone = district.ok("clearing.abort_settlement", {"reason": "重新核对"}, window=window)
    assert (undone["status"], undone["settlements"][0]["settlement_status"]) == ("under_review", "aborted")
    failed = district.ok("clearing.payment_failed", {"problem": "户名不符"}, payment_id=scene.payment_id)
    assert (failed["state"], failed["window"]) == ("failed", scene.settled_window)
    again = district.ok("clearing.instruct_again", payment_id=scene.payment_id)
    paid = district.ok("clearing.payment_paid", {"outside_reference": "国库-7"}, payment_id=again["payment_id"])
    assert (paid["state"], paid["attempt"]) == ("paid", 2)
    assert auditor.ok("clearing.payments", query={"state": "paid"})["items"] == [paid]
    until = (clock.now() + timedelta(days=2)).isoformat()
    wanted = {"township_code": XIWU, "extra_minutes": 600, "valid_until": until, "reason": "周末"}
    granted = district.ok("clearing.grant_override", wanted)
    assert staff["steward_xiwu"].ok("clearing.overrides")["items"] == [granted]
    assert auditor.ok("clearing.guarantee_calls")["items"] == []
    newest = auditor.ok("clearing.windows")["items"][0]
    closed = district.ok("clearing.close_window", window=newest["window"])
    assert (newest["status"], closed["status"]) == ("open", "closed")
    line = auditor.ok("clearing.lines", query={"township_code": SHANGTIAN, "window": closed["window"]})["items"][0]
    wrong = {"transfer_id": line["transfer_id"], "reason": "不是本人"}
    assert shangtian.ok("clearing.dispute_line", wrong, window=closed["window"])["ruling"] is None
    assert auditor.ok("clearing.window", window=closed["window"])["status"] == "under_review"


def _reconcile(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    listed = workbook([[f"{clock.today():%Y-%m-%d}", "林志远", "尚田街道", -60]])
    sent = {"data": listed, "content_type": WORKBOOK.media_type, "query": {"file_name": "五月往来.xlsx"}}
    made = staff["steward_xiwu"].ok("clearing.reconcile", window=scene.reviewed_window, **sent)
    (found,) = made["breaks"]["items"]
    assert (found["type"], found["owner_township_code"], found["row"]) == ("missing_here", SHANGTIAN, 2)
    lists = staff["steward_xiwu"].ok("clearing.reconciliations", query={"window": scene.reviewed_window})["items"]
    assert [one["file_name"] for one in lists] == ["五月往来.xlsx"]
    staff["district"].ok("tasks.approve_record", task_id=_recorded(scene, staff))
    line = people["volunteer"].ok("me.statement", query={"limit": 1})["items"][0]
    owner = staff["steward_shangtian"]
    offered = owner.ok("clearing.cures", break_id=found["break_id"])
    assert (offered["found"], [one["minutes"] for one in offered["cures"]]) == (found, [-60])
    again = staff["steward_xiwu"].ok("clearing.reconciliation", reconciliation_id=made["reconciliation_id"])
    assert again == made
    cured = owner.ok("clearing.cure_break", {"transfer_id": line["transfer_id"]}, break_id=found["break_id"])
    assert cured["cured_at"]
    assert people["auditor"].ok("clearing.breaks", query={"open": "false"})["items"][-1] == cured


def _recorded(scene: Scene, staff: dict[str, Caller]) -> str:
    ended = clock.now() - timedelta(days=20)
    form = {
        "service_type": "companionship",
        "volunteer_id": str(scene.person_id("volunteer")),
        "elder_id": str(scene.person_id("elder")),
        "started_at": (ended - timedelta(hours=1)).isoformat(),
        "ended_at": ended.isoformat(),
        "evidence": "签到表第4页",
    }
    recorded = staff["steward_xiwu"].ok("tasks.record", form)
    assert (recorded["status"], recorded["payable_minutes"]) == ("recorded", None)
    return str(recorded["task_id"])


def _move_vouchers_and_papers(scene: Scene, people: dict[str, Caller], staff: dict[str, Caller]) -> None:
    assert people["volunteer"].ok("vouchers.buy", {"quantity": 2})["items"]
    refunded = people["volunteer"].ok("vouchers.refund", voucher_id=scene.vouchers["issued"])
    assert refunded["status"] == "refunded"
    scans = [{"code": scene.voucher_codes["issued"], "nonce": "b-1"}, {"code": "没有", "nonce": "b-2"}]
    results = people["clerk"].ok("vouchers.redeem_batch", {"scans": scans})["results"]
    assert [r["reason"] for r in results] == ["voucher_void", "voucher_unknown"]
    assert people["clerk"].ok("vouchers.redeem", scans[0])["reason"] == "voucher_void"
    asked = staff["steward_xiwu"].ok("ledger.reverse", {"reason": "记错了人"}, transfer_id=scene.transfer_id)
    assert asked["status"] == "awaiting_second_person"
    reversed_ = staff["district"].ok("ledger.reverse", {"reason": "同意"}, transfer_id=scene.transfer_id)
    assert reversed_["status"] == "reversed"
    change = {
        "values": [{"key": "voucher_valid_days", "value": 90, "township_code": XIWU}],
        "effective_at": (clock.now() + timedelta(days=40)).isoformat(),
        "reason": "试点",
        "source": "区民政局会议纪要",
    }
    proposed = staff["district"].ok("policies.propose", change)
    assert staff["district_2"].ok("policies.approve", change_id=proposed["change_id"])["approved_at"]
