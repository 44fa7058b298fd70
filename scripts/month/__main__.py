"""``make month``: a month of 96 canteens and 5,000 diners through the bank's public operations, then counted again.

Exits 1 where a fen is not explained, a claim does not tie, the five shares do not sum to the list prices, or
``timebank verify`` finds anything.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from calendar import monthrange
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from scripts.month import counting, ending, living, opening
from scripts.month.bank import MonthBank, Unexpected
from scripts.month.district import District, days_of, planned
from scripts.month.living import LivingDiner, Month
from timebank.core.amounts import yuan_text

ROOT = Path(__file__).resolve().parents[2]
FIRST = date(2027, 1, 1)
"""A month that no clock has reached yet."""

REFILL_EVERY_DAYS = 6
DONATION_FEN, PRODUCE_FEN = 300_000, 150_000
_SHARE_NAMES = (
    *(("elder", "老人付一点"), ("government", "政府补一点"), ("donation", "企业捐一点")),
    *(("garden", "菜园供一点"), ("volunteers", "志愿者帮一点")),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Live through the month; the exit status."""
    parser = argparse.ArgumentParser(prog="make month", description=__doc__)
    parser.add_argument("--canteens", type=int, default=96)
    parser.add_argument("--diners", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=monthrange(FIRST.year, FIRST.month)[1])
    parser.add_argument("--seed", type=int, default=20220630)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "month.json")
    asked = parser.parse_args(arguments)
    console = Console(stderr=True, highlight=False)
    # Not below a home: as root such folders are closed to the database's user.
    folder = Path(tempfile.mkdtemp(prefix="timebank-month-"))
    folder.chmod(0o711)
    began = time.monotonic()
    try:
        bank = MonthBank(folder / "home", workers=asked.workers)
        try:
            return _live(bank, asked, folder, console, began)
        finally:
            bank.close()
    except Unexpected as wrong:
        console.print(f"[red]{wrong}[/red]")
        return 1
    finally:
        shutil.rmtree(folder)


def _live(bank: MonthBank, asked: argparse.Namespace, folder: Path, console: Console, began: float) -> int:
    district = planned(canteens=asked.canteens, diners=asked.diners, seed=asked.seed)
    with _progress(console, asked.days + 4) as step:
        step("助餐点 canteens")
        month = _open(bank, district, asked, folder)
        living.give(month, FIRST - timedelta(days=2), DONATION_FEN, PRODUCE_FEN)
        living.settle_in(month, FIRST)
        _prepare(month, FIRST, refill=False)
        for number, day in enumerate(days_of(FIRST, asked.days)):
            step(f"{day}")
            refill = number % REFILL_EVERY_DAYS == REFILL_EVERY_DAYS - 1
            last = number == asked.days - 1
            _a_day(month, day, _nothing if last else partial(_prepare, month, day + timedelta(days=1), refill=refill))
        step("结算 claims")
        bank.set_clock(living.at(_next_month(FIRST) + timedelta(days=3), 9))
        bank.job("auto_confirm")
        opening.sign_everybody_in(bank, month.canteens)
        paid = ending.claim(month, FIRST)
        step("清点 counting")
        counted = counting.read_all_receipts(month)
        figures, wrong = counting.count_in_sql(bank.home, paid)
        verified = json.loads(bank.command("verify", "--json"))
    wrong += counted.wrong + _sums(counted, figures, verified)
    took_s = time.monotonic() - began
    Console().print(_table(month, counted, figures, took_s, wrong))
    _write(asked.out, month, counted, figures, took_s, wrong)
    return 1 if wrong else 0


def _open(bank: MonthBank, district: District, asked: argparse.Namespace, folder: Path) -> Month:
    canteens = opening.open_canteens(bank, district)
    bank.set_clock(living.at(FIRST - timedelta(days=2), 8))
    opening.sign_everybody_in(bank, canteens)
    opening.write_menus(bank, canteens, FIRST, asked.days)
    opening.import_diners(bank, district, canteens, folder / "diners.xlsx")
    by_name = {one["id_number"]: one["person_id"] for one in opening.person_ids(bank, district)}
    dice = Random(asked.seed)
    diners = [
        LivingDiner(one, by_name[one.id_number], canteens[one.canteen], dice.randrange(100) < living.STANDING_PERCENT)
        for one in district.diners
    ]
    return Month(bank, canteens, diners, dice, opening.register_volunteers(bank, canteens))


