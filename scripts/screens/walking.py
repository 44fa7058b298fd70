"""Walking through the pages as somebody: sign in, choose a version, and open every kind of page that links lead to."""

from __future__ import annotations

import re
import shutil
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as BrowserError

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PHONE, COUNTER, CARE, DESK = "/m/", "/counter/", "/care/", "/desk/"
HIGH_PX = 844
_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)[0-9][0-9-]*(?=/|$)"
    r"|(?<=/policies/)[a-z0-9_]+(?=/propose|/history)|(?<=/sets/)(?!compare)[a-z_]+"
)
"""Ids, and the numbers, days, months, names of policies and of their sets that stand where an id stands."""
_LEFT_ALONE = ("/api/", "/openapi", "/static/")


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, from where on, how wide, and at which version."""

    who: str
    start: str
    width: int
    elder: bool = False

    @property
    def folder(self) -> str:
        """One name for all of it."""
        return f"{self.who}-{self.width}{'-elder' if self.elder else ''}"


def chromium_program() -> str | None:
    """Where Chromium lies on this machine; None where there is none."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


@contextmanager
def opened(
    browser: Browser, site: str, look: Look, password: str, *, workers: Literal["allow", "block"] = "allow"
) -> Iterator[Page]:
    """A page of somebody who has signed in and chosen a version; ``password`` is for staff.

    ``workers`` says whether the page's own service worker may run.
    """
    size = {"width": look.width, "height": HIGH_PX}
    context = browser.new_context(viewport=size, base_url=site, locale="zh-CN", service_workers=workers)  # type: ignore[arg-type]
    page = context.new_page()
    try:
        sign_in(page, look, password)
        yield page
    finally:
        context.close()


def sign_in(page: Page, look: Look, password: str) -> None:
    """Through the form that such people use."""
    if look.start == PHONE:
        page.goto("/m/sign-in")
        page.fill("#name", look.who)
    else:
        page.goto("/staff/sign-in")
        page.fill("#username", look.who)
        page.fill("#password", password)
    page.click("main form button")
    page.wait_for_load_state()
    if look.elder:
        page.click("text=长辈版")
        page.wait_for_load_state()


def every_kind(page: Page, start: str, most: int | None = None) -> Iterator[tuple[str, int]]:
    """Open one page of every kind, in the order in which one comes to them: its path and its status.

    Whoever takes them leaves the page open. What is handed out as a file is no page.
    """
    seen, waiting = {kind_of(start)}, deque([start])
    while waiting and most != 0:
        path = waiting.popleft()
        status = _open(page, path)
        if status is None:
            continue
        most = None if most is None else most - 1
        yield path, status
        for link in _links(page):
            if kind_of(link) not in seen:
                seen.add(kind_of(link))
                waiting.append(link)


def kind_of(path: str) -> str:
    """Pages that differ by an id, or by what is asked for in the query, are of one kind."""
    split = urlsplit(path)
    names = sorted(one.partition("=")[0] for one in split.query.split("&"))
    return _ID.sub("*", split.path) + "?" + "&".join(names)


def named(path: str) -> str:
    """``path`` as part of a file's name."""
    return _ID.sub("id", path.strip("/")).replace("/", "_").replace("?", "-")[:80] or "front"


def _open(page: Page, path: str) -> int | None:
    try:
        answer = page.goto(path)
    except BrowserError as failed:
        if "Download is starting" in failed.message:
            return None
        raise
    assert answer is not None
    return answer.status


def _links(page: Page) -> list[str]:
    """Where one can go from here on this site, as paths."""
    here = urlsplit(page.url)
    found = [urlsplit(link) for link in page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")]
    of_here = [one for one in found if one.netloc == here.netloc and not one.path.startswith(_LEFT_ALONE)]
    return [one.path + (f"?{one.query}" if one.query else "") for one in of_here]
