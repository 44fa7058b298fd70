"""Before the month: canteens accepted and opened, their clerks, a menu for every week, and all diners by workbook."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import xlsxwriter

from scripts.month.bank import MonthBank
from scripts.month.district import District, PlannedCanteen, PlannedDiner
from timebank.core import clock
from timebank.people.id_numbers import check_character

PASSWORD = "助餐一个月-simulated"
DEMO_PASSWORD = "timebank-demo"
DISTRICT, SECOND = "district", "district-2"
WEEKDAYS = range(1, 8)
MEALS = (("lunch", "10:30", "12:30"), ("supper", "16:30", "18:30"))
DISHES = (("爱心套餐", 800, True), ("爱心面", 600, True), ("红烧肉套餐", 1500, False), ("清蒸鱼套餐", 1800, False))
"""Every meal's dishes: name, price in fen, whether a love meal."""

_FORM_NAMES = {"normal": "普通", "soft": "软食", "minced": "碎食", "liquid": "流食"}
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class OpenCanteen:
    """A canteen that serves: its id at the bank and its clerk's and steward's logins."""

    planned: PlannedCanteen
    canteen_id: str
    clerk: str
    steward: str


def open_canteens(bank: MonthBank, district: District) -> list[OpenCanteen]:
    """Apply for, accept and open every canteen; logins for their clerks and the townships' stewards."""
    bank.sign_in(DISTRICT, DEMO_PASSWORD)
    bank.sign_in(SECOND, DEMO_PASSWORD)
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        opened = list(threads.map(lambda planned: _open(bank, planned), district.canteens))
        stewards = sorted({one.planned.township_code for one in opened})
        list(threads.map(lambda code: _staff(bank, f"steward-{code}", code, None), stewards))
        list(threads.map(lambda c: _staff(bank, c.clerk, c.planned.township_code, c.planned.name), opened))
    return opened


def sign_everybody_in(bank: MonthBank, canteens: Sequence[OpenCanteen]) -> None:
    """Tokens that hold for the day."""
    for username in (DISTRICT, SECOND):
        bank.sign_in(username, DEMO_PASSWORD)
    for username in sorted({name for one in canteens for name in (one.clerk, one.steward)}):
        bank.sign_in(username, PASSWORD)


def _open(bank: MonthBank, planned: PlannedCanteen) -> OpenCanteen:
    made = bank.call(
        "canteens.apply",
        DISTRICT,
        {
            "name": planned.name,
            "township_code": planned.township_code,
            "canteen_type": planned.canteen_type,
            "address": f"助餐路{planned.number + 1}号",
            "phone": f"0574880{planned.number:05d}",
            "carrier": planned.carrier,
            "latitude": planned.latitude,
            "longitude": planned.longitude,
        },
    )
    canteen_id = made["canteen_id"]
    checked = dict.fromkeys(policy(bank, "canteen_acceptance_points"), True)
    body = {"checked": checked, "inspected_on": str(clock.today()), "inspector_name": "验收组"}
    bank.call("canteens.accept", DISTRICT, body, canteen_id=canteen_id)
    hours = [
        {"weekday": day, "meal": meal, "opens_at": opens, "closes_at": closes, "capacity_meals": planned.capacity_meals}
        for day in WEEKDAYS
        for meal, opens, closes in MEALS
    ]
    bank.call("canteens.set_hours", DISTRICT, {"hours": hours}, canteen_id=canteen_id)
    bank.call("canteens.open", DISTRICT, canteen_id=canteen_id)
    return OpenCanteen(planned, canteen_id, f"clerk-{planned.number}", f"steward-{planned.township_code}")


def _staff(bank: MonthBank, username: str, township_code: str, canteen: str | None) -> None:
    role = "township_steward" if canteen is None else "canteen_clerk"
    where = [] if canteen is None else ["--canteen", canteen]
    words = ("staff", "add", username, "--name", username, "--role", role, "--township", township_code, *where)
    bank.command(*words, "--password", PASSWORD)


