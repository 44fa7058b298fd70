"""``make screens``: a picture of every page that links lead to, phone and desk, both versions, in ``var/screens/``.

A bank of its own is started for it, in which the demo's people live through a month; pages that differ by an id only
are taken once.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from scripts.month.bank import MonthBank
from scripts.screens.life import live
from scripts.screens.walking import (
    CARE,
    COUNTER,
    DESK,
    HIGH_PX,
    PHONE,
    Look,
    chromium_program,
    every_kind,
    named,
    opened,
)

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "timebank-demo"
_LONGEST_PX = 6_000

LOOKS = (
    *(Look(who, PHONE, 390, elder) for who in ("周奶奶", "林阿姨", "周小敏") for elder in (False, True)),
    Look("周奶奶", PHONE, 320, elder=True),
    Look("canteen-xiwu", COUNTER, 1024),
    *(Look("care-xiwu", CARE, width) for width in (390, 1024)),
    *(Look(who, DESK, width) for who in ("xiwu", "district", "auditor") for width in (1280, 390)),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Take the pictures; 1 where there is no browser or a page answered with an error."""
    parser = argparse.ArgumentParser(prog="make screens", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "screens")
    parser.add_argument("--who", action="append", help="these people's pages only; repeatable")
    given = parser.parse_args(arguments)
    out, looks = given.out, [look for look in LOOKS if given.who is None or look.who in given.who]
    program = chromium_program()
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
            live(bank, PASSWORD)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
                for look in looks:
                    taken, failed = _take(browser, f"http://127.0.0.1:{bank.port}", look, out / look.folder)
                    print(
                        f"{look.folder}：{taken} 页" + (f"，打不开：{'、'.join(failed)}" if failed else ""), flush=True
                    )
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
    failed, taken = [], 0
    with opened(browser, site, look, PASSWORD) as page:
        for path, status in every_kind(page, look.start):
            taken += 1
            if status >= 400:
                failed.append(path)
            high = min(page.evaluate("() => document.documentElement.scrollHeight"), _LONGEST_PX)
            # As high as the page, so that what sticks to the bottom of the window lies at its end.
            page.set_viewport_size({"width": look.width, "height": max(high, HIGH_PX)})
            page.screenshot(path=folder / f"{taken:03}-{named(path)}.png")
            page.set_viewport_size({"width": look.width, "height": HIGH_PX})
    return taken, failed


if __name__ == "__main__":
    sys.exit(main())
