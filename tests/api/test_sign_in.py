"""Signing in: WeChat's answers, staff passwords that are guessed slowly, and registering."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select, update

from clients.fake_wechat.server import FakeWeChat
from clients.fake_wechat.state import Fault, openid_of
from tests.api.caller import Caller
from tests.api.scene import PASSWORD, Scene
from tests.doors import SignIn
from tests.factories.people import XIWU, born_for_age, valid_id_number
from timebank.core import clock
from timebank.core.db import Database
from timebank.people.login_models import Login, LoginAttempt
from timebank.people.models import Person
from timebank.people.queries import roles_of


def form(**other: Any) -> dict[str, Any]:
    number = valid_id_number(born_for_age(61))
    return {"name": "沈月琴", "id_number": number, "phone": "13912345678", "township_code": XIWU, **other}


def people(bank: Database) -> int:
    with bank.session() as session:
        return session.scalars(select(func.count()).select_from(Person)).one()


def test_wechat_login_says_whether_somebody_is_registered(nobody: Caller, scene: Scene) -> None:
    assert nobody.ok("auth.wechat_login", {"code": "demo:elder"})["registered"] is True
    new = nobody.ok("auth.wechat_login", {"code": "demo:new"})
    assert (new["registered"], new["expires_in"]) == (False, 7200)
    newcomer = Caller(nobody.app, nobody.description, new["access_token"])
    assert newcomer.refused("me.balance")["code"] == "registration_needed"


def test_a_code_works_once(nobody: Caller, wechat: FakeWeChat) -> None:
    code = wechat.state.mint_code({"openid": openid_of("somebody")})
    nobody.ok("auth.wechat_login", {"code": code})
    for bad in (code, "never given out"):
        problem = nobody.refused("auth.wechat_login", {"code": bad})
        assert (problem["status"], problem["code"]) == (401, "wechat_code_invalid")


@pytest.mark.parametrize(
    ("fault", "status", "code", "retry_after"),
    [
        (Fault(errcode=40029), 401, "wechat_code_invalid", None),
        (Fault(errcode=45011), 429, "wechat_too_often", "60"),
        (Fault(errcode=40226), 403, "wechat_blocked", None),
        (Fault(errcode=40125), 503, "wechat_unavailable", "5"),
        (Fault(status=502), 503, "wechat_unavailable", "5"),
        (Fault(raw="<html>"), 503, "wechat_unavailable", "5"),
        (Fault(raw='{"session_key": "no-openid-here"}'), 503, "wechat_unavailable", "5"),
        (Fault(drop=True), 503, "wechat_unavailable", "5"),
    ],
)
def test_what_wechat_refuses_is_told_in_the_banks_words(
    fault: Fault, status: int, code: str, retry_after: str | None, nobody: Caller, wechat: FakeWeChat, bank: Database
) -> None:
    wechat.state.script([fault])
    answer = nobody.raw("auth.wechat_login", {"code": "demo:somebody"})
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert answer.headers.get("Retry-After") == retry_after
    assert "errcode" not in answer.text
    with bank.session() as session:
        assert session.scalars(select(Login).where(Login.openid == openid_of("somebody"))).all() == []


def test_wechat_that_stays_busy_is_asked_again_and_then_later(
    nobody: Caller, wechat: FakeWeChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nobody.app.extensions["wechat"], "_sleep", lambda _: None)
    wechat.state.script([Fault(errcode=-1)] * 2)
    nobody.ok("auth.wechat_login", {"code": "demo:somebody"})
    wechat.state.script([Fault(errcode=-1)] * 3)
    answer = nobody.raw("auth.wechat_login", {"code": "demo:somebody"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")


def test_the_session_key_leaves_the_server_neither_in_answers_nor_in_logs(
    nobody: Caller, wechat: FakeWeChat, capfd: pytest.CaptureFixture[str]
) -> None:
    for raw in ('{"openid": "o-1", "session_key": "SECRET-KEY"}', '{"session_key": "SECRET-KEY"}', "SECRET-KEY"):
        wechat.state.script([Fault(raw=raw)])
        answer = nobody.raw("auth.wechat_login", {"code": "SECRET-CODE"})
        assert "SECRET" not in answer.text + str(answer.headers)
    written = "".join(capfd.readouterr())
    assert "auth.wechat_login" in written
    assert "SECRET" not in written
    assert "the-apps-own-secret" not in written


@pytest.mark.parametrize("written", ["{}", " {} ", "３３０２２４{rest}", "330224 {rest}"])
def test_a_number_is_read_as_people_write_it(written: str, scene: Scene, sign_in: SignIn, bank: Database) -> None:
    number = next(n for n in (valid_id_number(born_for_age(61)) for _ in range(400)) if n.endswith("X"))
    typed = written.format(number, rest=number[6:]).replace("X", "x")
    person_id = sign_in("fresh").ok("auth.register", form(id_number=typed))["person_id"]
    found = sign_in("district").ok("people.find", query={"id_number": number})
    assert found["person_id"] == person_id


def test_somebody_whom_a_steward_enrolled_is_bound_and_not_doubled(
    scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    wanted = form()
    enrol = {k: v for k, v in wanted.items() if k != "phone"} | {"roles": ["elder"]}
    enrolled = sign_in("steward_xiwu").ok("people.enrol", enrol)
    before = people(bank)
    fresh = sign_in("fresh")
    mismatch = fresh.refused("auth.register", {**wanted, "name": "沈月红"})
    assert (mismatch["status"], mismatch["code"], mismatch["field"]) == (422, "name_mismatch", "name")
    assert fresh.ok("auth.register", wanted)["person_id"] == enrolled["person_id"]
    assert people(bank) == before
    assert fresh.ok("me.show")["roles"] == ["elder", "volunteer"]
    again = fresh.refused("auth.register", form())
    assert (again["status"], again["code"]) == (409, "already_registered")
    second = sign_in_new(fresh, "second")
    assert second.refused("auth.register", wanted)["code"] == "already_registered"
    assert people(bank) == before


def sign_in_new(caller: Caller, name: str) -> Caller:
    answer = Caller(caller.app, caller.description).ok("auth.wechat_login", {"code": f"demo:{name}"})
    return Caller(caller.app, caller.description, answer["access_token"])


@pytest.mark.parametrize(
    ("age", "roles"), [(17, []), (18, ["volunteer"]), (59, ["volunteer"]), (60, ["elder", "volunteer"])]
)
def test_registering_opens_what_age_allows(
    age: int, roles: list[str], scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    fresh = sign_in("fresh")
    fresh.ok("auth.register", form(id_number=valid_id_number(born_for_age(age))))
    shown = fresh.ok("me.show")
    assert shown["roles"] == roles
    with bank.session() as session:
        assert roles_of(session, shown["person_id"]) == roles


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"id_number": "330224195901010011"}, "id_number_invalid"),
        ({"id_number": "330224195902300018"}, "id_number_invalid"),
        ({"id_number": "X" * 18}, "id_number_invalid"),
        ({"phone": "12345"}, "phone_invalid"),
        ({"township_code": "330213999"}, "township_unknown"),
        ({"name": "\u200b\u200b"}, "name_missing"),
    ],
)
def test_a_wrong_form_registers_nobody(
    wrong: dict[str, str], code: str, scene: Scene, sign_in: SignIn, bank: Database
) -> None:
    before = people(bank)
    problem = sign_in("fresh").refused("auth.register", form(**wrong))
    assert (problem["status"], problem["code"]) == (422, code)
    assert next(iter(wrong.values())) not in str({k: v for k, v in problem.items() if k != "township_code"})
    assert people(bank) == before


def test_staff_sign_in_with_name_and_password_only(nobody: Caller, scene: Scene) -> None:
    answer = nobody.ok("auth.staff_login", {"username": "district", "password": PASSWORD})
    assert answer["expires_in"] == 7200
    wrong = nobody.refused("auth.staff_login", {"username": "district", "password": "guessed"})
    unknown = nobody.refused("auth.staff_login", {"username": "nobody-here", "password": "guessed"})
    assert (wrong["status"], wrong["code"]) == (401, "login_refused")
    without_id = [{k: v for k, v in p.items() if k != "request_id"} for p in (wrong, unknown)]
    assert without_id[0] == without_id[1]


@pytest.mark.parametrize("username", ["district", "nobody-here"])
def test_guessing_is_slowed_down_for_known_and_unknown_names_alike(
    username: str, nobody: Caller, scene: Scene, bank: Database
) -> None:
    guess = {"username": username, "password": "guessed"}
    answers = [nobody.raw("auth.staff_login", guess) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [401] * 5 + [429]
    assert answers[-1].get_json()["code"] == "too_many_attempts"
    assert 0 < int(answers[-1].headers["Retry-After"]) <= 31
    assert nobody.raw("auth.staff_login", {**guess, "password": PASSWORD}).status_code == 429
    with bank.unit_of_work() as session:
        session.execute(update(LoginAttempt).values(blocked_until=clock.machine_now()))
    expected = 200 if username == "district" else 401
    assert nobody.raw("auth.staff_login", {**guess, "password": PASSWORD}).status_code == expected


def test_the_banks_clock_opens_no_closed_name(nobody: Caller, scene: Scene) -> None:
    guess = {"username": "district", "password": "guessed"}
    for _ in range(5):
        nobody.refused("auth.staff_login", guess)
    nobody.ok("dev.set_clock", {"now": "2090-01-01T00:00:00+08:00"})
    assert nobody.raw("auth.staff_login", guess).status_code == 429


def test_staff_cannot_register_as_a_person(scene: Scene, sign_in: SignIn) -> None:
    assert sign_in("district").refused("auth.register", form())["code"] == "already_registered"
