"""What the counter's pages share: the meals by name, which meal is looked at, and amounts as they are typed."""

from __future__ import annotations

import re
from typing import Any

from flask import request

from app.web.asking import Asker
from timebank.canteens.pricing.rules import MEAL_NAMES

MEALS = {str(meal): name for meal, name in MEAL_NAMES.items()}
SHARES = (
    ("老人付", "elder_fen"),
    ("政府补", "government_fen"),
    ("企业捐", "donation_fen"),
    ("菜园供", "garden_fen"),
    ("志愿者帮", "volunteers_fen"),
)
"""The five shares, by the names that the district uses."""

_YUAN = re.compile(r"[¥￥]?(\d{1,7})(?:[.．](\d{1,2}))?元?")


def day_and_meal(ask: Asker) -> tuple[dict[str, Any], str]:
    """The counter's day, and the meal that is asked for, or else that of now."""
    day = ask.read("meal_counter.today")
    wanted = request.values.get("meal", "")
    return day, wanted if wanted in MEALS else str(day["meal_now"])


def fen_of(typed: str) -> int | None:
    """``50``, ``50.5`` or ``50.50元`` in fen; None where it is no amount of money."""
    found = _YUAN.fullmatch(typed.strip())
    if found is None:
        return None
    yuan, rest = found.groups()
    return int(yuan) * 100 + int((rest or "").ljust(2, "0"))


def dishes_text(items: list[dict[str, Any]]) -> str:
    """What was ordered: 红烧肉、米饭×2."""
    return "、".join(one["name"] + (f"×{one['quantity']}" if one["quantity"] > 1 else "") for one in items)
