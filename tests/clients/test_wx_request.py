"""wx.request: any status is an answer, no answer is a failure, ten at once, the background interrupts."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from clients.miniprogram.storage import Storage
from clients.miniprogram.wx import Answer, RequestFailed, Wx

if TYPE_CHECKING:
    from tests.clients.conftest import Reply, Request, ScriptedBank

PATIENCE_S = 20


@pytest.mark.parametrize("status", [200, 201, 302, 401, 404, 422, 500, 503])
def test_every_status_is_an_answer(wx: Wx, bank: ScriptedBank, status: int) -> None:
    bank.on("GET", "/x", bank.reply(status, {"n": 1}, **{"X-Kind": "a"}))
    answer = wx.request(f"{bank.url}/api/v1/x")
    assert (answer.status_code, answer.data, answer.header["x-kind"]) == (status, {"n": 1}, "a")


def test_what_is_no_json_comes_as_text(wx: Wx, bank: ScriptedBank) -> None:
    bank.on("GET", "/x", bank.reply(200, "<html>奉化</html>".encode()))
    assert wx.request(f"{bank.url}/api/v1/x").data == "<html>奉化</html>"


def test_data_is_the_query_of_a_get_and_the_json_body_of_a_post(wx: Wx, bank: ScriptedBank) -> None:
    bank.on("GET", "/x", bank.reply())
    bank.on("POST", "/x", bank.reply())
    wx.request(f"{bank.url}/api/v1/x", "GET", {"name": "西坞", "n": 2})
    wx.request(f"{bank.url}/api/v1/x", "POST", {"name": "西坞", "n": 2}, {"Authorization": "Bearer t"})
    got, posted = bank.requests
    assert (got.query, got.body) == ({"name": "西坞", "n": "2"}, None)
    assert (posted.query, posted.body) == ({}, {"name": "西坞", "n": 2})
    assert posted.header["authorization"] == "Bearer t"
    assert posted.header["content-type"] == "application/json"


def test_a_cut_line_fails(wx: Wx, bank: ScriptedBank) -> None:
    bank.on("POST", "/x", bank.cut())
    with pytest.raises(RequestFailed) as failed:
        wx.request(f"{bank.url}/api/v1/x", "POST", {})
    assert failed.value.err_msg == "request:fail"
    assert len(bank.requests) == 1


def test_half_an_answer_fails(wx: Wx, bank: ScriptedBank) -> None:
    bank.on("GET", "/x", bank.reply(200, b"{}", **{"Content-Length": "50"}))
    with pytest.raises(RequestFailed, match=r"^request:fail$"):
        wx.request(f"{bank.url}/api/v1/x")


@pytest.mark.parametrize("url", ["http://127.0.0.1:{closed}/", "no-such-scheme://x/", "http://[broken/"])
def test_an_address_where_nobody_answers_fails(wx: Wx, url: str) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        with pytest.raises(RequestFailed, match=r"^request:fail$"):
            wx.request(url.format(closed=reserved.getsockname()[1]))


def test_a_silent_server_is_a_timeout(wx: Wx, bank: ScriptedBank) -> None:
    release = threading.Event()

    def wait(_request: Request) -> Reply:
        release.wait(PATIENCE_S)
        return bank.reply()

    bank.on("GET", "/x", wait)
    try:
        with pytest.raises(RequestFailed) as failed:
            wx.request(f"{bank.url}/api/v1/x", timeout_s=0.2)
    finally:
        release.set()
    assert failed.value.err_msg == "request:fail timeout"


def test_a_server_that_sends_forever_is_a_timeout_too(wx: Wx) -> None:
    over = threading.Event()

    def drip(listener: socket.socket) -> None:
        line, _ = listener.accept()
        with line:
            # It stops in the end, so that who has no limit of their own hears of another failure than a timeout.
            for _ in range(150):
                if over.wait(0.02):
                    return
                line.send(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            with pytest.raises(RequestFailed, match="timeout"):
                wx.request(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout_s=0.3)
        finally:
            over.set()
            thread.join()


def test_ten_requests_run_at_once_and_the_eleventh_waits(wx: Wx, bank: ScriptedBank) -> None:
    lock = threading.Lock()
    ten_here, eleven_here = threading.Event(), threading.Event()
    inside = peak = 0

    def count(_request: Request) -> Reply:
        nonlocal inside, peak
        with lock:
            inside += 1
            peak = max(peak, inside)
            if inside >= 10:
                ten_here.set()
            if inside >= 11:
                eleven_here.set()
        ten_here.wait(PATIENCE_S)
        # An eleventh that does not wait its turn would arrive now.
        eleven_here.wait(0.5)
        with lock:
            inside -= 1
        return bank.reply()

    bank.on("GET", "/x", count)
    with ThreadPoolExecutor(11) as people:
        answers: list[Answer] = list(people.map(lambda _: wx.request(f"{bank.url}/api/v1/x"), range(11)))
    assert [answer.status_code for answer in answers] == [200] * 11
    assert peak == 10


def test_a_request_waiting_for_its_turn_does_not_use_up_its_time(wx: Wx, bank: ScriptedBank) -> None:
    release, ten_here = threading.Event(), threading.Semaphore(0)

    def hold(_request: Request) -> Reply:
        ten_here.release()
        release.wait(PATIENCE_S)
        return bank.reply()

    bank.on("GET", "/slow", hold)
    bank.on("GET", "/quick", bank.reply())
    with ThreadPoolExecutor(11) as people:
        slow = [people.submit(wx.request, f"{bank.url}/api/v1/slow") for _ in range(10)]
        for _ in range(10):
            assert ten_here.acquire(timeout=PATIENCE_S)
        quick = people.submit(wx.request, f"{bank.url}/api/v1/quick", timeout_s=1.0)
        with pytest.raises(TimeoutError):
            quick.result(timeout=1.5)
        release.set()
        assert quick.result(PATIENCE_S).status_code == 200
        assert [one.result(PATIENCE_S).status_code for one in slow] == [200] * 10


def test_going_to_the_background_interrupts_what_is_unfinished(storage: Storage, bank: ScriptedBank) -> None:
    wx = Wx(code_source=lambda: "demo:wang", storage=storage, background_grace_s=0.0)
    release = threading.Event()

    def hold(_request: Request) -> Reply:
        wx.enter_background()
        release.wait(PATIENCE_S)
        return bank.reply()

    bank.on("POST", "/x", hold)
    try:
        with pytest.raises(RequestFailed) as failed:
            wx.request(f"{bank.url}/api/v1/x", "POST", {})
    finally:
        release.set()
    assert failed.value.err_msg == "request:fail interrupted"
    with pytest.raises(RequestFailed, match="interrupted"):
        wx.request(f"{bank.url}/api/v1/x", "POST", {})
    wx.enter_foreground()
    bank.on("POST", "/x", bank.reply())
    assert wx.request(f"{bank.url}/api/v1/x", "POST", {}).status_code == 200


def test_coming_back_within_the_grace_interrupts_nothing(wx: Wx, bank: ScriptedBank) -> None:
    def glance_away(_request: Request) -> Reply:
        wx.enter_background()
        wx.enter_foreground()
        return bank.reply()

    bank.on("GET", "/x", glance_away)
    assert wx.request(f"{bank.url}/api/v1/x").status_code == 200
