"""From what a person types (a number in the list, the start of an id, a name) to what the bank calls it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from clients.miniprogram.terminal.handset import Handset, PhoneTrouble
from clients.miniprogram.terminal.words import BEIJING

_WHOLE_ID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_ID_START = re.compile(r"[0-9a-fA-F-]{2,36}")
_AMOUNT = re.compile(r"(?:(\d{1,9})\s*(?:个)?小时)?\s*(?:(\d{1,9})\s*(?:分钟?)?)?")
_COMMANDS = {
    "lines": "statement",
    "care-bookings": "care list",
    "care-services": "care services",
    "care-providers": "care providers",
    "aid-items": "aids",
    "aid-loans": "aids mine",
    "canteens": "meal canteens",
    "menu-items": "meal menu",
    "orders": "meal orders",
    "standing-orders": "meal standing",
}
"""Which command shows a list, where it is not called as the list is."""


def chosen_task(handset: Handset, typed: str) -> str:
    """The id of the task ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "tasks", "task_id", ({"mine": "true"}, {}))


def chosen_voucher(handset: Handset, typed: str) -> str:
    """The id of the voucher ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "vouchers", "voucher_id", ({},))


def chosen_line(handset: Handset, typed: str) -> str:
    """The id of the line of the statement ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "lines", "transfer_id", ())


def chosen_booking(handset: Handset, typed: str) -> str:
    """The id of the booking of care ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "care-bookings", "booking_id", ({},))


def chosen_loan(handset: Handset, typed: str) -> str:
    """The id of the loan of an aid ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "aid-loans", "loan_id", ({},))


def chosen_aid(handset: Handset, typed: str) -> str:
    """The id of the aid ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "aid-items", "item_id", ({"available": "true"},))


def chosen_order(handset: Handset, typed: str) -> str:
    """The id of the meal's order ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "orders", "order_id", ({},))


def chosen_standing_order(handset: Handset, typed: str) -> str:
    """The id of the standing order ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "standing-orders", "standing_order_id", ({},))


def chosen_round(handset: Handset, typed: str) -> str:
    """The id of the delivery round ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "rounds", "round_id", ({},))


def chosen_entry(
    handset: Handset, typed: str, kind: str, entries: Iterable[dict[str, Any]], id_field: str
) -> dict[str, Any]:
    """The entry ``typed``: a number of the list shown last, an id, a name or its start. Raises PhoneTrouble.

    A number whose entry is no longer among ``entries`` fits none.
    """
    typed, listed = typed.strip(), list(entries)
    shown = handset.last_list(kind)
    if typed.isdecimal() and 0 < int(typed) <= len(shown):
        fitting = [one for one in listed if str(one[id_field]) == shown[int(typed) - 1]]
    else:
        fitting = [one for one in listed if str(one[id_field]) == typed.lower()]
        fitting = fitting or [one for one in listed if one["name"] == typed]
        fitting = fitting or [one for one in listed if typed and str(one["name"]).startswith(typed)]
    if len(fitting) > 1:
        names = "、".join(str(one["name"]) for one in fitting)
        raise PhoneTrouble(f"有 {len(fitting)} 个都像「{typed}」：{names}。", "请写全名，或用清单里的序号。")
    if not fitting:
        raise _not_found(typed, kind)
    return fitting[0]


def chosen_relative(handset: Handset, typed: str) -> dict[str, Any]:
    """The registered relative ``typed``, by a number of the family or a name. Raises PhoneTrouble."""
    return chosen_entry(handset, typed, "family", handset.api.items("/family"), "relation_id")


def chosen_elder(handset: Handset, typed: str) -> dict[str, Any]:
    """The elder ``typed`` for whom one acts, by a number of the proxies or a name. Raises PhoneTrouble."""
    elders = [one for one in handset.api.items("/proxies") if not one["acts_for_me"]]
    if not elders:
        raise PhoneTrouble("还没有老人请您代办。", "请老人在手机上请您代办，或一起到镇街登记。")
    return chosen_entry(handset, typed, "proxies", elders, "registration_id")


def for_elder(handset: Handset, elder: str | None) -> dict[str, str]:
    """What tells the bank that one acts for the elder typed after ``--for``; nothing for oneself."""
    return {} if elder is None else {"for_person_id": chosen_elder(handset, elder)["person_id"]}


def chosen_by_code_or_name(items: Iterable[dict[str, Any]], typed: str, what: str) -> str:
    """The code of the item whose code, name or start of a name is ``typed``. Raises PhoneTrouble."""
    listed = list(items)
    for exact in ("code", "name"):
        for item in listed:
            if item[exact] == typed:
                return str(item["code"])
    fitting = [item for item in listed if typed and str(item["name"]).startswith(typed)]
    if len(fitting) == 1:
        return str(fitting[0]["code"])
    names = "、".join(str(item["name"]) for item in fitting or listed)
    raise PhoneTrouble(f"没有认出{what}「{typed}」。", f"请从这些里选：{names}")


def chosen_moment(typed: str) -> str:
    """``2026-11-25 09:00`` on Beijing's clock (or RFC 3339 with its offset) as RFC 3339. Raises PhoneTrouble."""
    try:
        at = datetime.fromisoformat(typed.strip())
    except ValueError:
        raise PhoneTrouble(f"没有看懂时间「{typed}」。", "请这样写：2026-11-25 09:00") from None
    return (at if at.tzinfo else at.replace(tzinfo=BEIJING)).isoformat()


def chosen_minutes(typed: str) -> int:
    """``90``, ``90 分钟``, ``1 小时 30 分`` in minutes. Raises PhoneTrouble."""
    found = _AMOUNT.fullmatch(typed.strip())
    hours, minutes = found.groups() if found else (None, None)
    if hours is None and minutes is None:
        raise PhoneTrouble(f"没有看懂时长「{typed}」。", "请写分钟数，如 90；或者写 1小时30分。")
    return int(hours or 0) * 60 + int(minutes or 0)


def _chosen(handset: Handset, typed: str, kind: str, id_field: str, queries: Iterable[dict[str, str]]) -> str:
    typed = typed.strip()
    if _WHOLE_ID.fullmatch(typed):
        return typed.lower()
    shown = handset.last_list(kind)
    if typed.isdecimal() and not typed.startswith("0") and int(typed) <= len(shown):
        return shown[int(typed) - 1]
    if not _ID_START.fullmatch(typed):
        raise _not_found(typed, kind)
    start = typed.lower()
    fitting = {one for one in shown if one.startswith(start)}
    if not fitting:
        fitting = {
            str(item[id_field])
            for query in queries
            for item in handset.api.items(f"/{kind}", query)
            if str(item[id_field]).startswith(start)
        }
    if len(fitting) > 1:
        raise PhoneTrouble(f"有 {len(fitting)} 个编号以「{typed}」开头。", "请多写几位编号，或用清单里的序号。")
    if not fitting:
        raise _not_found(typed, kind)
    return fitting.pop()


def _not_found(typed: str, kind: str) -> PhoneTrouble:
    command = _COMMANDS.get(kind, kind)
    return PhoneTrouble(f"没有找到「{typed}」。", f"请先看一遍清单，再用清单里的序号：timebank phone {command}")
