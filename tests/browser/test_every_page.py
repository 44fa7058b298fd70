"""Every page that links lead to, in Chromium, in both versions: read, touched and weighed as old people would."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page

from tests.api.scene import PASSWORD
from tests.browser.looking import ELDER, MOST_BYTES, STANDARD, Traffic, Version, axe_faults, faults_of
from tests.thorough import length

SMALL_LINK = """<!doctype html><html lang="zh-CN"><head><title>t</title></head>
<body><main><h1 style="font-size: 30px">大字</h1>
<a href="/" style="font-size: 24px; display: block">回首页</a></main></body></html>"""


@contextmanager
def opened(chromium: Browser, site: str, who: str, width: int, version: Version) -> Iterator[Page]:
    """A page of somebody who has signed in and chosen a version."""
    context = chromium.new_context(viewport={"width": width, "height": 844}, base_url=site)
    page = context.new_page()
    if who in ("volunteer", "elder", "proxy"):
        page.goto("/m/sign-in")
        page.fill("#name", who)
    else:
        page.goto("/staff/sign-in")
        page.fill("#username", who)
        page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_load_state()
    if version is ELDER:
        page.click("text=长辈版")
        page.wait_for_load_state()
    try:
        yield page
    finally:
        context.close()


def kind_of(path: str) -> str:
    """Pages that differ by an id only are looked at once."""
    split = urlsplit(path)
    parts = ["*" if len(part) > 30 else part for part in split.path.split("/")]
    return "/".join(parts) + "?" + "&".join(sorted(one.partition("=")[0] for one in split.query.split("&")))


def walk(page: Page, start: str, version: Version, most: int) -> tuple[dict[str, list[str]], int]:
    """Look at every kind of page that links lead to; what is wrong with each, and how many were looked at."""
    wrong: dict[str, list[str]] = {}
    seen, waiting = {kind_of(start)}, deque([start])
    looked = 0
    while waiting and looked < most:
        path = waiting.popleft()
        traffic = Traffic(page)
        answer = page.goto(path)
        assert answer is not None
        looked += 1
        faults = [] if answer.status == 200 else [f"answers {answer.status}"]
        faults += faults_of(page, version)
        if traffic.bytes > MOST_BYTES and "/desk" not in path:
            faults.append(f"{traffic.bytes} bytes")
        if len(traffic.hosts) > 1:
            faults.append(f"asks {traffic.hosts}")
        if faults:
            wrong[path] = faults
        for link in page.eval_on_selector_all("a[href^='/']", "all => all.map(one => one.getAttribute('href'))"):
            if kind_of(link) not in seen and not link.startswith(("/api/", "/openapi", "/static/")):
                seen.add(kind_of(link))
                waiting.append(link)
    return wrong, looked


@pytest.mark.parametrize("who", ["elder", "volunteer"])
@pytest.mark.parametrize(("version", "width"), [(STANDARD, 390), (ELDER, 320)])
def test_every_page_of_a_phone_can_be_read_and_touched(
    chromium: Browser, site: str, who: str, version: Version, width: int
) -> None:
    with opened(chromium, site, who, width, version) as page:
        wrong, looked = walk(page, "/m/", version, length(60, 400))
    assert wrong == {}
    assert looked > 8


@pytest.mark.parametrize(("who", "start", "width"), [("clerk", "/counter/", 1024), ("district", "/desk/", 1280)])
def test_every_page_of_counter_and_desk_can_be_read_and_touched(
    chromium: Browser, site: str, who: str, start: str, width: int
) -> None:
    with opened(chromium, site, who, width, STANDARD) as page:
        wrong, looked = walk(page, start, STANDARD, length(60, 400))
    assert wrong == {}
    assert looked > 4


def test_a_small_link_that_axe_lets_pass_is_found_here(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content(SMALL_LINK)
    assert axe_faults(page) == []
    found = faults_of(page, ELDER)
    assert [one.partition(":")[2].strip() for one in found if one.startswith("target")] == ["回首页"]
    page.close()


def test_text_that_is_too_small_and_a_page_that_is_too_wide_are_found(chromium: Browser) -> None:
    page = chromium.new_page(viewport={"width": 320, "height": 600})
    page.set_content(SMALL_LINK.replace("30px", "17px").replace("<main>", '<main style="width: 400px">'))
    found = faults_of(page, STANDARD)
    assert any(one.startswith("text of 17px") for one in found)
    assert any("400" in one or "wide" in one for one in found)
    page.close()
