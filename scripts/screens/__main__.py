"""``make screens``: a picture of every page that links lead to, phone and desk, both versions, in ``var/screens/``.

A bank of its own with the demo's people is started for it; pages that differ by an id only are taken once.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import tempfile
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, sync_playwright

from scripts.month.bank import MonthBank

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
PASSWORD = "timebank-demo"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_LEFT_ALONE = ("/api/", "/openapi", "/static/")
_LONGEST_PX = 6_000


@dataclass(frozen=True, slots=True)
class Look:
    """Who looks, from where on, how wide, and at which version."""

    who: str
    start: str
    width: int
    elder: bool = False

    @property
    def folder(self) -> str:
        """Where its pictures lie."""
        return f"{self.who}-{self.width}{'-elder' if self.elder else ''}"


LOOKS = (
    *(Look(who, "/m/", 390, elder) for who in ("周奶奶", "林阿姨", "周小敏") for elder in (False, True)),
    Look("周奶奶", "/m/", 320, elder=True),
    Look("canteen-xiwu", "/counter/", 1024),
    *(Look(who, "/desk/", width) for who in ("xiwu", "district", "auditor") for width in (1280, 390)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures; 1 where there is no browser or a page answered with an error."""
    parser = argparse.ArgumentParser(prog="make screens", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "screens")
    out = parser.parse_args(arguments).out
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        print("没有 Chromium：apt-get install chromium fonts-noto-cjk", file=sys.stderr)
        return 1
    shutil.rmtree(out, ignore_errors=True)
    # Not below a home: as root such folders are closed to the database's user.
    folder = Path(tempfile.mkdtemp(prefix="timebank-screens-"))
    folder.chmod(0o711)
    wrong = 0
    try:
        bank = MonthBank(folder / "home", workers=1)
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                for look in LOOKS:
                    taken, failed = _take(browser, f"http://127.0.0.1:{bank.port}", look, out / look.folder)
                    print(f"{look.folder}：{taken} 页" + (f"，打不开：{'、'.join(failed)}" if failed else ""))
                    wrong += len(failed)
                browser.close()
        finally:
            bank.close()
    finally:
        shutil.rmtree(folder)
    print(f"都在 {out}")
    return 1 if wrong else 0


def _take(browser: Browser, site: str, look: Look, folder: Path) -> tuple[int, list[str]]:
    folder.mkdir(parents=True)
    context = browser.new_context(viewport={"width": look.width, "height": 844}, base_url=site, locale="zh-CN")
    page = context.new_page()
    _sign_in(page, look)
    failed, taken = [], 0
    for taken, path in enumerate(_reachable(page, look.start), start=1):
        answer = page.goto(path)
        if answer is None or answer.status >= 400:
            failed.append(path)
        high = min(page.evaluate("() => document.documentElement.scrollHeight"), _LONGEST_PX)
        name = _ID.sub("id", path.strip("/")).replace("/", "_").replace("?", "-") or "front"
        clip = {"x": 0, "y": 0, "width": look.width, "height": high}
        page.screenshot(path=folder / f"{taken:03}-{name[:80]}.png", full_page=True, clip=clip)  # type: ignore[arg-type]
    context.close()
    return taken, failed


def _sign_in(page: Page, look: Look) -> None:
    if look.start == "/m/":
        page.goto("/m/sign-in")
        page.fill("#name", look.who)
    else:
        page.goto("/staff/sign-in")
        page.fill("#username", look.who)
        page.fill("#password", PASSWORD)
    page.click("main form button")
    page.wait_for_load_state()
    if look.elder:
        page.click("text=长辈版")
        page.wait_for_load_state()


def _reachable(page: Page, start: str) -> Iterator[str]:
    """Every kind of page, in the order in which one comes to it; whoever takes them leaves the page open."""
    seen, waiting = {_kind(start)}, deque([start])
    while waiting:
        yield waiting.popleft()
        for link in page.eval_on_selector_all("a[href^='/']", "all => all.map(one => one.getAttribute('href'))"):
            if _kind(link) not in seen and not link.startswith(_LEFT_ALONE):
                seen.add(_kind(link))
                waiting.append(link)


def _kind(path: str) -> str:
    split = urlsplit(path)
    names = sorted(one.partition("=")[0] for one in split.query.split("&"))
    return _ID.sub("*", split.path) + "?" + "&".join(names)


if __name__ == "__main__":
    sys.exit(main())
