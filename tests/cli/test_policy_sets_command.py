"""``timebank policies sets``, ``compare``, ``try`` and ``propose``, wide, narrow and as JSON."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.command_line import CommandLine
from tests.factories.people import add_staff_login
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.people.queries import staff_by_username
from timebank.policies.actions import approve_change
from timebank.policies.comparing import set_names
from timebank.policies.queries import in_force

NEXT_YEAR = f"{clock.today().year + 1}-01-01"


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.mark.parametrize("columns", [60, 80, 120])
@pytest.mark.parametrize(
    "words",
    [
        ["sets"],
        ["compare", "nanjing", "shanghai"],
        ["compare", "beijing", "fenghua"],
        ["compare", "taiyuan", "fenghua"],
        ["try", "shanghai"],
    ],
)
def test_what_is_shown_fits_the_terminal_and_loses_no_words(line: CommandLine, words: list[str], columns: int) -> None:
    shown = line.good("policies", *words, COLUMNS=str(columns))
    assert max(map(cell_len, shown.splitlines())) <= columns
    assert "…" not in shown


def test_sets_are_listed_with_how_much_they_say_themselves(line: CommandLine) -> None:
    listed = json.loads(line.good("policies", "sets", "--json"))["sets"]
    assert {one["name"]: one["own_values"] > 4 for one in listed} == {
        **dict.fromkeys(["beijing", "fenghua", "nanjing", "shanghai"], True),
        **dict.fromkeys(["five_shares", "taiyuan"], False),
    }


def test_subsidy_rules_are_compared_as_sentences(line: CommandLine) -> None:
    shown = line.good("policies", "compare", "taiyuan", "five_shares", COLUMNS="120")
    assert "\n    建国前老战士免费就餐：建国前老战士，餐费全免，由政府补\n" in shown
    assert "\n    企业捐一点：60岁及以上，餐费每餐由捐款付1.00元\n" in shown
    assert "1 项不同" in shown
    assert "\n    菜园供一点：" not in line.good("policies", "compare", "five_shares", "fenghua")


def test_comparing_shows_both_values_with_their_sources(line: CommandLine) -> None:
    shown = line.good("policies", "compare", "nanjing", "shanghai", COLUMNS="120")
    assert "shanghai：120 分钟\n    依据：上海长宁区：一天最多存2小时" in shown
    answer = json.loads(line.good("policies", "compare", "nanjing", "shanghai", "--json"))
    assert len(answer["differences"]) == shown.count("依据：") // 2 == 6
    age = answer["differences"][0]
    assert (age["key"], age["one"]["value"], age["one"]["fallback"], age["other"]["value"]) == (
        "redeem_min_age",
        60,
        True,
        65,
    )


def test_trying_names_the_rule_of_each_figure(line: CommandLine) -> None:
    answer = json.loads(line.good("policies", "try", "shanghai", "--months", "3", "--json"))
    assert (answer["set"], len(answer["figures"])) == ("shanghai", 20)
    assert {"key", "label", "what", "unit", "now", "tried"} == set(answer["figures"][0])


def test_a_set_is_proposed_by_one_and_in_force_when_another_has_approved(bank: Database, line: CommandLine) -> None:
    with bank.unit_of_work() as session:
        for username in ("first", "second"):
            add_staff_login(session, username, "a password of some length", StaffRole.DISTRICT_STEWARD)
    said = ["--effective", NEXT_YEAR, "--reason", "试点评估", "--by", "first"]
    proposed = json.loads(line.good("policies", "propose", "shanghai", *said, "--json"))
    assert proposed["values"] == {
        "lifetime_cap_minutes": 36_000,
        "daily_cap_minutes": 120,
        "redeem_min_age": 65,
        "vesting_min_minutes": 6000,
        "vesting_min_days": 365,
    }
    with bank.unit_of_work() as session:
        second = staff_by_username(session, "second")
        assert second is not None
        change = approve_change(session, actor=second, change_id=proposed["change_id"])
        then = change.effective_at
        assert change.source == "上海市的做法（据公开报道）"
    with bank.session() as session:
        assert in_force(session, at=then).whole("daily_cap_minutes") == 120
        assert in_force(session, at=then - timedelta(seconds=1)).whole("daily_cap_minutes") == 0
    assert "没有不同" in line.refused("policies", "propose", "fenghua", *said)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["compare", "nanjing", "mars"],
            f"没有名为 mars 的范本；有：{'、'.join(set_names())}。",
        ),
        (["try", "mars"], "没有名为 mars 的范本"),
        (["propose", "shanghai", "--effective", "明天", "--reason", "x", "--by", "first"], "生效日期须写作"),
        (["propose", "shanghai", "--effective", NEXT_YEAR, "--reason", "x", "--by", "nobody"], "没有登录名为 nobody"),
        (["propose", "shanghai", "--effective", "2020-01-01", "--reason", "x", "--by", "first"], "只能从将来生效"),
        (["propose", "shanghai", "--effective", NEXT_YEAR, "--reason", "x", "--by", "auditor"], "只有区级管理员"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    bank: Database, line: CommandLine, words: list[str], said: str
) -> None:
    with bank.unit_of_work() as session:
        add_staff_login(session, "first", "a password of some length", StaffRole.DISTRICT_STEWARD)
        add_staff_login(session, "auditor", "a password of some length", StaffRole.AUDITOR)
    assert said in line.refused("policies", *words)
