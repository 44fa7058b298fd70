"""Silent login: once on a 401, once for all who meet it together, never in a loop."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from clients.miniprogram.api import Api
from clients.miniprogram.problem import Problem
from clients.miniprogram.session import Session
from clients.miniprogram.storage import Storage
from clients.miniprogram.wx import RequestFailed, Wx

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.conftest import Reply, Request, ScriptedBank

LOGIN = ("POST", "/auth/wechat-login")
PATIENCE_S = 20


def only_for(bank: ScriptedBank, token: str) -> Callable[[Request], Reply]:
    def answer(request: Request) -> Reply:
        if request.header.get("authorization") == f"Bearer {token}":
            return bank.reply(200, {"name": "王"})
        return bank.problem(401, "token_invalid", "请重新登录")

    return answer


def test_logging_in_says_whether_the_person_is_registered(api: Api, bank: ScriptedBank) -> None:
    bank.on(*LOGIN, bank.logged_in(registered=False), bank.logged_in(registered=True))
    assert [api.login(), api.login()] == [False, True]
    assert [request.body for request in bank.requests] == [{"code": "demo:wang"}] * 2


def test_an_expired_token_is_renewed_without_a_word(api: Api, bank: ScriptedBank) -> None:
    bank.on(*LOGIN, bank.logged_in("old"), bank.logged_in("new"))
    bank.on("GET", "/me", only_for(bank, "new"))
    api.login()
    assert api.get("/me") == {"name": "王"}
    assert api.get("/me") == {"name": "王"}
    assert len(bank.asked(*LOGIN)) == 2
    assert len(bank.asked("GET", "/me")) == 3


def test_the_token_lives_on_in_storage(api: Api, bank: ScriptedBank, storage: Storage) -> None:
    bank.on("GET", "/me", only_for(bank, "t1"))
    api.login()
    tomorrow = Api(Wx(code_source=lambda: "demo:wang", storage=storage), bank.url)
    assert tomorrow.get("/me") == {"name": "王"}
    assert len(bank.asked(*LOGIN)) == 1


def test_a_token_is_shown_to_no_other_bank(wx: Wx, api: Api, bank: ScriptedBank) -> None:
    api.login()
    bank.on("GET", "/townships", bank.reply(200, {"items": [], "next_cursor": None}))
    other = Api(wx, bank.url.replace("127.0.0.1", "localhost"))
    other.get("/townships")
    assert "authorization" not in bank.asked("GET", "/townships")[0].header


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_bank_that_always_says_401_is_asked_twice_and_no_more(api: Api, bank: ScriptedBank, method: str) -> None:
    bank.on(method, "/x", bank.problem(401, "token_invalid", "请重新登录"))
    with pytest.raises(Problem) as refused:
        api.get("/x") if method == "GET" else api.write("/x", {}, title="试")
    assert refused.value.status == 401
    assert len(bank.asked(method, "/x")) == 2
    assert len(bank.asked(*LOGIN)) == 1
    assert api.pending() == []


def test_ten_who_meet_a_401_together_log_in_once(api: Api, bank: ScriptedBank) -> None:
    all_refused = threading.Barrier(10)

    def answer(request: Request) -> Reply:
        if request.header.get("authorization") == "Bearer new":
            return bank.reply(200, {"name": "王"})
        all_refused.wait(PATIENCE_S)
        return bank.problem(401, "token_invalid", "请重新登录")

    bank.on(*LOGIN, bank.logged_in("old"), bank.logged_in("new"))
    bank.on("GET", "/me", answer)
    api.login()
    with ThreadPoolExecutor(10) as people:
        answers = list(people.map(lambda _: api.get("/me"), range(10)))
    assert answers == [{"name": "王"}] * 10
    assert len(bank.asked(*LOGIN)) == 2


def test_a_login_that_fails_is_the_answer_for_all_who_wait_for_it(
    api: Api, bank: ScriptedBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_refused, all_want_a_login = threading.Barrier(5), threading.Barrier(5)
    renew = Session.renew

    def together(session: Session, stale: str) -> None:
        all_want_a_login.wait(PATIENCE_S)
        renew(session, stale)

    def refuse(_request: Request) -> Reply:
        all_refused.wait(PATIENCE_S)
        return bank.problem(401, "token_invalid", "请重新登录")

    def blocked(_request: Request) -> Reply:
        # Five threads let go together need a moment until the last of them stands in the queue.
        threading.Event().wait(1.0)
        return bank.problem(403, "wechat_blocked", "微信暂时不让登录")

    def code(_: int) -> str:
        with pytest.raises(Problem) as refused:
            api.get("/me")
        return refused.value.code

    monkeypatch.setattr(Session, "renew", together)
    bank.on(*LOGIN, blocked)
    bank.on("GET", "/me", refuse)
    with ThreadPoolExecutor(5) as people:
        assert list(people.map(code, range(5))) == ["wechat_blocked"] * 5
    assert len(bank.asked(*LOGIN)) == 1


def test_a_login_without_an_answer_is_a_failed_request(tmp_path: Path, bank: ScriptedBank) -> None:
    bank.on(*LOGIN, bank.cut())
    api = Api(Wx(code_source=lambda: "demo:wang", storage=Storage(tmp_path / "s")), bank.url)
    with pytest.raises(RequestFailed):
        api.login()


def test_registering_brings_a_token_of_its_own(api: Api, bank: ScriptedBank) -> None:
    bank.on("POST", "/auth/register", bank.reply(201, {"person_id": "p", "access_token": "grown", "expires_in": 7200}))
    bank.on("GET", "/me", only_for(bank, "grown"))
    api.login()
    api.register(name="王秀英", id_number="x", phone="y", township_code="330213007")
    assert api.get("/me") == {"name": "王"}
    assert len(bank.asked(*LOGIN)) == 1


def test_registering_without_a_token_in_the_answer_leads_to_a_login(api: Api, bank: ScriptedBank) -> None:
    bank.on("POST", "/auth/register", bank.reply(201, {"person_id": "p"}))
    bank.on(*LOGIN, bank.logged_in("unregistered", registered=False), bank.logged_in("grown"))
    bank.on("GET", "/me", only_for(bank, "grown"))
    api.login()
    api.register(name="王秀英", id_number="x", phone="y", township_code="330213007")
    assert api.get("/me") == {"name": "王"}
    assert "Bearer unregistered" not in {r.header.get("authorization") for r in bank.asked("GET", "/me")}


def test_a_401_for_a_token_that_was_renewed_meanwhile_needs_no_login(api: Api, bank: ScriptedBank) -> None:
    bank.on(*LOGIN, bank.logged_in("old"), bank.logged_in("new"))
    bank.on("GET", "/townships", only_for(bank, "new"))

    def overtaken(request: Request) -> Reply:
        if request.header["authorization"] == "Bearer new":
            return bank.reply(200, {"name": "王"})
        api.get("/townships")
        return bank.problem(401, "token_invalid", "请重新登录")

    bank.on("GET", "/me", overtaken)
    api.login()
    assert api.get("/me") == {"name": "王"}
    assert len(bank.asked(*LOGIN)) == 2
