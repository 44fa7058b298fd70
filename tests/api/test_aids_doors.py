"""Aids over HTTP: the same request twice, times and codes in answers, pages of a list."""

from __future__ import annotations

from tests.api.scene import Scene
from tests.doors import SignIn


def test_a_reservation_asked_for_twice_under_one_key_is_one(scene: Scene, sign_in: SignIn) -> None:
    elder = sign_in("elder")
    elder.ok("aid_loans.cancel", {}, loan_id=scene.aid_loans["reserved"])
    wish = {"item_id": str(scene.aid_items["free_here"]), "days": 2}
    first = elder.raw("aid_loans.reserve", wish, key="one")
    again = elder.raw("aid_loans.reserve", wish, key="one")
    assert (first.status_code, again.headers["Idempotency-Replayed"]) == (201, "true")
    assert first.get_json() == again.get_json()
    taken = sign_in("proxy").refused("aid_loans.reserve", {**wish, "for_person_id": str(scene.person_id("elder"))})
    assert (taken["status"], taken["code"]) == (409, "aid_taken")
    assert taken["due_back_on"] >= first.get_json()["reserved_until"][:10]


def test_the_code_is_for_the_elder_and_the_proxy_while_the_aid_waits(scene: Scene, sign_in: SignIn) -> None:
    loan_id = scene.aid_loans["reserved"]
    codes = {who: sign_in(who).ok("aid_loans.show", loan_id=loan_id)["code"] for who in ("elder", "proxy")}
    assert codes["elder"] == codes["proxy"]
    assert len(codes["elder"]) == 6
    assert sign_in("steward_xiwu").ok("aid_loans.show", loan_id=loan_id)["code"] is None
    assert sign_in("elder").ok("aid_loans.show", loan_id=scene.aid_loans["lent"])["code"] is None


def test_lists_go_on_where_the_page_ended(scene: Scene, sign_in: SignIn) -> None:
    steward = sign_in("steward_xiwu")
    for operation, name in (("aid_items.list", "item_id"), ("aid_loans.list", "loan_id")):
        whole = [one[name] for one in steward.ok(operation)["items"]]
        found, cursor = [], None
        while True:
            page = steward.ok(operation, query={"limit": 1, **({"cursor": cursor} if cursor else {})})
            found += [one[name] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert found == whole
        assert len(whole) == len(set(whole)) >= 2
    broken = steward.ok("aid_items.list", query={"township_code": "330213004"})["items"]
    assert {item["condition_name"] for item in broken} == {"完好", "维修中"}
