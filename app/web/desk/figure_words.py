"""How figures are written for people, and the rows that charts and tables are made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import request

from app.web.asking import Asker
from app.web.charts.rows import Chart, Row
from timebank.core.amounts import yuan_text
from timebank.supervision.figures.rules import FIGURES, SHARE_KEYS, SPENT_KEYS

Answer = Mapping[str, Any]


def whose_asked(ask: Asker) -> dict[str, str]:
    """Whose figures the address asks for: a township's steward always its own."""
    code = ask.actor.township_code or request.args.get("township_code", "").strip()
    return {"township_code": code} if code else {}


def hours_said(minutes: int) -> str:
    """``1,234小时30分``; whole hours where there are no minutes left."""
    sign = "−" if minutes < 0 else ""
    hours, rest = divmod(abs(minutes), 60)
    if not hours and rest:
        return f"{sign}{rest}分钟"
    return f"{sign}{hours:,}小时" + (f"{rest}分" if rest else "")


def figure_said(unit: str, amount: int | None, counted: str = "") -> str:
    """An amount in its unit, for people; a dash where it is not known."""
    if amount is None:
        return "—"
    if unit == "minute":
        return hours_said(amount)
    return yuan_text(amount) if unit == "fen" else f"{amount:,}{counted}"


def short_hours(minutes: int) -> str:
    """Hours for an axis."""
    hours = minutes // 60
    return f"{hours // 10_000}万" if hours >= 10_000 and hours % 10_000 == 0 else f"{hours:,}"


def named_months(said: Answer) -> list[tuple[str, Answer]]:
    """Months with short names, ``11月``; the first one and each January with the year, ``26/1``."""
    named = []
    for place, one in enumerate(said["months"]):
        year, number = one["month"].split("-")
        short = f"{int(number)}月"
        named.append((f"{year[2:]}/{int(number)}" if place == 0 or number == "01" else short, one))
    return named


def minutes_chart(said: Answer) -> Chart:
    """Hours earned and spent, month by month."""
    rows = [
        Row(name, [amount(one, "earned_minutes"), sum(amount(one, key) for key in SPENT_KEYS)])
        for name, one in named_months(said)
    ]
    return _of_hours(f"{whose_name(said)}各月存入和兑换的时长", ("志愿服务存入", "居民兑换"), rows)


def redemptions_chart(said: Answer) -> Chart:
    """Redemptions by kind, month by month."""
    rows = [Row(name, [amount(one, key) for key in SPENT_KEYS]) for name, one in named_months(said)]
    return _of_hours(f"{whose_name(said)}各月兑换的时长，按种类", ("用餐", "居家养老", "康复辅具"), rows)


def shares_chart(whose: str, month: str, amounts: Mapping[str, int]) -> Chart:
    """Who bore the price of a month's meals."""
    total = sum(amounts.get(key, 0) for key in SHARE_KEYS)
    rows = [
        Row(FIGURES[key].label, [amounts.get(key, 0)], share_said(amounts.get(key, 0), total)) for key in SHARE_KEYS
    ]
    return Chart(f"{whose}{month}餐费由谁承担", ("餐费",), rows, yuan_text, yuan_text)


def limits_chart(said: Answer) -> Chart:
    """How much of its hard limit each township has used, in percent."""
    rows = [Row(one["township_name"], [one["percent"]], limit_said(one)) for one in said["limits"]]
    title = f"{whose_name(said)}未结算应付占硬限额"
    return Chart(title, ("已用",), rows, lambda n: f"{n}%", lambda n: f"{n}%", mark=(100, "硬限额"))


def townships_chart(said: Answer) -> Chart:
    """Hours earned by the people of each township in a month, the most first."""
    line = next(one for one in said["lines"] if one["key"] == "earned_minutes")
    parts = sorted(line["parts"], key=lambda part: -part["amount"])
    rows = [Row(part["township_name"], [part["amount"]]) for part in parts]
    return _of_hours(f"{said['month']}各镇街志愿服务存入", ("志愿服务存入",), rows)


def limit_said(one: Answer) -> str:
    """What a township's standing is called, in words and never by colour alone."""
    if one["limit_state"] == "hard":
        return str(one["limit_state_name"])
    near = "接近硬限额" if one["is_near"] else ""
    soft = str(one["limit_state_name"]) if one["limit_state"] == "soft" else ""
    return "，".join(said for said in (near, soft) if said)


def share_said(part: int, whole: int) -> str:
    """``12.5%`` of the whole; nothing where there is no whole."""
    return f"{part * 100 / whole:.1f}%" if whole > 0 else ""


def whose_name(said: Answer) -> str:
    """The township, or the whole district."""
    return str(said["township_name"] or "全区")


def amount(month: Answer, key: str) -> int:
    """A figure of a month of the dashboard; 0 where nothing happened."""
    return int(month["figures"].get(key, 0))


def stood(month: Answer, key: str) -> int | None:
    """A figure that stands at a month's end or is counted in it; None where it was not kept."""
    return amount(month, key) if month["is_running"] or month["is_kept"] else None


def _of_hours(title: str, series: Sequence[str], rows: Sequence[Row]) -> Chart:
    return Chart(f"{title}（小时）", series, rows, hours_said, short_hours, base=60)
