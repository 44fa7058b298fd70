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


def chosen_task(handset: Handset, typed: str) -> str:
    """The id of the task ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "tasks", "task_id", ({"mine": "true"}, {}))


def chosen_voucher(handset: Handset, typed: str) -> str:
    """The id of the voucher ``typed``. Raises PhoneTrouble when it fits none, or several."""
    return _chosen(handset, typed, "vouchers", "voucher_id", ({},))


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
    command = "tasks" if kind == "tasks" else "vouchers"
    return PhoneTrouble(f"没有找到「{typed}」。", f"请先看一遍清单，再用清单里的序号：timebank phone {command}")
