"""Somebody at a browser: presses what is named so, fills in what is labelled so, and reads what is on the screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Browser, Locator, Page

from scripts.screens.walking import PHONE, Look, opened
from tests.api.scene import PASSWORD


class Somebody:
    """One person's browser, signed in."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def go(self, path: str) -> Somebody:
        """Open an address."""
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == 200, (path, answer.status, self.text)
        return self

    def press(self, name: str, *, within: Locator | None = None) -> Somebody:
        """Press the first button or link of the page, or ``within`` a part of it, whose name begins so; it leads on."""
        called, place = _pattern(name, begin=r"^\s*"), within or self.page.locator("body")
        places = place.get_by_role("button", name=called).or_(place.get_by_role("link", name=called))
        with self.page.expect_navigation():
            places.filter(visible=True).first.click()
        return self

    def fill(self, **fields: str) -> Somebody:
        """Fill fields in, each by its name in the form."""
        for name, value in fields.items():
            field = self.page.locator(f"main [name='{name}']").filter(visible=True).first
            if field.evaluate("one => one.tagName") == "SELECT":
                field.select_option(label=value)
            elif field.get_attribute("type") in ("radio", "checkbox"):
                self.page.get_by_label(_pattern(value, begin=r"^\s*")).first.check()
            else:
                field.fill(value)
        return self

    def row(self, words: str) -> Locator:
        """The first row of a list or table that says ``words``."""
        return self.page.locator("main li, main tbody tr").filter(has_text=_pattern(words)).first

    @property
    def text(self) -> str:
        """What one reads on the page, spaces and line ends as single spaces."""
        return " ".join(self.page.inner_text("main").split())

    @property
    def path(self) -> str:
        """Where one is."""
        return "/" + self.page.url.split("/", 3)[3]

    def fact(self, label: str) -> str:
        """What stands beside ``label`` in a list of facts."""
        whole = _pattern(label, begin=r"^\s*", end=r"\s*$")
        beside = self.page.locator("main dt").filter(has_text=whole).locator("xpath=following-sibling::dd")
        return " ".join(beside.first.inner_text().split())


@contextmanager
def people_at(chromium: Browser, site: str, **looks: Look) -> Iterator[list[Somebody]]:
    """Everybody named, each in a browser of their own."""
    with ExitStack() as open_ones:
        yield [Somebody(open_ones.enter_context(opened(chromium, site, look, PASSWORD))) for look in looks.values()]


def _pattern(words: str, *, begin: str = "", end: str = "") -> re.Pattern[str]:
    """``words`` as one reads them, whatever kind of space stands between, or none."""
    return re.compile(begin + r"\s*".join(map(re.escape, words.split(" "))) + end)


def phone_of(name: str, *, elder: bool = False) -> Look:
    """Somebody's phone."""
    return Look(name, PHONE, 390, elder)
