"""The outbox: written with the deed, sent once, tried again, given up."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread
from uuid import UUID

import pytest

from tests.factories.people import DAYAN, XIWU, add_elder
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.notifications.actions import (
    mark_failed,
    mark_sent,
    notices_for,
    notify_person,
    notify_stewards,
    take_notice,
    unsent_notices,
)
from timebank.notifications.models import Notice
from timebank.people.login_models import Login


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def told(bank: Database) -> tuple[Actor, UUID]:
    """An elder and the one notice that awaits sending."""
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        notify_person(session, person_id=elder.person(), title="请确认服务", body="王梅服务了60分钟。")
    with bank.session() as session:
        [notice_id] = unsent_notices(session, limit=9)
    return elder, notice_id


def send(bank: Database, notice_id: UUID, *, error: str | None = None, final: bool = False) -> bool:
    """What the sending job does with one notice; False where there was nothing to do."""
    with bank.unit_of_work() as session:
        taken = take_notice(session, notice_id)
        if taken is None:
            return False
        if error is None:
            mark_sent(taken[0])
        else:
            mark_failed(taken[0], error=error, final=final)
        return True


def unsent(bank: Database) -> list[UUID]:
    with bank.session() as session:
        return unsent_notices(session, limit=9)


def read(bank: Database, notice_id: UUID) -> Notice:
    with bank.session() as session:
        return session.get_one(Notice, notice_id)


def test_a_notice_of_a_deed_that_was_undone_was_never_written(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)

    def fail() -> None:
        with bank.unit_of_work() as session:
            notify_person(session, person_id=elder.person(), title="请确认服务", body="")
            session.flush()
            raise RuntimeError("undone")

    with pytest.raises(RuntimeError, match="undone"):
        fail()
    assert unsent(bank) == []


def test_a_notice_goes_to_its_persons_wechat_and_is_sent_once(bank: Database) -> None:
    elder, notice_id = told(bank)
    with bank.session() as session:
        taken = take_notice(session, notice_id)
        assert taken is not None
        assert (taken[0].body, taken[1]) == ("王梅服务了60分钟。", f"openid-{elder.person_id}")
    assert send(bank, notice_id)
    assert read(bank, notice_id).sent_at == NINE
    assert unsent(bank) == []
    assert not send(bank, notice_id)


def test_somebody_without_an_open_wechat_login_has_no_address(bank: Database) -> None:
    elder, notice_id = told(bank)
    with bank.unit_of_work() as session:
        session.get_one(Login, elder.login_id).disabled_at = NINE
    with bank.session() as session:
        taken = take_notice(session, notice_id)
        assert taken is not None
        assert taken[1] is None


def test_a_failure_is_tried_again_with_growing_pauses_and_given_up_at_last(bank: Database) -> None:
    _, notice_id = told(bank)
    for minutes in (2, 4, 8, 16, 32):
        assert unsent(bank) == [notice_id]
        assert send(bank, notice_id, error="busy")
        # Neither the job that looks nor one that looked before takes it again too early.
        clock.freeze(clock.now() + timedelta(minutes=minutes, microseconds=-1))
        assert unsent(bank) == []
        assert not send(bank, notice_id)
        clock.freeze(clock.now() + timedelta(microseconds=1))
    assert send(bank, notice_id, error="busy" * 100)
    notice = read(bank, notice_id)
    assert (notice.tries, notice.sent_at, notice.given_up_at) == (6, None, clock.now())
    assert len(notice.last_error or "") == 200
    clock.freeze(clock.now() + timedelta(days=99))
    assert unsent(bank) == []
    assert not send(bank, notice_id)


def test_what_can_never_arrive_is_given_up_at_once_and_stays_readable(bank: Database) -> None:
    elder, notice_id = told(bank)
    send(bank, notice_id, error="refused by the user", final=True)
    assert unsent(bank) == []
    with bank.session() as session:
        [notice] = notices_for(session, person_id=elder.person_id, limit=9)
        assert (notice.title, notice.given_up_at) == ("请确认服务", NINE)


def test_two_senders_at_once_send_once_and_neither_waits(bank: Database) -> None:
    _, notice_id = told(bank)
    holding, done = Event(), Event()
    first: list[bool] = []

    def hold() -> None:
        with bank.unit_of_work() as session:
            taken = take_notice(session, notice_id)
            holding.set()
            done.wait(30)
            if taken is not None:
                mark_sent(taken[0])
            first.append(taken is not None)

    thread = Thread(target=hold)
    thread.start()
    assert holding.wait(30)
    # The first one is still sending; a second one that waited for it would never come back.
    assert not send(bank, notice_id)
    done.set()
    thread.join()
    assert first == [True]
    assert read(bank, notice_id).sent_at == NINE


def test_stewards_find_theirs_and_nothing_is_sent(bank: Database) -> None:
    with bank.unit_of_work() as session:
        for township in (XIWU, DAYAN, None):
            notify_stewards(session, township_code=township, title=f"给{township}", body="")
    assert unsent(bank) == []
    with bank.session() as session:
        for township in (XIWU, DAYAN, None):
            assert [n.title for n in notices_for(session, township_code=township, limit=9)] == [f"给{township}"]


def test_notices_are_read_newest_first_and_page_by_page(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, other = add_elder(session, XIWU), add_elder(session, XIWU)
        for number in range(5):
            for person in (elder, other):
                notify_person(session, person_id=person.person(), title=f"{number}", body="")
                session.flush()
    with bank.session() as session:
        everything = notices_for(session, person_id=elder.person_id, limit=9)
        assert sorted((n.title for n in everything), reverse=True) == ["4", "3", "2", "1", "0"]
        assert [n.id for n in everything] == sorted((n.id for n in everything), reverse=True)
        rest = notices_for(session, person_id=elder.person_id, limit=9, before=everything[1].id)
        assert [n.id for n in rest] == [n.id for n in everything[2:]]