def _prepare(month: Month, day: date, *, refill: bool) -> None:
    """The afternoon before: purses are filled, and the next day is ordered."""
    month.bank.set_clock(living.at(day - timedelta(days=1), 15, 30))
    opening.sign_everybody_in(month.bank, month.canteens)
    for volunteer in month.volunteers.values():
        month.bank.sign_in_person(volunteer)
    if refill:
        living.refill(month)
    living.make_tomorrows_orders(month)
    living.order_by_hand(month, day, living.menus_of(month, day))


def _a_day(month: Month, day: date, tomorrow: Callable[[], None]) -> None:
    """From the morning to the evening; ``tomorrow`` is prepared between lunch and supper."""
    bank, menus = month.bank, living.menus_of(month, day)
    bank.set_clock(living.at(day, 8, 30))
    living.think_again(month, day, menus)
    bank.set_clock(living.at(day, 9, 5))
    bank.job("plan_rounds")
    bank.set_clock(living.at(day, 11, 0))
    living.bring_to_the_door(month, day, "lunch")
    living.hand_over(month, day, "lunch")
    living.sell(month, menus, "lunch")
    bank.set_clock(living.at(day, 12, 30))
    living.end_services(month)
    tomorrow()
    bank.set_clock(living.at(day, 17, 0))
    bank.job("mark_missed_orders")
    living.hand_over(month, day, "supper")
    bank.set_clock(living.at(day, 21, 30))
    bank.job("mark_missed_orders")


def _nothing() -> None:
    """The month's last day prepares no other."""


def _next_month(first: date) -> date:
    return first.replace(day=28) + timedelta(days=monthrange(first.year, first.month)[1] - 27)


def _sums(counted: counting.Counted, figures: dict[str, int], verified: dict[str, object]) -> list[str]:
    wrong = []
    if counted.fen["list"] != sum(counted.fen[share] for share in counting.SHARES):
        wrong.append("the five shares do not sum to the list prices")
    if counted.fen["list"] != figures["meals in the ledger"]:
        wrong.append("the receipts and the ledger differ")
    if figures["left with canteens"]:
        wrong.append(f"{figures['left with canteens']} fen are left with canteens after payment")
    if verified.get("ok") is not True:
        wrong.append(f"verify: {verified}")
    return wrong


class _progress:
    """A bar with what is being done now."""

    def __init__(self, console: Console, steps: int) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console)
        self._task = self._bar.add_task("", total=steps)

    def __enter__(self) -> _progress:
        self._bar.start()
        return self

    def __exit__(self, *_why: object) -> None:
        self._bar.stop()

    def __call__(self, what: str) -> None:
        self._bar.update(self._task, description=what, advance=1)


def _table(
    month: Month, counted: counting.Counted, figures: dict[str, int], took_s: float, wrong: Sequence[str]
) -> Table:
    table = Table(title="助餐一个月 A month of meals", show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    rows = [("助餐点 canteens", f"{len(month.canteens):,}"), ("用餐对象 diners", f"{len(month.diners):,}")]
    rows += [(f"订单 orders: {state}", f"{number:,}") for state, number in sorted(counted.orders.items())]
    rows += [(what, f"{number:,}") for what, number in sorted(month.done.items())]
    rows += [(f"拒绝 refused: {what}", f"{number:,}") for what, number in sorted(month.refused.items())]
    rows += [("标价合计 list prices", yuan_text(counted.fen["list"]))]
    rows += [(f"{name} {share}", yuan_text(counted.fen[share])) for share, name in _SHARE_NAMES]
    rows += [
        ("账本划转 transfers", f"{figures['ledger_transfer']:,}"),
        ("明细行 lines", f"{figures['meal_order_line']:,}"),
    ]
    rows += [("数据库 database", f"{figures['bytes'] / 1e6:,.0f} MB"), ("请求 requests", f"{month.bank.requests:,}")]
    rows += [
        ("用时 took", f"{took_s / 60:.1f} min"),
        ("结果 result", "[red]" + "; ".join(wrong[:5]) if wrong else "ok"),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def _write(
    out: Path, month: Month, counted: counting.Counted, figures: dict[str, int], took_s: float, wrong: Sequence[str]
) -> None:
    found = {
        "canteens": len(month.canteens),
        "diners": len(month.diners),
        "orders": dict(counted.orders),
        "fen": dict(counted.fen),
        "done": dict(month.done),
        "refused": dict(month.refused),
        "database": figures,
        "requests": month.bank.requests,
        "seconds": round(took_s, 1),
        "wrong": list(wrong),
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
