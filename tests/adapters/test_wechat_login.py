"""Logging in through WeChat: who it is, every refusal by name, and secrets that stay inside."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

import pytest

from app.adapters.wechat import (
    WeChat,
    WeChatBlocked,
    WeChatCodeInvalid,
    WeChatError,
    WeChatTooOften,
    WeChatUnavailable,
)
from clients.fake_wechat.server import FakeWeChat
from clients.fake_wechat.state import Fault, openid_of

if TYPE_CHECKING:
    from tests.adapters.conftest import Clock

LOGIN = "/sns/jscode2session"


def test_a_code_tells_who_logged_in(fake: FakeWeChat, wechat: WeChat) -> None:
    alone = wechat.session_of(fake.state.mint_code({"openid": "o-wang"}))
    known_elsewhere = wechat.session_of(fake.state.mint_code({"openid": "o-li", "unionid": "u-li"}))
    assert (alone.openid, alone.unionid) == ("o-wang", None)
    assert (known_elsewhere.openid, known_elsewhere.unionid) == ("o-li", "u-li")


def test_a_demo_person_is_the_same_every_time(wechat: WeChat) -> None:
    first, again, other = (wechat.session_of(code).openid for code in ("demo:王", "demo:王", "demo:li"))
    assert first == again == openid_of("王")
    assert other != first


def test_a_code_works_once(fake: FakeWeChat, wechat: WeChat) -> None:
    code = fake.state.mint_code({"openid": "o-wang"})
    wechat.session_of(code)
    with pytest.raises(WeChatCodeInvalid) as refused:
        wechat.session_of(code)
    assert refused.value.errcode == 40163


def test_a_code_of_five_minutes_ago_is_refused(fake: FakeWeChat, wechat: WeChat, clock: Clock) -> None:
    young, old = (fake.state.mint_code({"openid": "o-wang"}) for _ in range(2))
    clock.now_s += 299
    assert wechat.session_of(young).openid == "o-wang"
    clock.now_s += 1
    with pytest.raises(WeChatCodeInvalid) as refused:
        wechat.session_of(old)
    assert refused.value.errcode == 40029


@pytest.mark.parametrize("code", ["made-up", "demo:", "a&secret=b", "%20", "奉化"])
def test_a_code_nobody_gave_is_refused(wechat: WeChat, code: str) -> None:
    with pytest.raises(WeChatCodeInvalid):
        wechat.session_of(code)


@pytest.mark.parametrize(
    ("errcode", "kind"),
    [(40029, WeChatCodeInvalid), (45011, WeChatTooOften), (40226, WeChatBlocked), (48001, WeChatUnavailable)],
)
def test_each_errcode_is_its_own_refusal_and_is_not_tried_again(
    fake: FakeWeChat, wechat: WeChat, errcode: int, kind: type[WeChatError]
) -> None:
    fake.state.script([Fault(errcode=errcode)])
    with pytest.raises(kind, match=str(errcode)) as refused:
        wechat.session_of("demo:wang")
    assert type(refused.value) is kind
    assert refused.value.errcode == errcode
    assert fake.state.calls() == [LOGIN]


def test_an_errcode_of_zero_is_success(fake: FakeWeChat, wechat: WeChat) -> None:
    fake.state.script([Fault(raw='{"errcode": 0, "errmsg": "ok", "openid": "o-wang", "session_key": "k"}')])
    assert wechat.session_of("demo:wang").openid == "o-wang"


def test_a_busy_wechat_is_asked_again_after_a_while(fake: FakeWeChat, wechat: WeChat, pauses: list[float]) -> None:
    code = fake.state.mint_code({"openid": "o-wang"})
    fake.state.script([Fault(errcode=-1)] * 2)
    assert wechat.session_of(code).openid == "o-wang"
    assert len(pauses) == 2
    assert 0 < pauses[0] < pauses[1]


def test_a_wechat_that_stays_busy_is_given_up_after_three_tries(
    fake: FakeWeChat, wechat: WeChat, pauses: list[float]
) -> None:
    fake.state.script([Fault(errcode=-1)] * 4)
    with pytest.raises(WeChatUnavailable) as refused:
        wechat.session_of("demo:wang")
    assert refused.value.errcode == -1
    assert fake.state.calls() == [LOGIN] * 3
    assert len(pauses) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drop=True),
        Fault(status=500),
        Fault(status=503, raw='{"openid": "o-wang"}'),
        Fault(status=502, raw="<html>bad gateway</html>"),
        Fault(status=302),
        Fault(raw="<html>welcome</html>"),
        Fault(raw="[]"),
        Fault(raw='{"errcode": "40029"}'),
        Fault(raw="{}"),
        Fault(raw='{"openid": ""}'),
        Fault(raw='{"openid": 7}'),
    ],
)
def test_an_answer_that_is_none_is_never_tried_again(fake: FakeWeChat, wechat: WeChat, fault: Fault) -> None:
    fake.state.script([fault])
    with pytest.raises(WeChatUnavailable):
        wechat.session_of("demo:wang")
    assert fake.state.calls() == [LOGIN]


def test_a_silent_wechat_is_unavailable_and_not_asked_twice(fake: FakeWeChat) -> None:
    fake.state.script([Fault(delay_s=60)])
    wechat = WeChat(fake.url, "wx-test-app", "the-apps-own-secret", timeout_s=0.2)
    with pytest.raises(WeChatUnavailable, match="in time"):
        wechat.session_of("demo:wang")
    assert fake.state.calls() == [LOGIN]


def test_a_wechat_that_is_not_there_is_unavailable() -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        wechat = WeChat(f"http://127.0.0.1:{reserved.getsockname()[1]}", "a", "s")
        with pytest.raises(WeChatUnavailable, match="could not be reached"):
            wechat.session_of("demo:wang")


@pytest.mark.parametrize(
    ("appid", "secret", "errcode"), [("other", "the-apps-own-secret", 40013), ("wx-test-app", "other", 40125)]
)
def test_wrong_credentials_are_told_by_their_number(fake: FakeWeChat, appid: str, secret: str, errcode: int) -> None:
    with pytest.raises(WeChatUnavailable) as refused:
        WeChat(fake.url, appid, secret).session_of("demo:wang")
    assert refused.value.errcode == errcode


def test_neither_session_key_nor_secret_nor_code_can_be_read_outside(
    fake: FakeWeChat, wechat: WeChat, caplog: pytest.LogCaptureFixture
) -> None:
    fake.state.script([Fault(raw='{"openid": "o-wang", "session_key": "THE-SESSION-KEY"}'), Fault(drop=True)])
    with caplog.at_level(logging.DEBUG):
        session = wechat.session_of("demo:wang")
        with pytest.raises(WeChatUnavailable) as refused:
            wechat.session_of("demo:li")
        wechat.phone_number("demo:wang")
    assert LOGIN in caplog.text
    cause: BaseException | None = refused.value
    chain = ""
    while cause is not None:
        chain += repr(cause)
        cause = cause.__cause__ or cause.__context__
    token, _ = fake.state.stable_token()
    seen = caplog.text + repr(session) + repr(vars(session)) + repr(wechat) + chain
    for secret in ("THE-SESSION-KEY", "the-apps-own-secret", "demo:", "demo%3A", token):
        assert secret not in seen
