"""One field for all that is scanned or typed at a counter, and one large answer: yes or no, and why.

A form's key is the nonce of its scan, so that the same form sent twice is one scan. The last answers travel with the
form itself: they are the clerk's own screen, and kept nowhere else.
"""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, json, request

from app.web.asking import Asker, Refusal
from app.web.counter.meals import MEALS, dishes_text
from app.web.doors import form_key, page
from app.web.screens import clock_text, filled, screen
from timebank.core import clock
from timebank.core.amounts import yuan_text

doors = Blueprint("counter_scanning", __name__)

_NUMBER = re.compile(r"([早午晚]?)餐?\s*([0-9]{1,6})\s*号?")
_SHOWN, _LONGEST = 10, 80
_TONES = ("yes", "no", "wait")
_MOST_SENT = 1000

Said = dict[str, Any]


@page(doors, "/counter/", who="clerk")
def counter(ask: Asker) -> Response:
    return _drawn(ask, None, [])


@page(doors, "/counter/", who="clerk", method="POST")
def scan(ask: Asker) -> Response:
    code, before = filled().get("code", ""), _recent(filled().get("recent", ""))
    if not code:
        return _drawn(ask, _no("没有读到", "请再扫一次，或输入券码、取餐号"), before, status=422)
    said, status = _answered(ask, code, form_key())
    return _drawn(ask, said, [_line(said), *before], status=status)


@page(doors, "/counter/send", who="clerk", method="POST")
def send(ask: Asker) -> Response:
    """Scans that a browser kept while it had no line; each gets its final answer, in order."""
    scans = _kept(request.form.get("scans", ""))
    if scans is None:
        return _as_json({"title": "补传的内容读不出"}, 422)
    answers: list[Said | None] = [_handed_over(ask, one["code"], one["nonce"]) for one in scans]
    vouchers = [{**one, "offline": True} for one, answer in zip(scans, answers, strict=True) if answer is None]
    if vouchers:
        found = ask.write("vouchers.redeem_batch", {"scans": vouchers}, key="")
        if isinstance(found, Refusal):
            return _as_json({"title": found.title}, 422)
        redeemed = iter(found["results"])
        answers = [_said(next(redeemed)) if answer is None else answer for answer in answers]
    told = [
        {**_line(answer), "nonce": one["nonce"], "paid": answer["paid"]}
        for one, answer in zip(scans, answers, strict=True)
        if answer is not None
    ]
    return _as_json({"results": told}, 200)


@page(doors, "/counter/offline", who="anyone")
def without_a_line(_ask: Asker) -> Response:
    """What a browser keeps to open without a line: the field, and nothing of anybody's."""
    return screen("counter/offline.html", None, no_line=True)


@page(doors, "/counter/worker.js", who="anyone")
def worker(_ask: Asker) -> Response:
    """The script that opens the counter without a line; under this address it reaches the counter's pages only."""
    words = (files("app.web") / "static" / "counter_worker.js").read_bytes()
    kind = "text/javascript; charset=utf-8"
    return Response(words, content_type=kind, headers={"Cache-Control": "no-cache"})


def _drawn(ask: Asker, said: Said | None, recent: list[Said], *, status: int = 200) -> Response:
    shown = recent[:_SHOWN]
    return screen(
        "counter/scan.html",
        ask.actor,
        status=status,
        day=ask.read("meal_counter.today"),
        no_line=False,
        meals=MEALS,
        said=said,
        recent=shown,
        recent_kept=json.dumps(shown, ensure_ascii=False),
        now=clock.now().isoformat(),
    )


def _answered(ask: Asker, code: str, nonce: str) -> tuple[Said, int]:
    """The answer to what was scanned or typed: an order's number or id is handed over, all else is a voucher."""
    served = _handed_over(ask, code, nonce)
    if served is not None:
        return served, 200 if served["tone"] == "yes" else 422
    answer = ask.write("vouchers.redeem", {"code": code, "nonce": nonce}, key="")
    if isinstance(answer, Refusal):
        return _no("不能核销", answer.title), 422
    return _said(answer), 200


def _handed_over(ask: Asker, code: str, nonce: str) -> Said | None:
    """What became of handing an order over; None where what was shown is no order."""
    shown = _shown(ask, code.strip())
    if shown is None:
        return None
    order = ask.write("meal_counter.serve", shown, key=nonce)
    if isinstance(order, Refusal):
        return _no("不要给餐", order.title)
    whose = f"{order['meal_name']} {order['pickup_number']} 号"
    lines = [dishes_text(order["items"]), order["way_name"]]
    if order["diet_form"] != "normal":
        lines.append(f"【{order['diet_form_name']}】")
    lines.append(f"收现金 {yuan_text(order['cash_fen'])}" if order["cash_fen"] else "不收现金")
    return {**_no("可以给餐", "，".join(lines)), "tone": "yes", "who": f"{whose} {order['diner_name'] or '散客'}"}


def _shown(ask: Asker, code: str) -> dict[str, Any] | None:
    number = _NUMBER.fullmatch(code)
    if number is not None:
        of_meal = {name[0]: meal for meal, name in MEALS.items()}
        meal = of_meal.get(number.group(1)) or ask.read("meal_counter.today")["meal_now"]
        return {"pickup_number": int(number.group(2)), "meal": meal}
    try:
        return {"order_id": str(UUID(code))} if len(code) == 36 else None
    except ValueError:
        return None


def _said(answer: dict[str, Any]) -> Said:
    """A voucher's answer, as it is shown."""
    good = answer["result"] == "accepted"
    paid = "这一餐由保障金支付" if answer["honoured"] else "" if good else "这一餐不支付，请联系镇街"
    return {
        "tone": "yes" if good else "no",
        "title": "可以用餐" if good else "不能用这张券",
        "who": answer["holder_name"] or "",
        "why": "用餐券已核销" if good else answer["message"],
        "paid": paid,
        "at": clock.now().isoformat(),
    }


def _no(title: str, why: str) -> Said:
    at = clock.now().isoformat()
    return {"tone": "no", "title": title, "who": "", "why": why, "paid": "", "at": at}


def _line(said: Said) -> Said:
    """One line of the last answers."""
    return {"at": clock_text(said["at"]), **{name: said[name] for name in ("tone", "who", "why")}}


def _recent(kept: str) -> list[Said]:
    """The answers before this one, as the form brought them along; what cannot be read is left out."""
    found = _list_in(kept)
    names = ("at", "tone", "who", "why")
    whole = [one for one in found or [] if isinstance(one, dict) and one.get("tone") in _TONES]
    return [{name: str(one.get(name, ""))[:_LONGEST] for name in names} for one in whole[:_SHOWN]]


def _kept(sent: str) -> list[dict[str, Any]] | None:
    """The scans that were sent; None where they cannot be read."""
    found = _list_in(sent)
    names = ("code", "nonce", "scanned_at")
    if not found or len(found) > _MOST_SENT:
        return None
    if not all(isinstance(one, dict) and all(isinstance(one.get(name), str) for name in names) for one in found):
        return None
    return [{name: one[name] for name in names} for one in found]


def _list_in(text: str) -> list[Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def _as_json(answer: dict[str, Any], status: int) -> Response:
    words = json.dumps(answer, ensure_ascii=False)
    return Response(words, status, content_type="application/json", headers={"Cache-Control": "no-store"})
