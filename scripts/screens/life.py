"""A little life for the demo's bank, so that its pages have something to show: through operations, as people would."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from scripts.month.bank import MonthBank
from timebank.clearing.rules import window_due
from timebank.core.clock import LOCAL

MOTHER, GRANDFATHER, HELPER, DRIVER, DAUGHTER = "周奶奶", "吴爷爷", "林阿姨", "陈师傅", "周小敏"
PEOPLE = (MOTHER, GRANDFATHER, HELPER, DRIVER, DAUGHTER)
STAFF = (
    "district",
    "district-2",
    "shangtian",
    "xiwu",
    "dayan",
    "auditor",
    "canteen-xiwu",
    "canteen-dayan",
    "care-xiwu",
)
VISITS = (
    (MOTHER, HELPER, "companionship", 120),
    (GRANDFATHER, HELPER, "cleaning", 90),
    (GRANDFATHER, DRIVER, "meal_help", 60),
    (MOTHER, DRIVER, "companionship", 150),
    (GRANDFATHER, HELPER, "companionship", 240),
    (GRANDFATHER, DAUGHTER, "cleaning", 60),
)
"""Who was helped by whom, with what, for how many minutes; one after another on the first day."""


@dataclass
class Life:
    """The bank, who is who, and its canteens."""

    bank: MonthBank
    people: dict[str, str]
    canteens: dict[str, str]
    now: datetime

    def go_to(self, moment: datetime) -> None:
        """Move the bank's clock."""
        self.now = moment
        self.bank.set_clock(moment)

    def at(self, day: date, hour: int, minute: int = 0) -> None:
        """Move the bank's clock to a time of a day."""
        self.go_to(datetime(day.year, day.month, day.day, hour, minute, tzinfo=LOCAL))

    def dish(self, clerk: str, day: date, meal: str, name: str) -> dict[str, Any]:
        """An order of one dish of a canteen's menu, without the way in which it is eaten."""
        where = {"canteen_id": self.canteens[clerk], "from": day, "to": day, "limit": 100}
        menu = self.bank.all_of("menus.show", clerk, **where)
        item = next(one for one in menu if (one["meal"], one["name"]) == (meal, name))
        items = [{"menu_item_id": item["menu_item_id"], "quantity": 1}]
        return {"canteen_id": self.canteens[clerk], "served_on": str(day), "meal": meal, "items": items}


def live(bank: MonthBank, password: str) -> None:
    """A month that ends with a window to be reviewed, and the first morning of the next one."""
    for name in PEOPLE:
        bank.sign_in_person(name)
    for username in STAFF:
        bank.sign_in(username, password)
    people = {name: str(bank.call("me.show", name)["person_id"]) for name in PEOPLE}
    canteens = {name: str(bank.call("tills.show", name)["canteen_id"]) for name in ("canteen-xiwu", "canteen-dayan")}
    life = Life(bank, people, canteens, datetime.now(LOCAL))
    day = (life.now + timedelta(days=1)).date()
    if day.month != life.now.month:
        # The day that everybody eats on, and the visits, shall be of one window.
        life.at(day, 0, 5)
        bank.job("close_window")
        day += timedelta(days=1)
    _order_for(life, day)
    life.at(day, 7)
    for elder, volunteer, service, minutes in VISITS:
        _visit(life, elder, volunteer, service, minutes, pay=volunteer != DAUGHTER)
    _spend(life, day)
    _end_the_month(life)
    _first_morning(life)


def _visit(life: Life, elder: str, volunteer: str, service: str, minutes: int, *, pay: bool) -> None:
    """Asked for, accepted, signed in and out, and confirmed; the last one stays to be confirmed."""
    bank, starts_at = life.bank, life.now + timedelta(minutes=30)
    wish = {"service_type": service, "starts_at": starts_at.isoformat(), "minutes": minutes, "note": "请带老花镜来"}
    task = bank.call("tasks.request", elder, wish)
    bank.call("tasks.accept", volunteer, task_id=task["task_id"])
    life.go_to(starts_at)
    code = {"service_code": task["service_code"]}
    bank.call("tasks.check_in", volunteer, code, task_id=task["task_id"])
    life.go_to(starts_at + timedelta(minutes=minutes))
    bank.call("tasks.check_out", volunteer, task_id=task["task_id"])
    if pay:
        bank.call("tasks.confirm", elder, {"rating": 5}, task_id=task["task_id"])


def _order_for(life: Life, day: date) -> None:
    """Tomorrow's meals: the daughter orders for her mother, the grandfather has his brought."""
    bank = life.bank
    cash = {"person_id": life.people[GRANDFATHER], "amount_fen": 5000}
    bank.call("purses.top_up", "canteen-dayan", cash)
    lunch = {**life.dish("canteen-xiwu", day, "lunch", "红烧肉"), "way": "eat_in"}
    bank.call("orders.place", DAUGHTER, {**lunch, "for_person_id": life.people[MOTHER]})
    supper = {**life.dish("canteen-dayan", day, "supper", "爱心面"), "way": "eat_in"}
    bank.call("orders.place", GRANDFATHER, supper)


