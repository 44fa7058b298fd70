"""Pages of figures 数据看板、月报、地图: how long the desk waits for them on a year of the pilot's size.

The pages are asked for one after another within the process, as the server asks for them, signed in as the district's
steward; what goes over the wire is left out. The first answer of each page is not counted. The lines that the server
writes of every request are written here too, but nobody has to read them.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path

from flask.testing import FlaskClient

from app.config import Settings
from app.factory import create_app
from scripts.bench.outcome import Outcome
from scripts.bench.pages_scene import PASSWORD, USERNAME, Pilot, fill
from scripts.bench.scene import SECRET
from scripts.bench.server import filling, measuring
from timebank.core import clock
from timebank.supervision.figures.rules import month_name, months_before

WANTED_S = 0.3
RUNS = 7
PILOT = Pilot(elders=13_790, volunteers=3_000, visits=164_700, canteens=96, diners=5_000)
FEW = Pilot(elders=240, volunteers=60, visits=1_500, canteens=12, diners=100)


def run(folder: Path, small: bool, tell: Callable[[str], None]) -> list[Outcome]:
    """One ratio a page: the time that it takes to the time that it may take."""
    pilot = FEW if small else PILOT
    with filling(folder) as server:
        server.make("pilot", lambda url: fill(url, pilot, tell))
    with measuring(folder) as server, server.copy_of("pilot") as url:
        settings = Settings(
            home=folder / "pages", database_url=url, wechat_base_url="http://127.0.0.1:9", secret_key=SECRET
        )
        app = create_app(settings)
        try:
            with _unread():
                client = _signed_in(app.test_client())
            return [_measure(client, *page, pilot, server.version, tell) for page in _pages()]
        finally:
            app.extensions["timebank_database"].close()
            clock.movable_by(None)


def _pages() -> list[tuple[str, str, str]]:
    month = f"{clock.today():%Y-%m}"
    before = month_name(months_before(clock.today(), 1))
    return [
        ("dashboard", "数据看板", "/desk/dashboard"),
        ("dashboard_township", "镇街数据看板", "/desk/dashboard?township_code=330213004"),
        ("bulletin", "本月月报", f"/desk/bulletins/month?month={month}"),
        ("bulletin_before", "上月月报", f"/desk/bulletins/month?month={before}"),
        ("map", "助餐地图", "/desk/map"),
        ("map_township", "镇街助餐地图", "/desk/map?township_code=330213004"),
        ("chart", "图表", "/desk/charts/minutes.svg"),
    ]


def _signed_in(client: FlaskClient) -> FlaskClient:
    page = client.get("/staff/sign-in").text
    token = page.split('name="form_token" value="')[1].split('"')[0]
    answer = client.post("/staff/sign-in", data={"username": USERNAME, "password": PASSWORD, "form_token": token})
    if answer.status_code != 303:
        raise RuntimeError(f"signing in: {answer.status_code}")
    return client


def _measure(
    client: FlaskClient, name: str, title: str, path: str, pilot: Pilot, postgres: str, tell: Callable[[str], None]
) -> Outcome:
    with _unread():
        taken = [_seconds(client, path) for _ in range(RUNS + 1)][1:]
    ms = [round(one * 1000, 1) for one in taken]
    tell(f"pages: {path} {min(ms)} / {statistics.median(ms)} / {max(ms)} ms")
    return Outcome(
        name=f"page_{name}",
        title=title,
        runs=[one / WANTED_S for one in taken],
        target=1.0,
        measured=f"页面用时 / {WANTED_S * 1000:.0f} 毫秒 · the page / {WANTED_S * 1000:.0f} ms: "
        f"{min(ms)} / {statistics.median(ms)} / {max(ms)} ms with {pilot.elders:,} elders, {pilot.visits:,} visits",
        postgres=postgres,
        details={"ms": ms, "path": path},
    )


@contextmanager
def _unread() -> Iterator[None]:
    """The log goes nowhere while the block runs."""
    with open(os.devnull, "w") as nowhere, redirect_stderr(nowhere):
        yield


def _seconds(client: FlaskClient, path: str) -> float:
    begin = time.perf_counter()
    answer = client.get(path)
    taken = time.perf_counter() - begin
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")
    return taken
