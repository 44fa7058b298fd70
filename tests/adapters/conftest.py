"""A fake WeChat on loopback that checks the app's id and secret, and the bank's line to it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from app.adapters.wechat import WeChat
from clients.fake_wechat.server import FakeWeChat

APPID, SECRET = "wx-test-app", "the-apps-own-secret"


class Clock:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fake(clock: Clock) -> Iterator[FakeWeChat]:
    with FakeWeChat(appid=APPID, secret=SECRET, now=clock) as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def wechat(fake: FakeWeChat, pauses: list[float], clock: Clock) -> WeChat:
    return WeChat(fake.url, APPID, SECRET, sleep=pauses.append, now=clock)
