"""``make year``: a year of Fenghua through the bank's own actions, then counted again, verified, closed and settled.

5,000 diners' lunches on 360 days at 96 canteens; 164,700 visits and 320,400 hours for 13,790 elders in 12 townships,
exactly. Visits are handed in by the month, as townships with paper records do, and judged row by row by the import;
meals are ordered and served a thousand at a time. The same seed makes the same books. A year is begun anew every time,
in a database of its own, which is removed afterwards unless it is to be kept. Exits 1 where a total is not met or
``verify`` finds anything.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import date, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from scripts.year import counting, ending, living
from scripts.year.crew import Crew, crew
from scripts.year.living import at
from scripts.year.opening import open_year
from scripts.year.plan import FIRST, Plan, Size, Visit, month_starts, planned
from timebank import migrations
from timebank.core import clock, crypto
from timebank.core.db import Database
from timebank.core.embedded import EmbeddedPostgres
from timebank.supervision.verify import checks, verify

ROOT = Path(__file__).resolve().parents[1]
SECRET = "the secret of a year that nobody lived"
"""Fixed, so that blind indexes are the same for the same seed; there is nothing in this bank to keep secret."""

Tell = Callable[[str], None]


@dataclass
class Found:
    """What came of a year."""

    done: Counter[str] = field(default_factory=Counter)
    seconds: dict[str, float] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    database: dict[str, Any] = field(default_factory=dict)
    mark: str = ""
    wrong: list[str] = field(default_factory=list)

    @contextmanager
    def timing(self, what: str) -> Iterator[None]:
        """Add what the block takes to the seconds of ``what``."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.seconds[what] = self.seconds.get(what, 0.0) + time.monotonic() - began


def steps_of(plan: Plan) -> int:
    """How often ``replay`` tells what it does."""
    return 1 + len(plan.days) + plan.size.months + 1 + len(list(checks()))


def replay(url: str, plan: Plan, *, hands: int, in_this_process: bool = False, tell: Tell = lambda _: None) -> Found:
    """Live through the year in an empty database, and count it again."""
    crypto.use_secret(SECRET)
    clock.freeze(at(FIRST, 0, 5))
    found = Found()
    bank: Database | None = None
    try:
        tell("元旦 New Year's night")
        with found.timing("opening"):
            migrations.upgrade(url)
            bank = Database(url)
            shares = open_year(bank, plan, hands)
        with crew(url, SECRET, shares, in_this_process=in_this_process) as everybody:
            _live(bank, plan, everybody, shares, found, tell)
        _count(bank, plan, found, tell)
    finally:
        clock.freeze(None)
        if bank is not None:
            bank.close()
    return found


def _live(
    bank: Database, plan: Plan, everybody: Crew, shares: Sequence[living.Share], found: Found, tell: Tell
) -> None:
    by_month: dict[tuple[int, int], list[Visit]] = {
        month: list(visits)
        for month, visits in groupby(plan.visits, key=lambda one: (one.started_at.year, one.started_at.month))
    }
    week = date.min
    for first, after in pairwise(month_starts(plan.size.months)):
        clock.freeze(at(first, 6))
        with found.timing("money and menus"):
            ending.give(bank, shares)
            found.done += _sum(everybody.do(living.buy_meals, at(first, 6)))
        for day in (day for day in plan.days if first <= day < after):
            tell(f"{day}")
            _a_day(bank, everybody, found, day, first_of_week=living.monday_of(day) != week)
            week = living.monday_of(day)
        tell(f"{first:%Y-%m} 服务记录与结算 visits and settlement")
        last = after - timedelta(days=1)
        clock.freeze(at(last, 23))
        with found.timing("visits"):
            found.done["服务 visits"] += ending.hand_in_visits(bank, by_month.get((first.year, first.month), []))
        clock.freeze(at(last, 23, 30))
        _evening(bank, found)
        clock.freeze(at(after, 2))
        with found.timing("windows"):
            found.done[f"已结算 window settled: {ending.settle(bank)}"] += 1
        _evening(bank, found)


def _a_day(bank: Database, everybody: Crew, found: Found, day: date, *, first_of_week: bool) -> None:
    if first_of_week:
        with found.timing("money and menus"):
            found.done += _sum(everybody.do(living.begin_week, day))
    with found.timing("meals"):
        found.done += _sum(everybody.do(living.live_day, day))
    clock.freeze(at(day, 21))
    _evening(bank, found)


