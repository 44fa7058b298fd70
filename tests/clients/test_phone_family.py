"""Family and proxies on the phone: asking, answering, ending, naming an heir, and acting for an elder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.answers import ASKED_ME, I_ASKED, MY_ELDER, MY_PROXY, PROXY_ASKED, RELATIVE, RELATIVE_ID, everything
from tests.clients.shown import Phone, listed

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

RELATION = f"/family/{RELATIVE['relation_id']}"
NUMBER = "330224196001011230"


@pytest.fixture(autouse=True)
def _bank_with_family(bank: ScriptedBank) -> None:
    everything(bank)


@pytest.mark.parametrize("words", [("family",), ("family", "list")])
def test_relatives_and_what_waits_stand_in_one_numbered_list(of_wang: Phone, words: tuple[str, ...]) -> None:
    output = of_wang(*words).output
    for said in ("1．周桂芬", "是您的：父母", "2．周建国　等您答复", "周建国（兄弟姐妹）请您确认亲属关系"):
        assert said in output
    for said in ("同意：timebank phone family accept 2", "不同意：timebank phone family decline 2"):
        assert said in output
    assert "3．周小红　等对方答复" in output
    assert "不要了：timebank phone family withdraw 3" in output
    assert "对方可以答复到 12 月 1 日（星期二）10:00" in output


def test_who_has_no_family_is_told_how_to_begin(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/family")
    listed(bank, "/family/proposals", ASKED_ME | {"status": "accepted"})
    assert "timebank phone family propose 姓名" in of_wang("family").output


@pytest.mark.parametrize(
    ("relation", "code"),
    [("女儿", "child"), ("老伴", "spouse"), ("女婿", "child_in_law"), ("兄弟姐妹", "sibling"), ("外婆", "grandparent")],
)
def test_a_relative_is_asked_in_the_words_of_the_house(
    of_wang: Phone, bank: ScriptedBank, relation: str, code: str
) -> None:
    bank.on("POST", "/family/proposals", bank.reply(201, I_ASKED))
    output = of_wang("family", "propose", "周小红", "--id-number", NUMBER, "--relation", relation).output
    asked = {"name": "周小红", "id_number": NUMBER, "relation": code}
    assert bank.asked("POST", "/family/proposals")[0].body == asked
    assert "已提出，等对方答复" in output
    assert NUMBER not in output


def test_what_is_missing_is_asked_and_an_unknown_word_is_refused(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("POST", "/family/proposals", bank.reply(201, I_ASKED))
    of_wang("family", "propose", answers=f"周小红\n{NUMBER}\n妹妹\n")
    assert bank.asked("POST", "/family/proposals")[0].body["relation"] == "sibling"
    result = of_wang("family", "propose", "周小红", "--id-number", NUMBER, "--relation", "同事")
    assert result.exit_code == 1
    assert "没有认出「同事」" in result.output
    assert len(bank.asked("POST", "/family/proposals")) == 1


@pytest.mark.parametrize(
    ("group", "verb", "typed", "proposal", "said"),
    [
        ("family", "accept", "2", ASKED_ME, "已同意"),
        ("family", "decline", "周建国", ASKED_ME, "没有同意，也不会告诉对方"),
        ("family", "withdraw", "3", I_ASKED, "已撤回"),
        ("proxies", "accept", "3", PROXY_ASKED, "周阿公请您代办（您是孙女）"),
        ("proxies", "decline", "周阿公", PROXY_ASKED, "没有同意"),
    ],
)
def test_a_request_is_answered_by_its_number_or_name(
    of_wang: Phone, bank: ScriptedBank, group: str, verb: str, typed: str, proposal: dict[str, Any], said: str
) -> None:
    path = f"/{group}/proposals/{proposal['proposal_id']}/{verb}"
    bank.on("POST", path, bank.reply(200, proposal))
    of_wang(group)
    assert said in of_wang(group, verb, typed).output
    assert [request.body for request in bank.asked("POST", path)] == [{}]


@pytest.mark.parametrize("typed", ["1", "3"])
def test_what_is_no_request_to_oneself_cannot_be_accepted(of_wang: Phone, bank: ScriptedBank, typed: str) -> None:
    of_wang("family")
    result = of_wang("family", "accept", typed)
    assert result.exit_code == 1
    assert f"没有找到「{typed}」" in result.output
    assert [request.path for request in bank.requests if request.method == "POST"] == ["/api/v1/auth/wechat-login"]


def test_a_relation_is_ended_and_the_heir_with_it(of_wang: Phone, bank: ScriptedBank) -> None:
    listed(bank, "/family", RELATIVE | {"is_heir": True})
    bank.on("POST", f"{RELATION}/end", bank.reply(200, {"relation_id": RELATIVE["relation_id"], "ended_at": "x"}))
    assert "您指定的继承人" in of_wang("family").output
    output = of_wang("family", "end", "1").output
    assert "已终止与周桂芬的亲属登记" in output
    assert "周桂芬不再是您指定的继承人。" in output


def test_an_heir_is_put_in_place_or_nobody_is(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("PUT", "/family/heir", bank.reply(200, {"person_id": RELATIVE_ID}))
    assert "已指定周桂芬（父母）" in of_wang("family", "heir", "周桂芬").output
    assert "现在谁也没有指定" in of_wang("family", "heir", "--nobody").output
    asked = bank.asked("PUT", "/family/heir")
    assert [request.body for request in asked] == [{"person_id": RELATIVE_ID}, {"person_id": None}]
    assert None not in {request.key for request in asked}
    for words in ((), ("周桂芬", "--nobody")):
        assert "请写明指定哪位亲属。" in of_wang("family", "heir", *words).output
    assert len(bank.asked("PUT", "/family/heir")) == 2


def test_an_heir_whose_naming_got_no_answer_is_named_once(of_wang: Phone, bank: ScriptedBank) -> None:
    bank.on("PUT", "/family/heir", bank.cut(), bank.cut(), bank.cut(), bank.reply(200, {"person_id": RELATIVE_ID}))
    assert "结果未知" in of_wang("family", "heir", "周桂芬").output
    assert "没有重复办理" in of_wang("family", "heir", "周桂芬").output
    assert len({request.key for request in bank.asked("PUT", "/family/heir")}) == 1


@pytest.mark.parametrize("words", [("proxies",), ("proxies", "list")])
def test_who_acts_for_whom_is_shown_with_how_to_do_it(of_wang: Phone, words: tuple[str, ...]) -> None:
    output = of_wang(*words).output
    for said in (
        "1．您代周桂芬办",
        "能办：用餐券、居家养老预约、赠与",
        "您是周桂芬的：女儿",
        "加写 --for 1",
        "2．林阿姨代您办",
    ):
        assert said in output
    assert "加写 --for 2" not in output
    assert "3．周阿公　等您答复" in output
    assert "代办：用餐券、居家养老预约" in output


@pytest.mark.parametrize(
    ("scopes", "codes"),
    [
        (("--scope", "用餐券", "--scope", "赠与"), ["meals", "gifts"]),
        (("--scope", "用餐券、上门服务,辅具"), ["meals", "care", "aids"]),
    ],
)
def test_somebody_is_asked_to_act_for_what_is_named(
    of_wang: Phone, bank: ScriptedBank, scopes: tuple[str, ...], codes: list[str]
) -> None:
    bank.on("POST", "/proxies/proposals", bank.reply(201, PROXY_ASKED | {"received": False, "name": "林阿姨"}))
    output = of_wang("proxies", "propose", "林阿姨", "--id-number", NUMBER, "--relation", "邻居", *scopes).output
    asked = {"name": "林阿姨", "id_number": NUMBER, "relation": "邻居", "scopes": codes}
    assert bank.asked("POST", "/proxies/proposals")[0].body == asked
    assert "您请林阿姨（孙女）代办" in output


def test_what_a_proxy_may_do_is_asked_and_checked(of_wang: Phone, bank: ScriptedBank) -> None:
    result = of_wang("proxies", "propose", "林阿姨", "--id-number", NUMBER, answers="邻居\n跳舞\n")
    assert result.exit_code == 1
    assert "没有认出「跳舞」" in result.output
    assert bank.asked("POST", "/proxies/proposals") == []


def test_acting_for_somebody_is_ended_by_either(of_wang: Phone, bank: ScriptedBank) -> None:
    for one in (MY_ELDER, MY_PROXY):
        bank.on("POST", f"/people/proxies/{one['registration_id']}/end", bank.reply(200, {}))
    of_wang("proxies")
    assert "您不再代周桂芬办事" in of_wang("proxies", "end", "1").output
    assert "林阿姨不再代您办事" in of_wang("proxies", "end", "林阿姨").output


def test_only_an_elder_who_asked_can_be_acted_for(of_wang: Phone, bank: ScriptedBank) -> None:
    of_wang("proxies")
    for typed in ("2", "林阿姨"):
        assert f"没有找到「{typed}」" in of_wang("care", "list", "--for", typed).output
    listed(bank, "/proxies", MY_PROXY)
    assert "还没有老人请您代办。" in of_wang("care", "list", "--for", "1").output
    assert bank.asked("GET", "/care-bookings") == []


@pytest.mark.parametrize(("code", "said"), [("proposal_expired", "请对方再提一次"), ("already_relatives", "不用再办")])
def test_a_refusal_says_what_to_do_next(of_wang: Phone, bank: ScriptedBank, code: str, said: str) -> None:
    path = f"/family/proposals/{ASKED_ME['proposal_id']}/accept"
    bank.on("POST", path, bank.problem(409, code, "不能这样办理"))
    result = of_wang("family", "accept", "周建国")
    assert result.exit_code == 1
    assert said in result.output


@pytest.mark.parametrize("group", ["family", "aids", "proxies", "care"])
def test_a_group_explains_itself_and_its_mistakes(of_wang: Phone, bank: ScriptedBank, group: str) -> None:
    asked = len(bank.requests)
    assert f"这样写：timebank phone {group} 要办的事" in of_wang(group, "--help").output
    assert f"下一步：timebank phone {group} --help" in of_wang(group, "dance").output
    assert len(bank.requests) == asked
