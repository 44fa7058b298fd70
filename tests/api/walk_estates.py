"""What a diner who has died left in the purse, paid out through HTTP by two stewards."""

from __future__ import annotations

from tests.api.caller import Caller
from tests.factories.people import XIWU, born_for_age, valid_id_number
from timebank.core import clock

Callers = dict[str, Caller]


def inherit_a_purse(people: Callers, staff: Callers) -> None:
    """Twenty yuan put in over the counter, a death, and the money in cash for the daughter."""
    clerk, steward = people["clerk"], staff["steward_xiwu"]
    number = valid_id_number(born_for_age(86))
    form = {"name": "毛阿公", "id_number": number, "township_code": XIWU, "roles": ["elder"]}
    person_id = steward.ok("people.enrol", form)["person_id"]
    clerk.ok("purses.top_up", {"person_id": person_id, "amount_fen": 2000})
    preview = steward.ok("leaving.preview", query={"person_id": person_id})
    assert (preview["may_leave"], preview["purse_fen"], preview["meal_orders"]) == (False, 2000, 0)
    wish = {"to": "pool", "person_id": person_id, "evidence": "申请书第3号"}
    refused = steward.refused("leaving.leave", wish)
    assert (refused["status"], refused["code"], refused["available_fen"]) == (409, "purse_not_empty", 2000)
    assert all(counter["name"] and counter["address"] for counter in refused["counters"])
    asked = {"person_id": person_id, "receiver_name": "毛小妹", "evidence": "公证书第12号"}
    assert steward.refused("purses.pay_out_estate", asked)["code"] == "death_not_settled"
    _die(person_id, staff)
    assert clerk.refused("purses.pay_back", {"person_id": person_id, "amount_fen": 1})["code"] == "estate_at_the_office"
    first = steward.ok("purses.pay_out_estate", asked)
    assert (first["status"], first["amount_fen"], first["transfer_id"]) == ("awaiting_second_person", None, None)
    assert staff["steward_shangtian"].refused("purses.pay_out_estate", asked)["code"] == "other_township"
    paid = staff["district"].ok("purses.pay_out_estate", asked)
    assert (paid["estate_id"], paid["status"], paid["amount_fen"]) == (first["estate_id"], "paid", 2000)
    line = steward.ok("purses.statement", query={"person_id": person_id})["items"][0]
    assert (line["kind_name"], line["fen"], line["balance_fen"]) == ("餐费余额退给继承人", -2000, 0)
    assert "由镇街凭继承依据退给继承人" in line["sentence"]


def _die(person_id: str, staff: Callers) -> None:
    told = {"person_id": person_id, "died_on": f"{clock.today():%Y-%m-%d}", "evidence": "死亡证明第10号"}
    report = staff["steward_xiwu"].ok("deaths.report", told)
    for who in ("district", "district_2"):
        staff[who].ok("deaths.approve", report_id=report["report_id"])