def _evening(bank: Database, found: Found) -> None:
    with found.timing("seals, tallies and sums"):
        ending.evening(bank)
        ending.night(bank)


def _sum(parts: Sequence[Counter[str]]) -> Counter[str]:
    return sum(parts, Counter())


def _count(bank: Database, plan: Plan, found: Found, tell: Tell) -> None:
    tell("清点 counting")
    with found.timing("counting"), bank.unit_of_work() as session:
        found.totals = counting.counted(session)
        found.mark = counting.mark_of_the_books(session)
        found.database = counting.sizes(session)
    found.wrong += counting.differences(plan, found.totals)
    with found.timing("verify"), bank.session() as session:
        for one in verify(session):
            tell(f"核验 verify: {one.check.title}")
            if one.misfit is not None:
                found.wrong.append(f"verify: {one.misfit.check}, {one.misfit.row}: {one.misfit.problem}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Live through the year; the exit status."""
    asked = _arguments(arguments)
    size = Size(**{one.name: getattr(asked, one.name) for one in fields(Size)})
    plan = planned(size, asked.seed)
    console = Console(stderr=True, highlight=False)
    # Not below a home: as root such folders are closed to the database's user.
    folder = Path(tempfile.mkdtemp(prefix="timebank-year-"))
    folder.chmod(0o711)
    began = time.monotonic()
    try:
        server = EmbeddedPostgres.start(folder / "home")
        try:
            with _bar(console, steps_of(plan)) as tell:
                found = replay(server.url, plan, hands=asked.hands, tell=tell)
        finally:
            server.close()
    finally:
        if asked.keep:
            console.print(f"kept: {folder / 'home'}")
        else:
            shutil.rmtree(folder)
    took_s = time.monotonic() - began
    Console().print(_table(found, took_s))
    _write(asked, size, found, took_s)
    return 1 if found.wrong else 0


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make year", description=__doc__)
    for one in fields(Size):
        parser.add_argument(f"--{one.name}", type=int, default=one.default)
    parser.add_argument("--seed", type=int, default=20220630)
    parser.add_argument("--hands", type=int, default=2, help="processes that order and serve")
    parser.add_argument("--keep", action="store_true", help="leave the database behind and say where it is")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "year.json")
    return parser.parse_args(arguments)


@contextmanager
def _bar(console: Console, steps: int) -> Iterator[Tell]:
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=console) as bar:
        task = bar.add_task("", total=steps)
        yield lambda what: bar.update(task, description=what, advance=1)


def _rates(found: Found, took_s: float) -> dict[str, float]:
    """Transfers a second while living, all work included, and megabytes for a million of them."""
    living_s = took_s - found.seconds["verify"] - found.seconds["counting"]
    transfers = max(1, found.totals["transfers"])
    return {
        "transfers_a_second": round(transfers / living_s, 1),
        "megabytes_per_million_transfers": round(found.database["bytes"] / transfers, 1),
    }


def _table(found: Found, took_s: float) -> Table:
    table = Table(title="奉化的一年 A year of Fenghua", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    rows = [(what, f"{number:,}") for what, number in found.totals.items()]
    rows += [(what, f"{number:,}") for what, number in sorted(found.done.items()) if "window" not in what]
    rows += [(f"用时 {what}", f"{seconds / 60:.1f} min") for what, seconds in found.seconds.items()]
    rows += [(what.replace("_", " "), f"{rate:,}") for what, rate in _rates(found, took_s).items()]
    rows += [
        ("数据库 database", f"{found.database['bytes'] / 1e6:,.0f} MB"),
        ("账本标记 mark of the books", found.mark),
        ("全部用时 all of it took", f"{took_s / 60:.1f} min"),
        ("结果 result", "[red]" + "; ".join(found.wrong[:5]) if found.wrong else "ok"),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _write(asked: argparse.Namespace, size: Size, found: Found, took_s: float) -> None:
    told = {
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version(), "hands": asked.hands},
        "seed": asked.seed,
        "size": asdict(size),
        "totals": found.totals,
        "done": dict(found.done),
        "seconds": {what: round(seconds, 1) for what, seconds in found.seconds.items()} | {"all": round(took_s, 1)},
        **_rates(found, took_s),
        "database": found.database,
        "mark": found.mark,
        "wrong": found.wrong,
    }
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    asked.out.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
