"""Two lunches over real HTTP, from the daughter's phone and the volunteer's hands to the subsidy of the month.

A real ``timebank serve`` with the demo's people: 周小敏 orders for her mother, 吴爷爷's lunch is brought to his door by
陈师傅, a supper is missed, and both canteens are paid for the month.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tests.factories.people import DAYAN, XIWU
from tests.story.running_bank import Answer, RunningBank, reachable_home, timebank
from timebank.core.clock import LOCAL

MOTHER, DAUGHTER, STRANGER = "周奶奶", "周小敏", "林阿姨"
GRANDFATHER, VOLUNTEER = "吴爷爷", "陈师傅"
HERS, HIS = "canteen-xiwu", "canteen-dayan"
PORK, LOVE_MEAL, NOODLES = "红烧肉", "爱心套餐", "爱心面"
SHARES = ("elder_fen", "government_fen", "donation_fen", "garden_fen", "volunteers_fen")


@dataclass
class Story:
    """The bank, the day on which everybody eats, and who is who."""

    bank: RunningBank
    day: date
    canteens: dict[str, str]
    people: dict[str, str]

    def at(self, hour: int, minute: int = 0) -> None:
        """Move the clock to a moment of the day."""
        self.bank.set_clock(datetime(*self.day.timetuple()[:3], hour, minute, tzinfo=LOCAL).isoformat())

    def post(self, path: str, token: str, body: Any = None) -> Answer:
        """One call that must be done."""
        answer = self.bank.call("POST", path, body, token=token)
        assert answer.status < 300, answer
        return answer

    def meal(self, clerk: str, meal: str, dish: str, way: str) -> dict[str, Any]:
        """One dish of the day's menu, as a phone finds it and orders it."""
        where = {"canteen_id": self.canteens[clerk], "from": self.day, "to": self.day, "limit": 100}
        menu = self.bank.get("/menus", self.bank.person(DAUGHTER), **where)["items"]
        [item_id] = [one["menu_item_id"] for one in menu if (one["meal"], one["name"]) == (meal, dish)]
        wanted = {"canteen_id": self.canteens[clerk], "served_on": str(self.day), "meal": meal}
        return {**wanted, "way": way, "items": [{"menu_item_id": item_id, "quantity": 1}]}

    def purse(self, who: str) -> tuple[int, int]:
        """What is in somebody's purse and what of it is held, in fen."""
        found = self.bank.get("/purses", self.bank.person(who))
        return found["balance_fen"], found["held_fen"]

    def run(self, job: str) -> None:
        """Let one job do what is due."""
        done = timebank(self.bank.home, "run-job", job)
        assert (done.returncode, "失败 0 项" in done.stdout) == (0, True), done.stdout + done.stderr


def test_two_lunches_from_the_phone_to_the_subsidy_of_the_month() -> None:
    with reachable_home() as home:
        bank = RunningBank(home, "--no-jobs")
        try:
            bank.wait_until("/readyz")
            story = _begin(bank)
            order = _order_for_mother(story)
            his = _order_for_grandfather(story)
            _the_cut_off_passes(story, order)
            _bring_it_to_the_door(story, his)
            _eat_at_the_counter(story, order)
            _count_the_day(story)
            _nobody_comes_to_supper(story)
            _end_the_month(story)
            _look_at_the_books(story, his)
            assert bank.stop() == 0, bank.said()
        finally:
            bank.close()


def _begin(bank: RunningBank) -> Story:
    """Tomorrow everybody eats. The mother's purse is filled; 吴爷爷 brings 50 yuan, and 大堰's own gifts come in."""
    offices = {name: bank.get("/tills", bank.staff(name))["canteen_id"] for name in (HERS, HIS)}
    people = {name: bank.get("/me", bank.person(name))["person_id"] for name in (MOTHER, GRANDFATHER, VOLUNTEER)}
    story = Story(bank, datetime.now(LOCAL).date() + timedelta(days=1), offices, people)
    assert story.purse(MOTHER) == (10_000, 0)
    cash = {"person_id": people[GRANDFATHER], "amount_fen": 5000}
    slip = story.post("/purses/top-up", bank.staff(HIS), cash)
    assert (slip["balance_fen"], slip["canteen_name"]) == (5000, "大堰镇老年食堂")
    gift = {"canteen_id": offices[HIS], "received_on": str(datetime.now(LOCAL).date())}
    money = {**gift, "amount_fen": 30_000, "reference": "银行回单5号", "donor_name": "大堰某茶厂"}
    story.post("/meal-donations", bank.staff("dayan"), money)
    story.post("/produce", bank.staff("dayan"), {**gift, "item": "青菜", "weight_g": 10_000})
    return story


