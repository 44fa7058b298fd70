"""Every page that links lead to, in Chromium, in both versions: read, touched and weighed as old people would."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page

from scripts.screens.walking import CARE, COUNTER, DESK, PHONE, Look, every_kind, opened
from tests.api.scene import PASSWORD
from tests.browser.looking import ELDER, MOST_BYTES, STANDARD, Traffic, axe_faults, faults_of
from tests.thorough import length

SMALL_LINK = """<!doctype html><html lang="zh-CN"><head><title>t</title></head>
<body><main><h1 style="font-size: 30px">大字</h1>
<a href="/" style="font-size: 24px; display: block">回首页</a></main></body></html>"""

LOOKS = {
    Look("elder", PHONE, 390): 24,
    Look("elder", PHONE, 320, elder=True): 60,
    Look("volunteer", PHONE, 320): 24,
    Look("clerk", COUNTER, 1024): 36,
    Look("provider", f"{CARE}coming", 390): 24,
    Look("district", DESK, 1280): 48,
    Look("steward_xiwu", DESK, 1280): 14,
    Look("auditor", DESK, 1280): 14,
}
"""Who looks, and at how many kinds of pages in the suite; in ``make thorough`` at all of them."""
MORE_LOOKS = (
    Look("volunteer", PHONE, 390),
    Look("volunteer", PHONE, 320, elder=True),
    Look("provider", CARE, 1024),
    *(Look("proxy", PHONE, 320, elder) for elder in (False, True)),
    *(Look(who, DESK, 390) for who in ("district", "steward_xiwu", "auditor")),
)


def walk(page: Page, look: Look, most: int) -> tuple[dict[str, list[str]], int]:
    """Look at every kind of page that links lead to; what is wrong with each, and how many were looked at."""
    wrong: dict[str, list[str]] = {}
    looked, traffic = 0, Traffic(page)
    for path, status in every_kind(page, look.start, most):
        looked += 1
        faults = [] if status == 200 else [f"answers {status}"]
        faults += faults_of(page, ELDER if look.elder else STANDARD)
        if traffic.bytes > MOST_BYTES and look.start != DESK:
            faults.append(f"{traffic.bytes} bytes")
        if len(traffic.hosts) > 1:
            faults.append(f"asks {traffic.hosts}")
        if faults:
            wrong[path] = faults
        traffic.forget()
    return wrong, looked


@pytest.mark.parametrize("look", [*LOOKS, *MORE_LOOKS[: length(0, len(MORE_LOOKS))]], ids=lambda look: look.folder)
def test_every_page_can_be_read_and_touched(chromium: Browser, site: str, look: Look) -> None:
    with opened(chromium, site, look, PASSWORD) as page:
        wrong, looked = walk(page, look, length(LOOKS.get(look, 0), 400))
    assert wrong == {}
    # A home-care provider has the fewest rooms.
    assert looked > 5


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