def write_menus(bank: MonthBank, canteens: Sequence[OpenCanteen], first: date, days: int) -> None:
    """Each canteen's first week is written and released, every later one copied from it and released."""
    monday = first - timedelta(days=first.weekday())
    weeks = [monday + timedelta(days=7 * number) for number in range((first - monday).days // 7 + days // 7 + 2)]
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        list(threads.map(lambda canteen: _menus_of(bank, canteen, weeks), canteens))


def _menus_of(bank: MonthBank, canteen: OpenCanteen, weeks: Sequence[date]) -> None:
    draft = {"canteen_id": canteen.canteen_id, "week_starts_on": str(weeks[0]), "items": _week(weeks[0])}
    menu = bank.call("menus.draft", canteen.clerk, draft)
    bank.call("menus.release", canteen.clerk, menu_id=menu["menu_id"])
    for week in weeks[1:]:
        body = {"canteen_id": canteen.canteen_id, "from_week": str(weeks[0]), "to_week": str(week)}
        menu = bank.call("menus.copy", canteen.clerk, body)
        bank.call("menus.release", canteen.clerk, menu_id=menu["menu_id"])


def _week(monday: date) -> list[dict[str, Any]]:
    return [
        {
            "served_on": str(monday + timedelta(days=day)),
            "meal": meal,
            "name": name,
            "portion": "一份",
            "price_fen": price_fen,
            "is_love_meal": love,
            "diet_forms": list(_FORM_NAMES) if love else ["normal", "soft"],
            "sources": "本地菜园与中心厨房",
        }
        for day in range(7)
        for meal, _, _ in MEALS
        for name, price_fen, love in DISHES
    ]


def import_diners(bank: MonthBank, district: District, canteens: Sequence[OpenCanteen], file: Path) -> None:
    """All diners by one office workbook, as a township would bring them."""
    names = {one.planned.number: one.planned.name for one in canteens}
    townships = {row["code"]: row["name"] for row in bank.all_of("townships.list", "")}
    numbers = {diner.number: diner.id_number for diner in district.diners}
    labels = policy(bank, "diner_categories")
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet("用餐对象")
    for column, heading in enumerate(_HEADINGS):
        sheet.write(0, column, heading)
    for row, diner in enumerate(district.diners, start=1):
        for column, value in enumerate(_row(diner, names, townships, numbers, labels)):
            sheet.write(row, column, value)
    book.close()
    bank.command("diners", "import", str(file), "--approved-by", DISTRICT)


_HEADINGS = (
    *("姓名", "身份证号", "手机", "镇街", "村社", "餐食形态", "过敏", "特殊类别", "类别起", "类别止", "证明"),
    *("常用助餐点", "送餐地址", "送餐备注", "同户"),
)


def _row(
    diner: PlannedDiner,
    names: dict[int, str],
    townships: dict[str, str],
    numbers: dict[int, str],
    labels: dict[str, str],
) -> tuple[str, ...]:
    evidence = ("", "", "", "") if diner.category is None else (labels[diner.category], "2026-01-01", "", "镇街证明")
    address = diner.address if diner.delivered else ""
    household = "" if diner.household_of is None else numbers[diner.household_of]
    return (
        *(diner.name, diner.id_number, "", townships[diner.township_code], "", _FORM_NAMES[diner.diet_form], ""),
        *evidence,
        *(names[diner.canteen], address, "", household),
    )


def policy(bank: MonthBank, key: str) -> Any:
    """The district's value of one policy."""
    [found] = [one for one in bank.all_of("policies.list", "") if one["key"] == key]
    return found["value"]


def person_ids(bank: MonthBank, district: District) -> list[dict[str, str]]:
    """Whom the bank knows each diner as."""
    calls = [("people.find", DISTRICT, None, {"id_number": one.id_number}) for one in district.diners]
    answers = bank.many(calls)
    return [
        {"id_number": one.id_number, "person_id": answer["person_id"]}
        for one, (_, answer) in zip(district.diners, answers, strict=True)
    ]


def register_volunteers(bank: MonthBank, canteens: Sequence[OpenCanteen]) -> dict[str, str]:
    """One volunteer with a phone for each canteen whose meals volunteers carry; their logins by canteen."""
    found = {}
    for one in canteens:
        if one.planned.carrier != "volunteers":
            continue
        name = f"志愿者{one.planned.number}"
        bank.sign_in_person(name)
        body = f"3302241965{1 + one.planned.number % 12:02d}15{one.planned.number % 1000:03d}"
        form = {
            "name": "送餐志愿者",
            "id_number": body + check_character(body),
            "phone": f"139{one.planned.number:08d}",
            "township_code": one.planned.township_code,
        }
        bank.take_token(name, bank.call("auth.register", name, form))
        found[one.canteen_id] = name
    return found