def _spend(life: Life, day: date) -> None:
    """Coupons are bought and one is eaten in another township; a gift, a donation, meals at the counter."""
    bank = life.bank
    coupons = bank.call("vouchers.buy", HELPER, {"quantity": 3})["items"]
    scan = {"code": coupons[0]["code"], "nonce": "first"}
    bank.call("vouchers.redeem", "canteen-xiwu", scan)
    bank.call("donations.give", HELPER, {"minutes": 30, "note": "给需要的老人"})
    bank.job("plan_rounds")
    life.at(day + timedelta(days=1), 11)
    for dish in ("爱心套餐", "清蒸鱼"):
        sale = life.dish("canteen-xiwu", life.now.date(), "lunch", dish)
        bank.call("meal_counter.sell", "canteen-xiwu", {"meal": "lunch", "items": sale["items"], "cash": True})


def _end_the_month(life: Life) -> None:
    """The window closes, a line is disputed, the canteens' month is claimed."""
    bank = life.bank
    window = next(one for one in bank.all_of("clearing.windows", "district") if one["status"] == "open")
    opened_at = datetime.fromisoformat(window["opened_at"])
    life.go_to(window_due(opened_at, 1) + timedelta(hours=8))
    for job in ("tally_clearing", "close_window", "compute_claims", "sum_up_days", "close_bulletins"):
        bank.job(job)
    line = bank.all_of("clearing.lines", "xiwu", window=window["window"])[0]
    wrong = {"transfer_id": line["transfer_id"], "reason": "签到表上的时间不一样，请核对"}
    bank.call("clearing.dispute_line", "xiwu", wrong, window=window["window"])


def _first_morning(life: Life) -> None:
    """What people have before them today: meals, visits, an aid, a wish to be approved."""
    bank, today = life.bank, life.now.date()
    monday = today - timedelta(days=today.weekday())
    for clerk, steward in (("canteen-xiwu", "xiwu"), ("canteen-dayan", "dayan")):
        weeks = sorted(
            one["week_starts_on"] for one in bank.all_of("menus.weeks", steward, canteen_id=life.canteens[clerk])
        )
        if str(monday) not in weeks:
            copied = {"canteen_id": life.canteens[clerk], "from_week": weeks[-1], "to_week": str(monday)}
            menu = bank.call("menus.copy", steward, copied)
            bank.call("menus.release", steward, menu_id=menu["menu_id"])
    _plan_a_week(life, monday)
    lunch = {**life.dish("canteen-xiwu", today, "lunch", "爱心套餐"), "way": "eat_in"}
    bank.call("orders.place", MOTHER, lunch)
    brought = {**life.dish("canteen-dayan", today, "lunch", "爱心套餐"), "way": "deliver"}
    bank.call("orders.place", GRANDFATHER, brought)
    tomorrow = datetime(today.year, today.month, today.day, 14, tzinfo=LOCAL) + timedelta(days=1)
    for elder, service, minutes in ((MOTHER, "cleaning", 60), (GRANDFATHER, "companionship", 120)):
        wish = {"service_type": service, "starts_at": tomorrow.isoformat(), "minutes": minutes}
        bank.call("tasks.request", elder, wish)
    care = {"service": "bathing", "starts_at": tomorrow.isoformat(), "minutes": 60}
    booked = bank.call("care_bookings.book", HELPER, care)
    bank.call("care_bookings.assign", "shangtian", {}, booking_id=booked["booking_id"])
    bank.call("aid_loans.reserve", HELPER, {"kind": "walker", "days": 2, "township_code": "330213007"})
    found = {"level": 2, "circumstances": ["低保"], "evidence": "评估表"}
    bank.call("people.assess", "dayan", found, person_id=life.people[GRANDFATHER])
    ask = {"person_id": life.people[GRANDFATHER], "minutes": 120, "reason": "刚出院，没有时长", "evidence": "出院小结"}
    bank.call("hardship.request", "dayan", ask)


def _plan_a_week(life: Life, monday: date) -> None:
    """A dish in the book, and a week that is still being written."""
    canteen_id = life.canteens["canteen-xiwu"]
    soup = {"canteen_id": canteen_id, "name": "豆腐汤", "price_fen": 400, "portion": "一碗", "allergens": ["大豆"]}
    life.bank.call("dishes.enter", "canteen-xiwu", soup)
    week = {"canteen_id": canteen_id, "from_week": str(monday), "to_week": str(monday + timedelta(weeks=3))}
    life.bank.call("menus.copy", "canteen-xiwu", week)
