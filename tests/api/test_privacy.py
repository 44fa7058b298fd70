"""What nobody but those concerned may see: numbers, phones, names, service codes; in answers and in log lines."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask, Response, request_finished

from tests.api.caller import Caller
from tests.api.scene import Scene
from tests.doors import SignIn
from tests.factories.people import XIWU, born_for_age, valid_id_number
from timebank.core import clock
from timebank.core.db import Database

PHONE = "13987654321"


class _Listener:
    """A caller's answers, kept to be searched."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def listen(self, app: Flask) -> None:
        request_finished.connect(self._keep, app)

    def _keep(self, _app: Flask, response: Response) -> None:
        self.heard.append(response.get_data(as_text=True))


def test_no_number_and_no_phone_is_in_any_answer_or_log_line(
    scene: Scene, app: Flask, sign_in: SignIn, nobody: Caller, capfd: pytest.CaptureFixture[str]
) -> None:
    listener, number, wrong = _Listener(), valid_id_number(born_for_age(61)), "330224196501019999"
    listener.listen(app)
    fresh, steward, elder = map(sign_in, ("fresh", "steward_xiwu", "elder"))
    form = {"name": "沈月琴", "id_number": number, "phone": PHONE, "township_code": XIWU}
    fresh.refused("auth.register", {**form, "id_number": wrong})
    fresh.refused("auth.register", {**form, "township_code": 1})
    fresh.ok("auth.register", form)
    fresh.ok("me.show")
    steward.refused("people.enrol", {**form, "name": "别人", "roles": ["elder"]})
    steward.ok("people.enrol", {**form, "roles": ["elder"]})
    assert (
        steward.ok("people.find", query={"id_number": number})["id_number_masked"]
        == f"{number[:3]}{'*' * 11}{number[-4:]}"
    )
    steward.refused("people.find", query={"id_number": valid_id_number(born_for_age(50))})
    fresh.refused("people.find", query={"id_number": number})
    start = (clock.now() + timedelta(days=4)).isoformat()
    task = elder.ok("tasks.request", {"service_type": "companionship", "starts_at": start, "minutes": 60})
    fresh.ok("tasks.accept", task_id=task["task_id"])
    elder.ok("tasks.show", task_id=task["task_id"])
    written = capfd.readouterr()
    assert len(listener.heard) > 3
    said = "\n".join([*listener.heard, written.out, written.err])
    assert "people.find" in written.err
    assert f"{PHONE[:3]}****{PHONE[-4:]}" in said
    for secret in (number, number[:-1], number[6:14], wrong, PHONE, PHONE[3:]):
        assert secret not in said


def test_a_fault_is_logged_with_its_place_but_without_what_people_typed(
    scene: Scene, app: Flask, sign_in: SignIn, bank: Database, capfd: pytest.CaptureFixture[str]
) -> None:
    fresh, number = sign_in("fresh"), valid_id_number(born_for_age(61))
    with bank.unit_of_work() as session:
        session.connection().exec_driver_sql("ALTER TABLE person ADD CONSTRAINT fault CHECK (name <> '沈月琴')")
    form = {"name": "沈月琴", "id_number": number, "phone": PHONE, "township_code": XIWU}
    answer = fresh.raw("auth.register", form)
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    written = capfd.readouterr().err
    assert "request_failed" in written
    assert "CheckViolation 23514 person fault" in written
    for secret in (number, PHONE, "沈月琴"):
        assert secret not in written + answer.text


def test_finding_a_person_shows_number_and_phone_masked(scene: Scene, sign_in: SignIn) -> None:
    steward, number = sign_in("steward_xiwu"), valid_id_number(born_for_age(61))
    form = {"name": "沈月琴", "id_number": number, "township_code": XIWU, "roles": ["elder"]}
    steward.ok("people.enrol", {**form, "phone": PHONE})
    found = steward.ok("people.find", query={"id_number": number})
    assert found["id_number_masked"] == number[:3] + "*" * 11 + number[-4:]
    assert found["phone_masked"] == "139****4321"
    assert found["name"] == "沈月琴"


def test_strangers_see_of_an_open_task_nobodys_name_and_no_code(scene: Scene, sign_in: SignIn) -> None:
    path = {"task_id": scene.tasks["open"]}
    for who in ("stranger", "volunteer"):
        seen = sign_in(who).ok("tasks.show", **path)
        assert (seen["beneficiary_id"], seen["beneficiary_name"]) == (None, "周**")
        assert seen["requested_by_name"] == "周**"
        assert "service_code" not in seen
        listed = {t["task_id"]: t for t in sign_in(who).ok("tasks.list", query={"status": "open"})["items"]}
        assert listed[str(scene.tasks["open"])] == seen


def test_who_serves_sees_the_name_and_only_the_helped_side_the_code(scene: Scene, sign_in: SignIn) -> None:
    path = {"task_id": scene.tasks["accepted"]}
    codes = {}
    for who in ("elder", "proxy", "volunteer", "steward_xiwu", "district", "auditor"):
        seen = sign_in(who).ok("tasks.show", **path)
        assert seen["beneficiary_name"] == "周桂芬", who
        codes[who] = seen.get("service_code")
    right = scene.codes["accepted"]
    assert codes == {
        "elder": right,
        "proxy": right,
        "volunteer": None,
        "steward_xiwu": None,
        "district": None,
        "auditor": None,
    }


def test_answers_of_the_api_are_not_kept_framed_or_guessed_at(nobody: Caller) -> None:
    for answer in (nobody.raw("townships.list"), nobody.raw("me.show")):
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize(("asked", "kept"), [("phone-1.request_22", True), ("short", False), ("a\tb" * 5, False)])
def test_a_request_id_is_taken_over_where_it_is_harmless(asked: str, kept: bool, nobody: Caller) -> None:
    answer = nobody.raw("townships.list", headers={"X-Request-Id": asked})
    assert (answer.headers["X-Request-Id"] == asked) is kept