def _order_for_mother(story: Story) -> str:
    """Braised pork to be eaten in, and on second thoughts the love meal to be taken home."""
    bank, daughter = story.bank, story.bank.person(DAUGHTER)
    wanted = {**story.meal(HERS, "lunch", PORK, "eat_in"), "for_person_id": story.people[MOTHER]}
    refused = bank.call("POST", "/orders", wanted, token=bank.person(STRANGER))
    assert (refused.status, refused["code"]) == (403, "not_your_elder")
    said = story.post("/orders/price", daughter, wanted)
    placed = story.post("/orders", daughter, wanted)
    assert [placed[name] for name in ("list_fen", *SHARES)] == [1200, 650, 400, 100, 50, 0]
    assert placed["lines"] == said["lines"]
    assert (placed["diner_name"], placed["source"], placed["revision"]) == (MOTHER, "proxy", 1)
    assert story.purse(MOTHER) == (10_000, 650)
    path = f"/orders/{placed['order_id']}"
    love_meal = story.meal(HERS, "lunch", LOVE_MEAL, "take_away")
    change = {name: love_meal[name] for name in ("way", "items")}
    changed = story.post(f"{path}/change", daughter, change)
    assert [changed[name] for name in ("list_fen", *SHARES)] == [800, 250, 400, 100, 50, 0]
    assert (changed["revision"], changed["pickup_number"], changed["way"]) == (2, placed["pickup_number"], "take_away")
    assert story.purse(MOTHER) == (10_000, 250)
    assert any(DAUGHTER in one["body"] for one in bank.get("/notices", bank.person(MOTHER))["items"])
    return str(placed["order_id"])


def _order_for_grandfather(story: Story) -> str:
    """Lunch to his door, of which all five bear a share, and supper at the table."""
    himself = story.bank.person(GRANDFATHER)
    lunch = story.post("/orders", himself, story.meal(HIS, "lunch", LOVE_MEAL, "deliver"))
    assert [lunch[name] for name in ("list_fen", *SHARES)] == [1100, 250, 400, 100, 50, 300]
    borne = [(line["share"], line["rule_key"], line["fen"]) for line in lunch["lines"] if line["share"]]
    assert borne == [
        ("government", "government_80", 400),
        ("donation", "company_donation", 100),
        ("garden", "garden_produce", 50),
        ("volunteers", "volunteer_delivery", 300),
        ("elder", "elder_pays", 250),
    ]
    assert all(line["policy_version"] for line in lunch["lines"])
    supper = story.post("/orders", himself, story.meal(HIS, "supper", NOODLES, "eat_in"))
    # The government's share is given once a day.
    assert [supper[name] for name in ("list_fen", *SHARES)] == [600, 450, 0, 100, 50, 0]
    assert story.purse(GRANDFATHER) == (5000, 700)
    return str(lunch["order_id"])


def _the_cut_off_passes(story: Story, order_id: str) -> None:
    story.at(9, 1)
    late = story.bank.call("POST", f"/orders/{order_id}/cancel", {}, token=story.bank.person(DAUGHTER))
    assert (late.status, late["code"]) == (422, "cut_off_passed")
    assert story.purse(MOTHER) == (10_000, 250)
    story.run("plan_rounds")


