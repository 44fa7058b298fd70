"""Writes that survive a lost answer: one key, one effect, and nothing forgotten."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from clients.miniprogram.api import Api, OutcomeUnknown
from clients.miniprogram.problem import Problem
from clients.miniprogram.storage import KEY_LIMIT_BYTES, Storage, StorageError
from clients.miniprogram.wx import RequestFailed, Wx

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.clients.conftest import Reply, Request, ScriptedBank

BUY = ("POST", "/vouchers")


class Counter:
    """A bank's counter that does each key once and answers repeated keys as it did the first time."""

    def __init__(self, bank: ScriptedBank, *, answers_lost: int = 0) -> None:
        self._bank = bank
        self._lost = answers_lost
        self.sold: dict[str, Any] = {}

    def __call__(self, request: Request) -> Reply:
        assert request.key is not None
        self.sold.setdefault(request.key, request.body)
        if self._lost > 0:
            self._lost -= 1
            return self._bank.cut()
        return self._bank.reply(201, {"sold": request.body["quantity"]})


def restarted(storage: Storage, bank: ScriptedBank, sleep: Callable[[float], None]) -> Api:
    return Api(Wx(code_source=lambda: "demo:wang", storage=storage), bank.url, sleep=sleep)


def test_every_write_has_a_key_of_its_own(api: Api, bank: ScriptedBank) -> None:
    bank.on(*BUY, Counter(bank))
    for _ in range(2):
        api.write("/vouchers", {"quantity": 1}, title="换券")
    keys = [request.key for request in bank.asked(*BUY)]
    assert len({uuid.UUID(key) for key in keys}) == 2


def test_a_lost_answer_is_asked_for_again_with_the_same_key(api: Api, bank: ScriptedBank, pauses: list[float]) -> None:
    counter = Counter(bank, answers_lost=2)
    bank.on(*BUY, counter)
    assert api.write("/vouchers", {"quantity": 2}, title="换券") == {"sold": 2}
    assert len(bank.asked(*BUY)) == 3
    assert len(counter.sold) == 1
    assert api.pending() == []
    assert pauses == sorted(pauses)
    assert len(pauses) == 2


def test_the_write_is_on_the_phone_before_it_leaves(api: Api, bank: ScriptedBank) -> None:
    on_the_phone: list[tuple[bool, dict[str, Any], str]] = []

    def look(request: Request) -> Reply:
        on_the_phone.extend((write.key == request.key, write.body, write.title) for write in api.pending())
        return bank.reply(201, {})

    bank.on(*BUY, look)
    api.write("/vouchers", {"quantity": 2}, title="换券")
    assert on_the_phone == [(True, {"quantity": 2}, "换券")]


def test_a_write_that_the_phone_cannot_keep_is_not_sent(api: Api, bank: ScriptedBank) -> None:
    bank.on(*BUY, bank.reply(201, {}))
    with pytest.raises(StorageError):
        api.write("/vouchers", {"note": "x" * KEY_LIMIT_BYTES}, title="换券")
    assert bank.requests == []


def test_without_any_answer_the_write_stays_and_is_settled_after_a_restart(
    api: Api, bank: ScriptedBank, storage: Storage, pauses: list[float]
) -> None:
    counter = Counter(bank, answers_lost=4)
    bank.on(*BUY, counter)
    with pytest.raises(OutcomeUnknown) as unknown:
        api.write("/vouchers", {"quantity": 2}, title="换券")
    assert isinstance(unknown.value.cause, RequestFailed)
    assert len(bank.asked(*BUY)) == 4

    next_start = restarted(storage, bank, pauses.append)
    assert [write.key for write in next_start.pending()] == [unknown.value.write.key]
    (settled,) = next_start.settle_pending()
    assert (settled.answer, settled.problem, settled.write.title) == ({"sold": 2}, None, "换券")
    assert len(counter.sold) == 1
    assert next_start.pending() == []
    assert next_start.settle_pending() == []


