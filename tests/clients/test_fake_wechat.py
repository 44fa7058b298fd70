"""The fake WeChat as a server and as a process: answers like WeChat's, faults on order, a clean end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from clients.fake_wechat.server import FakeWeChat
from clients.fake_wechat.state import openid_of, phone_of

PATIENCE_S = 20
LOGIN = "/sns/jscode2session?grant_type=authorization_code&appid=a&secret=s&js_code="


@pytest.fixture
def fake() -> Iterator[FakeWeChat]:
    with FakeWeChat() as running:
        yield running


def ask(fake: FakeWeChat, method: str, path: str, body: Any = None) -> Any:
    with urllib3.PoolManager(retries=False) as http:
        answer = http.request(method, f"{fake.url}{path}", json=body, timeout=PATIENCE_S)
        return answer.json()


def test_demo_openids_look_like_wechats_and_stay_the_same() -> None:
    assert openid_of("wang") == openid_of("wang")
    assert len({openid_of(name) for name in ("wang", "Wang", "王", "li")}) == 4
    assert all(re.fullmatch(r"o[\w-]{27}", openid_of(name), re.ASCII) for name in ("wang", "王"))
    assert re.fullmatch(r"1\d{10}", phone_of("王"))


def test_a_good_login_carries_no_errcode(fake: FakeWeChat) -> None:
    answer = ask(fake, "GET", LOGIN + "demo:wang")
    assert set(answer) == {"openid", "session_key"}
    assert ask(fake, "GET", LOGIN + "demo:wang")["openid"] == answer["openid"]


def test_minted_codes_are_used_up(fake: FakeWeChat) -> None:
    code = ask(fake, "POST", "/__fake__/codes", {"openid": "o-1"})["code"]
    assert ask(fake, "GET", LOGIN + code)["openid"] == "o-1"
    assert ask(fake, "GET", LOGIN + code)["errcode"] == 40163
    over = ask(fake, "POST", "/__fake__/codes", {"openid": "o-1", "lifetime_s": 0})["code"]
    assert ask(fake, "GET", LOGIN + over)["errcode"] == 40029


@pytest.mark.parametrize(
    ("path", "errcode"),
    [
        ("/sns/jscode2session?appid=a&secret=s&js_code=demo:wang", 40002),
        (LOGIN, 41008),
        ("/cgi-bin/stable_token", 43002),
        ("/no/such/call", 40066),
    ],
)
def test_a_malformed_call_is_refused_with_wechats_number(fake: FakeWeChat, path: str, errcode: int) -> None:
    assert ask(fake, "GET", path)["errcode"] == errcode


def test_faults_come_in_their_order_and_only_on_their_path(fake: FakeWeChat) -> None:
    faults = [{"path": "/cgi-bin/stable_token", "errcode": 45011}, {"errcode": -1}, {"delay_s": 0.01}]
    assert ask(fake, "POST", "/__fake__/faults", faults) == {"scripted": 3}
    assert ask(fake, "GET", LOGIN + "demo:wang")["errcode"] == -1
    assert "openid" in ask(fake, "GET", LOGIN + "demo:wang")
    token = {"grant_type": "client_credential", "appid": "a", "secret": "s"}
    assert ask(fake, "POST", "/cgi-bin/stable_token", token)["errcode"] == 45011
    assert "access_token" in ask(fake, "POST", "/cgi-bin/stable_token", token)


@pytest.mark.parametrize(
    ("path", "body"), [("codes", {}), ("codes", []), ("faults", [{"no_such": 1}]), ("faults", 3), ("nothing", {})]
)
def test_a_wrong_order_to_the_fake_is_told_and_does_nothing(fake: FakeWeChat, path: str, body: object) -> None:
    assert "error" in ask(fake, "POST", f"/__fake__/{path}", body)
    assert "openid" in ask(fake, "GET", LOGIN + "demo:wang")


def test_the_stable_token_stays_until_it_is_near_its_end() -> None:
    now = [0.0]
    with FakeWeChat(now=lambda: now[0]) as fake:
        token = {"grant_type": "client_credential", "appid": "a", "secret": "s"}
        first = ask(fake, "POST", "/cgi-bin/stable_token", token)
        now[0] = 6899
        again = ask(fake, "POST", "/cgi-bin/stable_token", token)
        now[0] = 6901
        second = ask(fake, "POST", "/cgi-bin/stable_token", token)
        assert (first["expires_in"], again["expires_in"], second["expires_in"]) == (7200, 301, 7200)
        assert first["access_token"] == again["access_token"] != second["access_token"]
        number = {"code": "demo:wang"}
        path = f"/wxa/business/getuserphonenumber?access_token={first['access_token']}"
        assert ask(fake, "POST", path, number)["errcode"] == 0
        now[0] = 7201
        assert ask(fake, "POST", path, number)["errcode"] == 42001


def test_sent_messages_can_be_read_back(fake: FakeWeChat) -> None:
    token, _ = fake.state.stable_token()
    message = {"touser": "o-1", "template_id": "t", "data": {"thing1": {"value": "送餐"}}}
    assert ask(fake, "POST", f"/cgi-bin/message/subscribe/send?access_token={token}", message)["errcode"] == 0
    assert ask(fake, "GET", "/__fake__/messages") == {"items": [message]}


def started(*options: str) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "clients.fake_wechat", *options]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline()


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_where_it_is_and_ends_cleanly(sign: signal.Signals) -> None:
    process, line = started("--port", "0")
    with process:
        try:
            said = re.fullmatch(r"fake WeChat on (http://127\.0\.0\.1:\d+)\n", line)
            assert said is not None
            with urllib3.PoolManager(retries=False) as http:
                assert "openid" in http.request("GET", said[1] + LOGIN + "demo:wang").json()
            process.send_signal(sign)
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


def test_the_process_ends_with_its_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process, line = started("--port", "0", "--with-parent", str(parent.pid))
    with parent, process:
        try:
            assert line.startswith("fake WeChat on ")
            assert process.poll() is None
            parent.kill()
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()
            parent.kill()


def test_the_process_does_not_outlive_a_parent_that_is_gone_already() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ""])
    parent.wait()
    process, _ = started("--with-parent", str(parent.pid))
    with process:
        try:
            assert process.wait(PATIENCE_S) == 0
        finally:
            process.kill()


def test_a_taken_port_is_said_in_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = os.environ | {"PYTHONUNBUFFERED": "1"}
        command = [sys.executable, "-m", "clients.fake_wechat", "--port", str(port)]
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=PATIENCE_S, env=environment, check=False
        )
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in ended.stderr
    assert "Traceback" not in ended.stderr