def _bring_it_to_the_door(story: Story, order_id: str) -> None:
    """The round is a task like any other; the meal is paid when the code is said at the door."""
    bank, clerk = story.bank, story.bank.staff(HIS)
    where = {"canteen_id": story.canteens[HIS], "on": str(story.day), "meal": "lunch"}
    [planned] = bank.get("/rounds", clerk, **where)["items"]
    assert (planned["carrier"], planned["stops"], planned["taken"], planned["late"]) == ("volunteers", 1, False, False)
    round_path, task = f"/rounds/{planned['round_id']}", f"/tasks/{planned['task_id']}"
    volunteer = bank.person(VOLUNTEER)
    assert planned["task_id"] in {one["task_id"] for one in bank.get("/tasks", volunteer, status="open")["items"]}
    story.post(f"{task}/accept", volunteer)
    story.at(10, 30)
    cooked_at = story.post("/kitchen/cooked", clerk, where)["cooked_at"]
    code = bank.get(round_path, clerk)["service_code"]
    story.post(f"{task}/check-in", volunteer, {"service_code": code})
    away = story.post(f"{round_path}/start", volunteer)
    [stop] = away["stop_list"]
    assert (stop["order_id"], stop["name"], stop["address"]) == (order_id, GRANDFATHER, "大堰镇大堰村桥头6号")
    story.at(10, 36)
    stop = _say_the_code(story, order_id)
    under_way = datetime.fromisoformat(stop["closed_at"]) - datetime.fromisoformat(cooked_at)
    assert stop["minutes_after_cooking"] == -(-under_way // timedelta(minutes=1))
    assert story.post(f"{round_path}/finish", volunteer)["state"] == "finished"
    story.post(f"{task}/check-out", volunteer)
    assert bank.get(f"/orders/{order_id}", clerk)["state"] == "served"
    assert story.purse(GRANDFATHER) == (5000 - 250, 450)


def _say_the_code(story: Story, order_id: str) -> Answer:
    """Only he is shown it; a wrong one hands nothing over. Answers the stop."""
    bank, volunteer = story.bank, story.bank.person(VOLUNTEER)
    code = bank.get(f"/orders/{order_id}", bank.person(GRANDFATHER))["handover_code"]
    assert bank.get(f"/orders/{order_id}", bank.staff(HIS))["handover_code"] is None
    wrong = {"order_id": order_id, "handover_code": f"{(int(code) + 1) % 10_000:04}"}
    refused = bank.call("POST", "/rounds/deliver", wrong, token=volunteer)
    assert (refused.status, refused["code"], refused["tries_left"]) == (422, "handover_code_wrong", 4)
    assert story.purse(GRANDFATHER) == (5000, 700)
    done = story.post("/rounds/deliver", volunteer, {"order_id": order_id, "handover_code": code})
    assert done["outcome"] == "delivered"
    return done


def _eat_at_the_counter(story: Story, order_id: str) -> None:
    """The clerk sees how many come and who waits, and hands over by the number; the mother says how it was."""
    bank, clerk = story.bank, story.bank.staff(HERS)
    story.at(11)
    counts = bank.get("/meal-counter/today", clerk)["counts"]
    assert [(one["meal"], one["way"], one["state"], one["orders"], one["portions"]) for one in counts] == [
        ("lunch", "take_away", "placed", 1, 1)
    ]
    [waiting] = bank.get("/meal-counter/queue", clerk, meal="lunch")["items"]
    assert (waiting["order_id"], waiting["masked_name"], waiting["to_collect_fen"]) == (order_id, "周**", 0)
    assert waiting["paid_how"] == "余额已付2.50元"
    shown = {"pickup_number": waiting["pickup_number"], "meal": "lunch"}
    served = story.post("/meal-counter/serve", clerk, shown)
    assert (served["order_id"], served["state"]) == (order_id, "served")
    again = bank.call("POST", "/meal-counter/serve", {"order_id": order_id}, token=clerk)
    assert (again.status, again["code"]) == (409, "order_already_served")
    assert bank.get("/meal-counter/queue", clerk, meal="lunch")["items"] == []
    assert story.purse(MOTHER) == (10_000 - 250, 0)
    said = {"stars": 5, "tags": ["味道好"], "words": "软烂可口，还是热的"}
    assert story.post(f"/ratings/{order_id}", bank.person(MOTHER), said)["stars"] == 5
    listed = bank.get("/ratings", clerk, canteen_id=story.canteens[HERS])
    assert listed["average"] == {"ratings": 1, "average_hundredths": 500}


def _count_the_day(story: Story) -> None:
    """Both counters tie to the fen; 45 yuan are carried out of 大堰's drawer to the township."""
    story.at(14)
    hand_in = {"canteen_id": story.canteens[HIS], "amount_fen": 4500, "reference": "缴款单1号"}
    assert story.post("/tills/hand-in", story.bank.staff("dayan"), hand_in)["drawer_fen"] == 500
    totals = {name: story.bank.get("/meal-counter/day-totals", story.bank.staff(name)) for name in (HERS, HIS)}
    said = ("meals_served", "list_fen", *SHARES, "drawer_fen", "handed_in_fen", "ties", "misfits")
    assert [totals[HERS][name] for name in said] == [1, 800, 250, 400, 100, 50, 0, 10_000, 0, True, []]
    assert [totals[HIS][name] for name in said] == [1, 1100, 250, 400, 100, 50, 300, 500, 4500, True, []]


def _nobody_comes_to_supper(story: Story) -> None:
    """His own share is charged, since it was cooked; the gifts go back, and nobody claims anything for it."""
    story.at(18, 31)
    story.run("mark_missed_orders")
    assert story.purse(GRANDFATHER) == (4750, 450)
    story.at(21)
    story.run("mark_missed_orders")
    assert story.purse(GRANDFATHER) == (4750 - 450, 0)
    himself = story.bank.person(GRANDFATHER)
    [missed] = story.bank.get("/orders", himself, state="missed")["items"]
    assert (missed["meal"], missed["list_fen"]) == ("supper", 600)
    lines = story.bank.get("/purses/statement", himself)["items"]
    assert [(line["kind"], line["fen"], line["balance_fen"]) for line in lines] == [
        ("meal_missed", -450, 4300),
        ("meal_elder", -250, 4750),
        ("purse_top_up", 5000, 5000),
    ]


def _end_the_month(story: Story) -> None:
    """Both claims come out without a finding, are approved by the township and then the district, and are paid."""
    third = (story.day.replace(day=28) + timedelta(days=4)).replace(day=3)
    story.bank.set_clock(datetime(*third.timetuple()[:3], 9, tzinfo=LOCAL).isoformat())
    story.run("auto_confirm")
    story.run("compute_claims")
    district = story.bank.staff("district")
    claims = story.bank.get("/subsidy-claims", district, month=f"{story.day:%Y-%m}")["items"]
    by_canteen = {one["canteen_id"]: one for one in claims}
    names = ("state", "findings", "list_fen", *SHARES, "ledger_fen")
    hers, his = (by_canteen.pop(story.canteens[name]) for name in (HERS, HIS))
    assert not by_canteen
    assert [hers[name] for name in names] == ["checked", 0, 800, 250, 400, 100, 50, 0, 800]
    # The missed supper brings what he was charged for it.
    assert [his[name] for name in names] == ["checked", 0, 1550, 700, 400, 100, 50, 300, 1550]
    # 7.50 and 12 yuan are owed beyond what came in kind; what lies in the drawer already is not paid again.
    assert _approve_and_pay(story, hers["claim_id"], "xiwu") == (750, 0)
    assert _approve_and_pay(story, his["claim_id"], "dayan") == (500, 700)
    drawers = [story.bank.get("/tills", story.bank.staff(name))["drawer_fen"] for name in (HERS, HIS)]
    assert drawers == [10_000 - 750, 0]


def _approve_and_pay(story: Story, claim_id: str, township: str) -> tuple[int, int]:
    """By two, then paid; answers what was netted against the drawer and what was paid, in fen."""
    path, district = f"/subsidy-claims/{claim_id}", story.bank.staff("district")
    early = story.bank.call("POST", f"{path}/pay", {"reference": "拨款单"}, token=district)
    assert (early.status, early["code"]) == (409, "wrong_state")
    story.post(f"{path}/approve", story.bank.staff(township))
    assert story.post(f"{path}/approve", district)["state"] == "approved"
    paid = story.post(f"{path}/pay", district, {"reference": f"拨款单-{township}"})
    assert paid["state"] == "paid"
    return paid["netted_fen"], paid["paid_fen"]


def _look_at_the_books(story: Story, order_id: str) -> None:
    bank, auditor = story.bank, story.bank.staff("auditor")
    shares = {one["township_code"]: one for one in bank.get("/subsidies/shares", auditor, **_month(story))["items"]}
    assert [shares[XIWU][name] for name in ("meals", "list_fen", *SHARES)] == [1, 800, 250, 400, 100, 50, 0]
    assert [shares[DAYAN][name] for name in ("meals", "list_fen", *SHARES)] == [1, 1100, 250, 400, 100, 50, 300]
    [gift] = bank.get("/meal-donations", bank.staff("dayan"), canteen_id=story.canteens[HIS])["items"]
    became = bank.get(f"/meal-donations/{gift['donation_id']}", auditor)
    assert (became["meals"], became["used_fen"], became["left_fen"]) == (1, 100, 29_900)
    _the_volunteer_has_earned_the_way(bank)
    receipt = bank.get(f"/orders/{order_id}", bank.person(GRANDFATHER))
    assert receipt["list_fen"] == sum(line["fen"] for line in receipt["lines"] if line["share"])
    for unit in ("fen", "minute"):
        trial = bank.get("/ledger/trial-balance", auditor, unit=unit)
        assert trial["total_debit"] == trial["total_credit"] > 0
    verified = timebank(bank.home, "verify", "--json")
    assert (verified.returncode, json.loads(verified.stdout)["ok"]) == (0, True), verified.stdout


def _the_volunteer_has_earned_the_way(bank: RunningBank) -> None:
    volunteer = bank.person(VOLUNTEER)
    [task] = bank.get("/tasks", volunteer, mine="true")["items"]
    assert (task["service_type"], task["status"]) == ("meal_delivery", "confirmed")
    assert bank.get("/me/balance", volunteer)["savings_minutes"] == task["payable_minutes"] > 0


def _month(story: Story) -> dict[str, str]:
    return {"month": f"{story.day:%Y-%m}"}
