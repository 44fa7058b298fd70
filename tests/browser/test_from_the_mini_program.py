"""From the mini-program into the pages: what stands behind # is sent on by the script, and stays in no address."""

from __future__ import annotations

from playwright.sync_api import Browser

from tests.api.scene import Scene
from tests.doors import SignIn


def test_the_web_view_comes_in_by_the_ticket_and_keeps_it_nowhere(
    chromium: Browser, own_site: str, scene: Scene, sign_in: SignIn
) -> None:
    assert scene.people
    issued = sign_in("elder").ok("web_tickets.issue", {"next": "/m/statement"})
    context = chromium.new_context(base_url=own_site, locale="zh-CN")
    asked: list[str] = []
    page = context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(issued["address"])
    page.wait_for_url("**/m/statement")
    assert [one for one in asked if issued["ticket"] in one.partition("#")[0]] == []
    page.go_back()
    assert issued["ticket"] not in page.url
    assert page.locator("form[data-ticket]").is_hidden()
    other = chromium.new_context(base_url=own_site, locale="zh-CN").new_page()
    other.goto(issued["address"])
    other.get_by_role("heading", name="没有进来").wait_for()
    assert other.get_by_role("link", name="在这里登录").is_visible()
    other.context.close()
    context.close()
