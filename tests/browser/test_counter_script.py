"""counter.js by itself: the focus, the last ten, sounds, and scans that outlive a lost line and a page loaded again."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from scripts.screens.walking import COUNTER, Look, opened
from tests.api.scene import PASSWORD

SOUNDS = """() => {
  window.heard = [];
  class Voice {
    constructor() { this.frequency = {}; }
    connect(next) { return next; }
    start() { window.heard.push([this.type, this.frequency.value]); }
    stop() {}
  }
  window.AudioContext = class {
    constructor() { this.currentTime = 0; this.destination = {}; }
    createOscillator() { return new Voice(); }
    createGain() { return { gain: {}, connect: (next) => next }; }
  };
}"""
"""In place of the loudspeaker: what would have been heard."""


@pytest.fixture
def counter(chromium: Browser, site: str) -> Iterator[Page]:
    """The clerk's tablet with the field in sight, and no loudspeaker."""
    with opened(chromium, site, Look("clerk", COUNTER, 1024), PASSWORD) as page:
        page.add_init_script(f"({SOUNDS})()")
        page.goto(COUNTER)
        yield page


@pytest.fixture
def counter_alone(chromium: Browser, site: str) -> Iterator[Page]:
    """The same without its worker: what passes through a worker cannot be answered by the test."""
    with opened(chromium, site, Look("clerk", COUNTER, 1024), PASSWORD, workers="block") as page:
        yield page


def scan(page: Page, code: str) -> None:
    page.keyboard.type(code)
    page.keyboard.press("Enter")


def has_focus(page: Page) -> str:
    return str(page.evaluate("() => document.activeElement.id || document.activeElement.tagName"))


def recent(page: Page) -> list[str]:
    return page.locator("#recent li:not(.none)").all_inner_texts()


def test_the_field_has_the_focus_after_loading_after_a_scan_and_after_a_touch_beside_it(counter: Page) -> None:
    assert has_focus(counter) == "code"
    scan(counter, "no-such-1")
    expect(counter.locator("#answer")).to_contain_text("没有这张券")
    assert (has_focus(counter), counter.input_value("#code")) == ("code", "")
    counter.click("h1")
    assert has_focus(counter) == "code"
    counter.evaluate("() => document.activeElement.blur()")
    scan(counter, "no-such-2")
    expect(counter.locator("#recent li")).to_have_count(2)
    assert has_focus(counter) == "code"


def test_whoever_goes_elsewhere_by_hand_is_let_go(counter: Page) -> None:
    counter.keyboard.press("Shift+Tab")
    assert has_focus(counter) != "code"
    counter.keyboard.press("Tab")
    counter.keyboard.press("Tab")
    assert counter.evaluate("() => document.activeElement.innerText") == "查这一张"


def test_the_last_ten_scans_stay_in_sight_and_after_loading_again(counter: Page) -> None:
    for number in range(11):
        scan(counter, f"no-such-{number}")
        expect(counter.locator("#recent li:not(.none)")).to_have_count(min(number + 1, 10))
    assert all("否" in one and "没有这张券" in one for one in recent(counter))
    counter.context.set_offline(True)
    scan(counter, "the-twelfth")
    expect(counter.locator("#recent li").first).to_contain_text("断网，先记下")
    before = recent(counter)
    assert len(before) == 10
    counter.context.set_offline(False)
    expect(counter.locator("#waiting")).to_be_hidden()
    counter.goto("/counter/today")
    counter.goto(COUNTER)
    assert recent(counter) == before


def test_scans_that_come_faster_than_answers_are_answered_one_by_one_in_order(counter: Page) -> None:
    asked = []
    counter.on("request", lambda one: asked.append(one.post_data or "") if one.method == "POST" else None)
    for code in ("first", "second", "third"):
        scan(counter, code)
    expect(counter.locator("#recent li:not(.none)")).to_have_count(3)
    assert [next(code for code in ("first", "second", "third") if code in one) for one in asked] == [
        "first",
        "second",
        "third",
    ]
    assert counter.evaluate("() => Object.keys(localStorage).filter((name) => name.startsWith('counter.scan.'))") == []


