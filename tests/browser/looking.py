"""Looking at a page as an inspector of elder-friendly pages does: sizes, contrast, and whether all fits.

axe passes a link of 24 px; what is too small for old fingers and eyes is found here (MIIT's rules of 2021: main text of
18 px at least, in the elder version 24; targets of 44 by 44, in the elder version 60 by 60).
"""

from __future__ import annotations

from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Response

MOST_BYTES = 60 * 1024
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}
_SMALL_TEXT = """(least) => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.textContent.trim() || parent.closest('svg, script, style, .unseen, .skip, option')) continue;
    if (!parent.checkVisibility()) continue;
    const size = parseFloat(getComputedStyle(parent).fontSize);
    if (size < least) found.push(`${size}px: ${node.textContent.trim().slice(0, 20)}`);
  }
  return found;
}"""
_SMALL_TARGETS = """(least) => {
  const found = [];
  for (const one of document.querySelectorAll('a[href], button, input, select, textarea, summary')) {
    if (one.type === 'hidden' || one.closest('.skip') || !one.checkVisibility()) continue;
    // A radio button or a box is as large as the label around it.
    const target = ['radio', 'checkbox'].includes(one.type) ? one.closest('label') || one : one;
    const box = target.getBoundingClientRect();
    if (box.width + 0.5 < least || box.height + 0.5 < least) {
      const called = (one.innerText || one.name || '').slice(0, 20);
      found.push(`${Math.round(box.width)}x${Math.round(box.height)}: ${called}`);
    }
  }
  return found;
}"""

_WIDTHS = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of the pages and what it promises, in CSS pixels."""

    name: str
    text_px: int
    target_px: int


STANDARD, ELDER = Version("standard", 18, 44), Version("elder", 24, 60)


def faults_of(page: Page, version: Version) -> list[str]:
    """Everything on the page that is open that an old person would stumble over."""
    faults = [f"text of {one}" for one in page.evaluate(_SMALL_TEXT, version.text_px)]
    faults += [f"target of {one}" for one in page.evaluate(_SMALL_TARGETS, version.target_px)]
    faults += [f"axe {one}" for one in axe_faults(page)]
    faults += sideways(page)
    return faults


def axe_faults(page: Page) -> list[str]:
    """What axe calls a violation."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['target']}" for one in found]


def sideways(page: Page) -> list[str]:
    """Whether one must scroll sideways at this width, as it is and with letters 1.75 times as large."""
    faults = []
    for scale in ("100%", "175%"):
        page.evaluate("(scale) => { document.documentElement.style.fontSize = scale }", scale)
        wide, window = page.evaluate(_WIDTHS)
        if wide > window:
            faults.append(f"{wide} px wide in a window of {window} at {scale}")
    page.evaluate("() => { document.documentElement.style.fontSize = '' }")
    return faults


class Traffic:
    """What a page loads: how much, and from whom."""

    def __init__(self, page: Page) -> None:
        self.hosts, self._bytes_of = set[str](), dict[str, int]()
        page.on("response", self._take)

    @property
    def bytes(self) -> int:
        """Of everything but pictures, each once: a worker that keeps a page asks for it a second time."""
        return sum(self._bytes_of.values())

    def forget(self) -> None:
        """Count the next page by itself."""
        self.hosts.clear()
        self._bytes_of.clear()

    def _take(self, response: Response) -> None:
        self.hosts.add(response.url.split("/")[2])
        if not (response.headers.get("content-type") or "").startswith("image/"):
            self._bytes_of[response.url] = int(response.headers.get("content-length") or 0)
