"""Whatever the bank offers is reached from a page, or stands here with the reason why it is not."""

from __future__ import annotations

import re
from pathlib import Path

from tests.api.description import describe

PAGES = Path(__file__).parents[2] / "app" / "web"

BY_TURNS = {
    'f"tasks.{step}"': {f"tasks.{step}" for step in ("check_in", "check_out", "confirm", "dispute")},
    'f"purses.{step}"': {"purses.top_up", "purses.pay_back"},
    'f"menus.{step}"': {"menus.sold_out", "menus.on_sale"},
    'f"aid_items.{step}"': {f"aid_items.{step}" for step in ("to_repair", "repaired", "retire")},
    'f"{noun}.proposals"': {"family.proposals", "proxies.proposals"},
    'f"{_KINDS[way]}.{said}"': {f"{noun}.{said}" for noun in ("family", "proxies") for said in ("accept", "decline")}
    | {"family.withdraw", "proxies.withdraw"},
}
"""A line of a page that asks one operation or another, and which."""

WITHOUT = {
    "asked by a program, never by somebody who reads a page": {
        *("dev.set_clock", "web_tickets.issue", "offline.bundle"),
    },
    "its answer is drawn within a page": {"vouchers.qr"},
    "the desk's import looks at a workbook first and books it afterwards": {"diners.import", "menus.import"},
    "the counter finds its diners by name and four figures and serves them by their orders; these are for scanners": {
        *("vouchers.find", "vouchers.redeem_for", "meal_counter.serve_many"),
    },
    "the monthly job says the same when it grants": {"allotments.preview"},
}
"""Operations that no page asks, by the reason."""

SOURCES = "\n".join(path.read_text(encoding="utf-8") for path in sorted(PAGES.rglob("*.py")))


def _asked() -> set[str]:
    named = set(re.findall(r'"([a-z_]+\.[a-z_]+)"', SOURCES))
    return named.union(*(operations for line, operations in BY_TURNS.items() if line in SOURCES))


def test_every_operation_is_asked_by_a_page_or_there_is_a_reason() -> None:
    reasons = set().union(*WITHOUT.values())
    assert sorted(set(describe().operations) - _asked() - reasons) == []


def test_no_reason_is_given_for_what_a_page_asks_or_nobody_offers() -> None:
    reasons = [operation for operations in WITHOUT.values() for operation in operations]
    assert sorted(set(reasons) & _asked()) == []
    assert sorted(set(reasons) - set(describe().operations)) == []
    assert len(reasons) == len(set(reasons))


def test_every_line_that_asks_by_turns_is_there() -> None:
    assert [line for line in BY_TURNS if line not in SOURCES] == []
