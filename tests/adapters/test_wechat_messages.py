"""Calls with an access token: phone numbers and messages, and a token that ends when WeChat likes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from app.adapters.wechat import (
    WeChat,
    WeChatBadMessage,
    WeChatCodeInvalid,
    WeChatRefusedByUser,
    WeChatUnavailable,
)
from clients.fake_wechat.server import FakeWeChat
from clients.fake_wechat.state import Fault, phone_of

if TYPE_CHECKING:
    from tests.adapters.conftest import Clock

TOKEN = "/cgi-bin/stable_token"
PHONE = "/wxa/business/getuserphonenumber"
MESSAGE = "/cgi-bin/message/subscribe/send"


def test_a_phone_code_gives_the_number_once(fake: FakeWeChat, wechat: WeChat) -> None:
    code = fake.state.mint_code({"phone": "13800000000"})
    assert wechat.phone_number(code) == "13800000000"
    with pytest.raises(WeChatCodeInvalid):
        wechat.phone_number(code)


def test_a_login_code_gives_no_number(fake: FakeWeChat, wechat: WeChat) -> None:
    with pytest.raises(WeChatCodeInvalid):
        wechat.phone_number(fake.state.mint_code({"openid": "o-wang"}))


def test_a_message_arrives_as_it_was_written(fake: FakeWeChat, wechat: WeChat) -> None:
    wechat.send_subscribe_message("o-wang", "tpl", "pages/task?id=1", {"thing1": "打扫卫生", "time2": "09:00"})
    wechat.send_subscribe_message("o-li", "tpl", None, {"thing1": "送餐"})
    first, second = fake.state.messages()
    assert first == {
        "touser": "o-wang",
        "template_id": "tpl",
        "page": "pages/task?id=1",
        "data": {"thing1": {"value": "打扫卫生"}, "time2": {"value": "09:00"}},
    }
    assert "page" not in second


def test_a_message_the_user_does_not_take_is_refused_by_the_user(fake: FakeWeChat, wechat: WeChat) -> None:
    fake.state.script([Fault(path=MESSAGE, errcode=43101)])
    with pytest.raises(WeChatRefusedByUser):
        wechat.send_subscribe_message("o-wang", "tpl", None, {"thing1": "送餐"})
    assert fake.state.messages() == []


@pytest.mark.parametrize(
    ("field", "longest"), [("thing1", 20), ("name2", 10), ("phrase3", 5), ("character_string4", 32)]
)
def test_a_field_too_long_is_a_bad_message(fake: FakeWeChat, wechat: WeChat, field: str, longest: int) -> None:
    wechat.send_subscribe_message("o-wang", "tpl", None, {field: "长" * longest})
    with pytest.raises(WeChatBadMessage):
        wechat.send_subscribe_message("o-wang", "tpl", None, {field: "长" * (longest + 1)})
    assert len(fake.state.messages()) == 1


def test_the_token_is_asked_for_once_and_then_kept(fake: FakeWeChat, wechat: WeChat) -> None:
    for _ in range(3):
        wechat.phone_number("demo:wang")
    assert fake.state.calls() == [TOKEN, PHONE, PHONE, PHONE]


def test_many_threads_share_one_token(fake: FakeWeChat, wechat: WeChat) -> None:
    with ThreadPoolExecutor(8) as people:
        numbers = list(people.map(lambda n: wechat.phone_number(f"demo:{n}"), range(16)))
    assert numbers == [phone_of(str(n)) for n in range(16)]
    assert fake.state.calls().count(TOKEN) == 1


def test_a_token_near_its_end_is_replaced_before_it_fails(fake: FakeWeChat, wechat: WeChat, clock: Clock) -> None:
    wechat.phone_number("demo:wang")
    clock.now_s += 7200 - 61
    wechat.phone_number("demo:wang")
    assert fake.state.calls().count(TOKEN) == 1
    clock.now_s += 1
    wechat.phone_number("demo:wang")
    assert fake.state.calls() == [TOKEN, PHONE, PHONE, TOKEN, PHONE]


def test_a_token_that_wechat_ended_is_fetched_once_more_and_the_call_goes_again(
    fake: FakeWeChat, wechat: WeChat
) -> None:
    wechat.phone_number("demo:wang")
    fake.state.expire_tokens()
    assert wechat.phone_number("demo:wang") == phone_of("wang")
    assert fake.state.calls() == [TOKEN, PHONE, PHONE, TOKEN, PHONE]


@pytest.mark.parametrize("errcode", [40001, 42001])
def test_a_token_refused_twice_is_given_up(fake: FakeWeChat, wechat: WeChat, errcode: int) -> None:
    fake.state.script([Fault(path=PHONE, errcode=errcode)] * 3)
    with pytest.raises(WeChatUnavailable) as refused:
        wechat.phone_number("demo:wang")
    assert refused.value.errcode == errcode
    assert fake.state.calls() == [TOKEN, PHONE, TOKEN, PHONE]


def test_a_message_that_may_have_arrived_is_not_sent_again(fake: FakeWeChat, wechat: WeChat) -> None:
    fake.state.script([Fault(path=MESSAGE, drop=True)])
    with pytest.raises(WeChatUnavailable):
        wechat.send_subscribe_message("o-wang", "tpl", None, {"thing1": "送餐"})
    assert fake.state.calls().count(MESSAGE) == 1


@pytest.mark.parametrize("raw", ["{}", '{"access_token": "x"}', '{"access_token": "", "expires_in": 7200}'])
def test_a_token_answer_that_is_none_is_not_kept(fake: FakeWeChat, wechat: WeChat, raw: str) -> None:
    fake.state.script([Fault(path=TOKEN, raw=raw)])
    with pytest.raises(WeChatUnavailable):
        wechat.phone_number("demo:wang")
    assert wechat.phone_number("demo:wang") == phone_of("wang")


@pytest.mark.parametrize("raw", ["{}", '{"phone_info": null}', '{"phone_info": {"purePhoneNumber": ""}}'])
def test_an_answer_without_a_number_is_unavailable(fake: FakeWeChat, wechat: WeChat, raw: str) -> None:
    fake.state.script([Fault(path=PHONE, raw=raw)])
    with pytest.raises(WeChatUnavailable):
        wechat.phone_number("demo:wang")
