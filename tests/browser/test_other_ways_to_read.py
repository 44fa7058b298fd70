"""Pages for those who cannot see well, have no mouse, choose their own colours, or have no scripts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page

from scripts.screens.walking import COUNTER, DESK, PHONE, Look, every_kind, sign_in
from tests.api.scene import PASSWORD
from tests.thorough import length

ELDER, CLERK, DISTRICT = Look("elder", PHONE, 390), Look("clerk", COUNTER, 1024), Look("district", DESK, 1280)
LOOKS = (ELDER, CLERK, DISTRICT)

SPEECH = """() => {
  window.said = [];
  window.SpeechSynthesisUtterance = class { constructor(words) { this.words = words; } };
  const speech = {
    speaking: false,
    speak(one) { this.speaking = true; window.said.push([one.words, one.lang]); },
    cancel() { this.speaking = false; },
  };
  Object.defineProperty(window, "speechSynthesis", { value: speech });
}"""
"""In place of a voice: what would have been said."""

PRESSED_AGAIN_AND_AGAIN = """() => {
  const button = document.querySelector('main form button');
  for (const later of [0, 150, 300]) setTimeout(() => button.click(), later);
}"""
TO_BE_REACHED = """() => Array.from(document.querySelectorAll('a[href], button, input, select, textarea, summary'))
  .filter((one) => one.type !== 'hidden' && !one.disabled && one.checkVisibility())
  // Of radio buttons of one question, one is reached by Tab and the others by arrows.
  .filter((one, place, all) => one.type !== 'radio' || all.findIndex((other) => other.name === one.name) === place)
  .length"""
WHERE = """() => {
  const one = document.activeElement, shown = getComputedStyle(one);
  if (one === document.body) return null;
  window.reached = (window.reached || new Set()).add(one.type === 'radio' ? one.name : one);
  const said = (one.innerText || one.name || '').slice(0, 20);
  return { count: window.reached.size, said, style: shown.outlineStyle, width: parseFloat(shown.outlineWidth) };
}"""
"""How many places were reached so far, and how the one that has the focus is marked."""
BORDERLESS = """() => {
  const places = document.querySelectorAll('button, .button, input:not([type=hidden]), select, textarea');
  return Array.from(places)
    .filter((one) => one.checkVisibility() && !['radio', 'checkbox'].includes(one.type))
    .filter((one) => {
      const shown = getComputedStyle(one);
      return shown.borderStyle === 'none' || parseFloat(shown.borderWidth) < 1;
    })
    .map((one) => one.outerHTML.slice(0, 80));
}"""


@contextmanager
def visiting(chromium: Browser, site: str, look: Look, **how: object) -> Iterator[Page]:
    """A page of somebody whose browser is set up in another way."""
    size = {"width": look.width, "height": 844}
    context = chromium.new_context(viewport=size, base_url=site, **how)  # type: ignore[arg-type]
    page = context.new_page()
    try:
        sign_in(page, look, PASSWORD)
        yield page
    finally:
        context.close()


def test_the_button_reads_the_page_aloud_and_is_quiet_when_pressed_again(chromium: Browser, site: str) -> None:
    with visiting(chromium, site, ELDER) as page:
        page.add_init_script(f"({SPEECH})()")
        page.goto("/m/")
        page.click("text=读给我听")
        [(words, language)] = page.evaluate("() => window.said")
        assert (words, language) == (page.inner_text("#main"), "zh-CN")
        assert "可以用的时长" in words
        page.click("text=读给我听")
        assert page.evaluate("() => window.speechSynthesis.speaking") is False
        assert len(page.evaluate("() => window.said")) == 1


def test_where_nothing_can_speak_the_button_is_not_there(chromium: Browser, site: str) -> None:
    with visiting(chromium, site, ELDER) as page:
        page.add_init_script("delete window.speechSynthesis; delete Window.prototype.speechSynthesis")
        page.goto("/m/")
        assert page.get_by_text("读给我听").is_hidden()


def test_an_impatient_finger_sends_a_form_once(chromium: Browser, site: str) -> None:
    with visiting(chromium, site, ELDER) as page:
        page.goto("/m/ask")
        sent = []
        page.on("request", lambda one: sent.append(one.url) if one.method == "POST" else None)
        page.route("**/m/ask", lambda route: None if route.request.method == "POST" else route.continue_())
        page.select_option("[name=service_type]", index=1)
        page.evaluate(PRESSED_AGAIN_AND_AGAIN)
        page.wait_for_timeout(600)
        assert len(sent) == 1


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.folder)
def test_tab_reaches_everything_and_one_sees_where_one_is(chromium: Browser, site: str, look: Look) -> None:
    with visiting(chromium, site, look) as page:
        for path, _ in every_kind(page, look.start, length(6, 400)):
            wanted = page.evaluate(TO_BE_REACHED)
            # A field for a day is three stops, with the calendar four.
            for _ in range(4 * wanted):
                page.keyboard.press("Tab")
                where = page.evaluate(WHERE)
                if where is not None:
                    assert (where["style"], where["width"] >= 2) == ("solid", True), (path, where)
                    if where["count"] == wanted:
                        break
            # A page that is only to be read has nothing to be reached.
            assert page.evaluate("() => window.reached?.size ?? 0") == wanted, path


def test_the_first_tab_offers_to_skip_to_the_text(chromium: Browser, site: str) -> None:
    with visiting(chromium, site, DISTRICT) as page:
        page.goto("/desk/people")
        page.keyboard.press("Tab")
        box = page.get_by_text("跳到正文").bounding_box()
        assert box is not None
        assert (box["x"] >= 0, box["width"] >= 44, box["height"] >= 44) == (True, True, True)
        page.keyboard.press("Enter")
        assert page.evaluate("() => document.activeElement.id") == "main"


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.folder)
def test_in_colours_of_ones_own_every_button_and_field_has_a_border(chromium: Browser, site: str, look: Look) -> None:
    with visiting(chromium, site, look, forced_colors="active") as page:
        for path, _ in every_kind(page, look.start, length(6, 400)):
            assert page.evaluate(BORDERLESS) == [], path


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: look.folder)
def test_without_scripts_everything_is_there_to_be_read(chromium: Browser, site: str, look: Look) -> None:
    """Word by word what the same page says where scripts run."""
    with visiting(chromium, site, look) as scripted, visiting(chromium, site, look, java_script_enabled=False) as plain:
        for path, status in every_kind(scripted, look.start, length(6, 400)):
            answer = plain.goto(path)
            assert answer is not None
            assert (answer.status, plain.inner_text("main")) == (status, scripted.inner_text("main")), path
            assert plain.get_by_text("读给我听").filter(visible=True).count() == 0, path


def test_without_scripts_a_scan_is_answered_all_the_same(chromium: Browser, site: str) -> None:
    with visiting(chromium, site, CLERK, java_script_enabled=False) as page:
        page.fill("#code", "no-such")
        page.click("text=查这一张")
        assert "没有这张券" in page.inner_text("#answer")
        assert "没有这张券" in page.inner_text("#recent")
