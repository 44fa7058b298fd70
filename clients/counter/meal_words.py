"""How the counter tells of meals, and what a clerk can do after a no."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from clients.miniprogram.problem import Problem
from clients.miniprogram.terminal.words import refusal_sentences, yuan_text

MEALS = {"breakfast": "早餐", "lunch": "午餐", "supper": "晚餐"}
SHARES = (
    ("老人付", "elder_fen"),
    ("政府补", "government_fen"),
    ("企业捐", "donation_fen"),
    ("菜园供", "garden_fen"),
    ("志愿者帮", "volunteers_fen"),
)
_SUMS = {
    **{field: name for name, field in SHARES},
    "list_fen": "原价",
    "cash_fen": "现卖收现金",
    "missed_fen": "没来取的收",
    "topped_up_fen": "充值",
    "paid_back_fen": "退款",
    "handed_in_fen": "缴款",
}
_YUAN = re.compile(r"[¥￥]?(\d{1,7})(?:[.．](\d{1,2}))?元?")

_SELL, _MENU = "timebank counter sell 菜名", "timebank counter menu"
_OTHER_DISH = f"换一样菜，看菜单：{_MENU}"
_ASK_OFFICE = "问本人所在镇街的管理员"
_NEXT_BY_CODE = {
    "no_order_waiting": "核对号码，别的餐次请加 --meal；没有订餐的，扫用餐券用 scan，现卖用 sell",
    "order_already_served": "这份餐已经给过，不要再给",
    "order_ended": f"不要给餐；还有多的可以现卖：{_SELL}",
    "order_elsewhere": f"请对方到订餐的地方取；还有多的可以现卖：{_SELL}",
    "other_day": f"请对方那一天来取；今天要吃可以现卖：{_SELL}",
    "too_early_to_serve": "到了时间再取",
    "order_is_delivered": "送到家的这样交接：timebank counter rounds deliver 取餐号 交接码",
    "shown_unclear": "写取餐号，或者扫用餐券",
    "insufficient_fen": "先充值：timebank counter topup 姓名 元；卖餐也可以加 --cash 收现金",
    "top_up_too_large": "少充一些",
    "purse_full": "少充一些",
    "drawer_short": "少退一些，或请本人到镇街领取",
    "sold_out": _OTHER_DISH,
    "capacity_reached": "这一餐不能再卖",
    "item_unknown": f"核对餐次和菜名，看菜单：{_MENU}",
    "item_withdrawn": _OTHER_DISH,
    "dish_not_suitable": "先问清楚；本人知道、仍然要吃的，再加 --anyway",
    "no_voucher": "去掉 --voucher，改用余额或现金",
    "guest_pays_cash": "收现金：加 --cash",
    "already_ordered": "还没有取的请取餐：timebank counter serve 取餐号",
    "walk_in_only_now": "只在当天、供餐结束之前现卖",
    "last_four_invalid": "看身份证最后四位，末位可能是 X",
    "too_many_lookups": "过一会儿再查；有取餐号、用餐券的不用查",
    "person_frozen": _ASK_OFFICE,
    "person_left": _ASK_OFFICE,
    "diner_not_approved": f"{_ASK_OFFICE}；现在可以收现金，不写 --to",
    "handover_code_wrong": "请老人再念一遍四位交接码",
    "handover_code_needed": "写上老人念的四位交接码",
    "handover_code_blocked": "打电话向老人核实，再加 --evidence 写明依据",
    "stop_closed": "这一份已有结果，看这一趟：timebank counter rounds show 趟次",
    "round_not_taken": "请配送员送：timebank counter rounds courier 趟次 姓名 电话",
    "check_in_first": "请志愿者在手机上签到，服务码在这里看：timebank counter rounds list",
    "wrong_state": "看现在的状态：timebank counter rounds list",
}
_NEXT_BY_STATUS = {
    403: "换本助餐点工作人员的登录名",
    404: "核对后再试一次",
    422: "改好以后再试一次",
    429: "过几分钟再试",
}


def fen_of(typed: str) -> int | None:
    """``50``, ``50.5`` or ``50.50元`` in fen; None where it is no amount of money."""
    found = _YUAN.fullmatch(typed.strip())
    if found is None:
        return None
    yuan, rest = found.groups()
    return int(yuan) * 100 + int((rest or "").ljust(2, "0"))


def dishes_text(items: Iterable[Mapping[str, Any]]) -> str:
    """What was ordered: 红烧肉、米饭×2."""
    return "、".join(one["name"] + (f"×{one['quantity']}" if one["quantity"] > 1 else "") for one in items)


def care_text(one: Mapping[str, Any]) -> str:
    """What the clerk has to be careful about with somebody who waits; empty where nothing."""
    said = [f"【{one['diet_form_name']}】"] if one["diet_form"] != "normal" else []
    if one["allergies"]:
        said.append(f"过敏：{'、'.join(one['allergies'])}")
    if one["religious_diet"]:
        said.append(str(one["religious_diet"]))
    return "，".join([*said, *([f"备注：{one['note']}"] if one["note"] else [])])


def order_lines(order: Mapping[str, Any]) -> list[str]:
    """A meal handed over: what, how, and who bears the price."""
    how = "，".join(
        [order["way_name"], *([f"【{order['diet_form_name']}】"] if order["diet_form"] != "normal" else [])]
    )
    lines = [f"{dishes_text(order['items'])}（{how}）"]
    if order["note"]:
        lines.append(f"备注：{order['note']}")
    if order["cash_fen"]:
        lines.append(f"收现金：{yuan_text(order['cash_fen'])}")
    elif order["elder_fen"]:
        lines.append(f"从余额扣：{yuan_text(order['elder_fen'])}，不收现金")
    else:
        lines.append("用餐券已付，不收现金" if order["voucher_id"] else "本人不用付钱")
    return [*lines, *share_lines(order)]


def share_lines(sums: Mapping[str, Any]) -> list[str]:
    """A price, what the elder bears of it, and on a line of its own who bears the rest."""
    others = [f"{name} {yuan_text(sums[field])}" for name, field in SHARES[1:] if sums[field]]
    own = f"原价 {yuan_text(sums['list_fen'])}，{SHARES[0][0]} {yuan_text(sums[SHARES[0][1]])}"
    return [own, "，".join(others)] if others else [own]


def misfit_text(misfit: Mapping[str, Any]) -> str:
    """What the day's orders and the ledger do not agree about, in meals or yuan."""
    name = _SUMS.get(misfit["what"])
    ordered, booked = misfit["by_orders"], misfit["by_ledger"]
    if name is None:
        return f"份数：柜台记 {ordered}，账本记 {booked}"
    return f"{name}：柜台记 {yuan_text(ordered)}，账本记 {yuan_text(booked)}"


def purse_text(sums: Mapping[str, Any]) -> str:
    """What is in a purse: 余额 58.50 元（其中已订餐 10 元）."""
    held = f"（其中已订餐 {yuan_text(sums['held_fen'])}）" if sums["held_fen"] else ""
    return f"余额 {yuan_text(sums['balance_fen'])}{held}"


def refusal_lines(problem: Problem) -> list[str]:
    """Why the bank said no, what is known besides, and the next step; the first is the title."""
    title, *more = refusal_sentences(problem)
    facts = problem.facts
    if isinstance(facts.get("available_fen"), int) and isinstance(facts.get("needed_fen"), int):
        more.append(f"需要 {yuan_text(facts['needed_fen'])}，可用 {yuan_text(facts['available_fen'])}")
    if problem.code == "handover_code_wrong" and isinstance(facts.get("tries_left"), int):
        more.append(f"还可以再试 {facts['tries_left']} 次")
    step = _NEXT_BY_CODE.get(problem.code) or _NEXT_BY_STATUS.get(problem.status) or "稍后再试；还不行，请问镇街管理员"
    return [title, *more, f"下一步：{step}"]