def test_a_phone_that_died_while_sending_settles_at_the_next_start(
    api: Api, wx: Wx, bank: ScriptedBank, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.on(*BUY, Counter(bank))

    def die(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(wx, "request", die)
    with pytest.raises(KeyboardInterrupt):
        api.write("/vouchers", {"quantity": 1}, title="换券")
    (settled,) = restarted(storage, bank, lambda _: None).settle_pending()
    assert settled.answer == {"sold": 1}


def test_pending_writes_are_settled_oldest_first(api: Api, bank: ScriptedBank, storage: Storage) -> None:
    bank.on(*BUY, bank.cut())
    for quantity in (3, 1, 2):
        with pytest.raises(OutcomeUnknown):
            api.write("/vouchers", {"quantity": quantity}, title="换券")
    bank.on(*BUY, Counter(bank))
    settled = restarted(storage, bank, lambda _: None).settle_pending()
    assert [one.answer for one in settled] == [{"sold": 3}, {"sold": 1}, {"sold": 2}]


def test_still_without_a_network_settling_stops_at_the_first(api: Api, bank: ScriptedBank) -> None:
    bank.on(*BUY, bank.cut())
    for quantity in (1, 2):
        with pytest.raises(OutcomeUnknown):
            api.write("/vouchers", {"quantity": quantity}, title="换券")
    sent = len(bank.requests)
    assert api.settle_pending() == []
    assert len(bank.requests) == sent + 1
    assert len(api.pending()) == 2


def test_asking_again_for_what_is_unknown_takes_up_the_same_key(api: Api, bank: ScriptedBank) -> None:
    counter = Counter(bank, answers_lost=4)
    bank.on(*BUY, counter)
    with pytest.raises(OutcomeUnknown):
        api.write("/vouchers", {"quantity": 2}, title="换券")
    assert api.write("/vouchers", {"quantity": 2}, title="换券") == {"sold": 2}
    assert len(counter.sold) == 1
    assert api.write("/vouchers", {"quantity": 2}, title="换券") == {"sold": 2}
    assert len(counter.sold) == 2


def test_two_equal_wishes_at_the_same_time_are_two(api: Api, bank: ScriptedBank) -> None:
    counter = Counter(bank)

    def overtaken(request: Request) -> Reply:
        if not counter.sold:
            counter(request)
            api.write("/vouchers", {"quantity": 1}, title="换券")
        return counter(request)

    bank.on(*BUY, overtaken)
    api.write("/vouchers", {"quantity": 1}, title="换券")
    assert len(counter.sold) == 2


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_final_refusal_is_told_once_and_leaves_nothing_behind(
    api: Api, bank: ScriptedBank, pauses: list[float], status: int
) -> None:
    facts = {"available_minutes": 30, "needed_minutes": 60}
    bank.on(*BUY, bank.problem(status, "insufficient_minutes", "时长不够", detail="差一点", request_id="r1", **facts))
    with pytest.raises(Problem) as refused:
        api.write("/vouchers", {"quantity": 1}, title="换券")
    said = refused.value
    assert (said.status, said.code, said.title, said.detail) == (status, "insufficient_minutes", "时长不够", "差一点")
    assert (said.facts, said.request_id) == (facts, "r1")
    assert len(bank.asked(*BUY)) == 1
    assert (api.pending(), pauses) == ([], [])


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_fault_of_the_bank_leaves_the_outcome_open(api: Api, bank: ScriptedBank, status: int) -> None:
    bank.on(*BUY, bank.problem(status, "internal", "系统忙", request_id="r2"))
    with pytest.raises(OutcomeUnknown) as unknown:
        api.write("/vouchers", {"quantity": 1}, title="换券")
    assert isinstance(unknown.value.cause, Problem)
    assert unknown.value.cause.request_id == "r2"
    assert {request.key for request in bank.asked(*BUY)} == {unknown.value.write.key}
    assert len(bank.asked(*BUY)) == 4
    bank.on(*BUY, Counter(bank))
    assert [settled.answer for settled in api.settle_pending()] == [{"sold": 1}]


def test_a_hotspots_login_page_is_not_taken_for_a_yes(api: Api, bank: ScriptedBank) -> None:
    counter = Counter(bank)
    bank.on(*BUY, bank.reply(200, b"<html>Wi-Fi</html>"), bank.reply(302, b"", Location="/"), counter)
    assert api.write("/vouchers", {"quantity": 1}, title="换券") == {"sold": 1}
    assert len(counter.sold) == 1


def test_a_refused_login_settles_nothing_once_an_answer_was_lost(api: Api, bank: ScriptedBank) -> None:
    bank.on(*BUY, bank.cut(), bank.problem(401, "token_invalid", "请重新登录"))
    bank.on("POST", "/auth/wechat-login", bank.problem(403, "wechat_blocked", "微信暂时不让登录"))
    with pytest.raises(OutcomeUnknown):
        api.write("/vouchers", {"quantity": 1}, title="换券")
    assert len(api.pending()) == 1


def test_a_refused_login_before_anything_was_done_leaves_nothing_behind(api: Api, bank: ScriptedBank) -> None:
    bank.on(*BUY, bank.problem(401, "token_invalid", "请重新登录"))
    bank.on("POST", "/auth/wechat-login", bank.problem(403, "wechat_blocked", "微信暂时不让登录"))
    with pytest.raises(Problem, match="wechat_blocked"):
        api.write("/vouchers", {"quantity": 1}, title="换券")
    assert api.pending() == []


def test_a_write_refused_for_its_token_goes_again_with_its_key(api: Api, bank: ScriptedBank) -> None:
    counter = Counter(bank)
    bank.on(*BUY, bank.problem(401, "token_invalid", "请重新登录"), counter)
    assert api.write("/vouchers", {"quantity": 1}, title="换券") == {"sold": 1}
    assert len({request.key for request in bank.asked(*BUY)}) == 1


def test_a_pending_write_is_sent_to_no_other_bank(api: Api, wx: Wx, bank: ScriptedBank) -> None:
    bank.on(*BUY, bank.cut())
    with pytest.raises(OutcomeUnknown):
        api.write("/vouchers", {"quantity": 1}, title="换券")
    sent = len(bank.requests)
    other = Api(wx, bank.url.replace("127.0.0.1", "localhost"))
    assert other.settle_pending() == []
    assert len(bank.requests) == sent


def test_a_list_is_followed_to_its_last_page(api: Api, bank: ScriptedBank) -> None:
    pages = {None: ([1, 2], "b"), "b": ([3], "c"), "c": ([4], None)}

    def page(request: Request) -> Reply:
        numbers, following = pages[request.query.get("cursor")]
        return bank.reply(200, {"items": [{"n": n} for n in numbers], "next_cursor": following})

    bank.on("GET", "/tasks", page)
    assert [item["n"] for item in api.items("/tasks", {"mine": "true", "status": None})] == [1, 2, 3, 4]
    assert {request.query["mine"] for request in bank.requests} == {"true"}
    assert not any("status" in request.query for request in bank.requests)


def test_a_list_that_leads_in_a_circle_ends(api: Api, bank: ScriptedBank) -> None:
    bank.on("GET", "/tasks", bank.reply(200, {"items": [{}], "next_cursor": "again"}))
    with pytest.raises(Problem, match="cursor_repeated"):
        list(api.items("/tasks"))
    assert len(bank.requests) == 2


def test_reading_tries_a_second_time_before_it_gives_up(api: Api, bank: ScriptedBank, pauses: list[float]) -> None:
    bank.on("GET", "/me", bank.cut(), bank.reply(200, {"name": "王"}), bank.cut())
    assert api.get("/me") == {"name": "王"}
    with pytest.raises(RequestFailed):
        api.get("/me")
    assert len(bank.requests) == 4
    assert len(pauses) == 2