def test_a_no_sounds_otherwise_than_what_is_only_kept(counter: Page) -> None:
    scan(counter, "no-such")
    expect(counter.locator("#answer")).to_contain_text("没有这张券")
    assert counter.evaluate("() => window.heard") == [["square", 220]] * 2
    counter.evaluate("() => { window.heard.length = 0 }")
    counter.context.set_offline(True)
    scan(counter, "no-such-either")
    expect(counter.locator("#answer")).to_contain_text("先记下")
    assert counter.evaluate("() => window.heard") == [["sine", 440]] * 2
    assert counter.locator("#answer").get_attribute("class") == "verdict wait"


def test_scans_kept_without_a_line_outlive_a_reload_and_are_sent_once_in_order(counter: Page) -> None:
    sent: list[list[str]] = []

    def watch(request: Request) -> None:
        if request.url.endswith("/counter/send"):
            sent.append([one["code"] for one in json.loads(request.post_data_json["scans"])])

    counter.context.on("request", watch)
    counter.evaluate("() => navigator.serviceWorker.ready")
    counter.wait_for_function("async () => Boolean(await caches.match('/counter/offline'))")
    counter.context.set_offline(True)
    for code in ("kept-1", "kept-2", "kept-3"):
        scan(counter, code)
    expect(counter.locator("#waiting")).to_contain_text("还有 3 张没有补传")
    counter.reload()
    expect(counter.locator("h1")).to_contain_text("断网")
    expect(counter.locator("#waiting")).to_contain_text("还有 3 张没有补传")
    assert has_focus(counter) == "code"
    scan(counter, "kept-4")
    scan(counter, "kept-1")
    expect(counter.locator("#answer")).to_contain_text("已经在这台机器上扫过")
    expect(counter.locator("#waiting")).to_contain_text("还有 4 张没有补传")
    counter.context.set_offline(False)
    expect(counter.locator("#kept-no h2")).to_contain_text("补传后没有通过：4 张")
    expect(counter.locator("h1")).not_to_contain_text("断网")
    expect(counter.locator("#waiting")).to_be_hidden()
    counter.reload()
    expect(counter.locator("#kept-no li")).to_have_count(4)
    assert sent == [["kept-1", "kept-2", "kept-3", "kept-4"]]
    counter.click("text=都看过了，不再显示")
    expect(counter.locator("#kept-no")).to_be_hidden()
    counter.reload()
    expect(counter.locator("#kept-no")).to_be_hidden()


def test_a_pickup_number_without_its_meal_is_not_kept(counter: Page) -> None:
    counter.context.set_offline(True)
    scan(counter, "12")
    expect(counter.locator("#answer")).to_contain_text("没有记下")
    expect(counter.locator("#waiting")).to_be_hidden()
    scan(counter, "午12")
    expect(counter.locator("#waiting")).to_contain_text("还有 1 张没有补传")


def test_a_bank_that_does_not_answer_is_a_lost_line_and_is_asked_again_by_hand(counter_alone: Page) -> None:
    counter = counter_alone
    counter.route("**/counter/", lambda route: route.fulfill(status=503, body=""))
    scan(counter, "no-such")
    expect(counter.locator("#answer")).to_contain_text("先记下")
    counter.click("text=现在补传")
    expect(counter.locator("#answer")).to_contain_text("还补传不了")
    expect(counter.locator("#waiting")).to_contain_text("还有 1 张没有补传")
    counter.unroute("**/counter/")
    counter.click("text=现在补传")
    expect(counter.locator("#kept-no")).to_contain_text("没有这张券")
    expect(counter.locator("#waiting")).to_be_hidden()
