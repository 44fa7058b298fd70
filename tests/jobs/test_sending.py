"""Sending notices over a fake WeChat: given up where it is final, tried again later where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.adapters.wechat import WeChat
from app.jobs.job import Job
from app.jobs.runner import run_job
from app.jobs.sending import Sender
from app.jobs.timetable import timetable
from clients.fake_wechat.server import FakeWeChat
from clients.fake_wechat.state import Fault
from tests.bank.ledger_books import open_person
from tests.factories.people import SHANGTIAN, add_person
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.notifications.actions import MOST_TRIES, notify_person
from timebank.notifications.models import Notice

SEND = "/cgi-bin/message/subscribe/send"
LONG = "陪伴服务1小时已记入您的时间账户，可以在任何镇街兑换。"


@pytest.fixture
def wechat() -> Iterator[FakeWeChat]:
    with FakeWeChat() as running:
        yield running


@pytest.fixture
def sending(wechat: FakeWeChat) -> Job:
    line = WeChat(wechat.url, "wx-test", "secret", sleep=lambda _: None)
    return next(job for job in timetable(Sender(line, "a-template")) if job.name == "send_notices")


@pytest.fixture
def person(bank: Database) -> Actor:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return add_person(session, SHANGTIAN)


def tell(bank: Database, person: Actor, body: str = LONG) -> None:
    with bank.unit_of_work() as session:
        notify_person(session, person_id=person.person(), title="时长已到账", body=body)


def notices(bank: Database) -> list[Notice]:
    with bank.session() as session:
        return list(session.scalars(select(Notice).order_by(Notice.id)))


def test_a_notice_goes_to_the_persons_wechat_within_its_limits(
    bank: Database, sending: Job, wechat: FakeWeChat, person: Actor
) -> None:
    tell(bank, person)
    assert run_job(bank, sending) == (1, 0)
    [message] = wechat.state.messages()
    assert (message["touser"], message["template_id"]) == (f"openid-{person.person_id}", "a-template")
    assert message["data"] == {"thing1": {"value": "时长已到账"}, "thing2": {"value": f"{LONG[:19]}…"}}
    [notice] = notices(bank)
    assert (notice.sent_at, notice.given_up_at, notice.tries) == (NINE, None, 0)


@pytest.mark.parametrize(("errcode", "said"), [(43101, "WeChatRefusedByUser"), (47003, "WeChatBadMessage")])
def test_a_refusal_by_the_user_or_of_the_fields_is_final(
    bank: Database, sending: Job, wechat: FakeWeChat, person: Actor, errcode: int, said: str
) -> None:
    wechat.state.script([Fault(SEND, errcode=errcode)])
    tell(bank, person)
    tell(bank, person, "第二条")
    run_job(bank, sending)
    first, second = notices(bank)
    assert (first.sent_at, first.given_up_at, first.last_error) == (None, NINE, said)
    assert second.sent_at == NINE
    clock.freeze(NINE + timedelta(days=30))
    assert run_job(bank, sending) == (0, 0)
    assert len(wechat.state.messages()) == 1


def test_a_busy_wechat_is_tried_again_with_growing_pauses_and_then_no_more(
    bank: Database, sending: Job, wechat: FakeWeChat, person: Actor
) -> None:
    wechat.state.script([Fault(SEND, status=503)] * MOST_TRIES)
    tell(bank, person)
    for tries in range(1, MOST_TRIES):
        assert run_job(bank, sending) == (1, 0)
        assert run_job(bank, sending) == (0, 0)
        [notice] = notices(bank)
        assert (notice.tries, notice.next_try_at - clock.now()) == (tries, timedelta(minutes=2**tries))
        clock.freeze(notice.next_try_at)
    run_job(bank, sending)
    [notice] = notices(bank)
    assert (notice.tries, notice.given_up_at, notice.sent_at) == (MOST_TRIES, clock.now(), None)
    clock.freeze(clock.now() + timedelta(days=30))
    assert run_job(bank, sending) == (0, 0)
    assert wechat.state.calls().count(SEND) == MOST_TRIES


def test_a_notice_that_failed_once_arrives_when_wechat_is_back(
    bank: Database, sending: Job, wechat: FakeWeChat, person: Actor
) -> None:
    wechat.state.script([Fault(SEND, drop=True)])
    tell(bank, person)
    run_job(bank, sending)
    assert wechat.state.messages() == []
    clock.freeze(NINE + timedelta(minutes=2))
    run_job(bank, sending)
    assert len(wechat.state.messages()) == 1
    [notice] = notices(bank)
    assert (notice.sent_at, notice.tries) == (clock.now(), 1)


def test_who_has_no_wechat_is_not_tried_for_ever(bank: Database, sending: Job, wechat: FakeWeChat) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        notify_person(session, person_id=open_person(session), title="时长已到账", body="一小时")
    run_job(bank, sending)
    [notice] = notices(bank)
    assert (notice.given_up_at, notice.last_error) == (NINE, "没有微信登录")
    assert wechat.state.calls() == []
