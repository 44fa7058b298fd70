"""Home care on the phone: what there is, booking a visit, confirming, cancelling and disputing it."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal import care_words, words
from clients.miniprogram.terminal.asking import agreed, asked
from clients.miniprogram.terminal.choosing import (
    chosen_booking,
    chosen_by_code_or_name,
    chosen_entry,
    chosen_minutes,
    chosen_moment,
    for_elder,
)
from clients.miniprogram.terminal.commands import PhoneGroup, on_phone
from clients.miniprogram.terminal.handset import Handset

_BOOKINGS, _SERVICES, _PROVIDERS = "care-bookings", "care-services", "care-providers"


@click.group("care", cls=PhoneGroup)
def care() -> None:
    """居家养老上门服务。"""


@care.command("services")
@on_phone
def services(handset: Handset) -> None:
    """有哪些服务项目。"""
    found = _services(handset)
    handset.remember_list(_SERVICES, [one["code"] for one in found])
    if not found:
        handset.screen.show("现在没有上门服务项目", ["请问镇街管理员。"])
        return
    lines = [
        f"{number}．{one['name']}：服务 1 小时扣 {words.minutes_text(one['rate_percent'] * 60 // 100)}"
        for number, one in enumerate(found, start=1)
    ]
    handset.screen.show("上门服务项目", [*lines, "预约：timebank phone care book --service 序号"])


@care.command("providers")
@click.option("--township", metavar="代码或名称", help="老人住在哪个镇街；不写就是您自己的镇街")
@click.option("--service", metavar="名称或序号", help="只看做这个项目的")
@on_phone
def providers(handset: Handset, township: str | None, service: str | None) -> None:
    """有哪些机构上门服务。"""
    townships = list(handset.api.items("/townships"))
    code = chosen_by_code_or_name(townships, township, "镇街") if township else handset.api.get("/me")["township_code"]
    wanted = {"township_code": code, "service": _service_code(handset, service)}
    found = [one for one in handset.api.items("/care-providers", wanted) if one["active"]]
    handset.remember_list(_PROVIDERS, [one["provider_id"] for one in found])
    if not found:
        handset.screen.show("这里没有这样的机构", ["可以不指定机构，由镇街派。"])
        return
    names = {one["code"]: one["name"] for one in [*townships, *_services(handset)]}
    for number, one in enumerate(found, start=1):
        handset.screen.show(f"{number}．{one['name']}", care_words.provider_lines(one, names))
    handset.screen.hint("预约：timebank phone care book --provider 序号")


@care.command("book")
@click.option("--service", metavar="名称或序号", help="服务项目；不写就是生活照料")
@click.option("--at", metavar="'2026-11-25 09:00'", help="什么时候来（北京时间）")
@click.option("--minutes", metavar="分钟数", help="要多久")
@click.option("--provider", metavar="名称或序号", help="想请哪家机构；不写由镇街派")
@click.option("--address", metavar="地址", help="上门的地址")
@click.option("--note", metavar="说明", help="要说明的话")
@click.option("--for", "elder", metavar="名字或序号", help="替哪位老人约")
@on_phone
def book(
    handset: Handset,
    service: str | None,
    at: str | None,
    minutes: str | None,
    provider: str | None,
    address: str | None,
    note: str | None,
    elder: str | None,
) -> None:
    """预约上门服务；没写的会问。"""
    body: dict[str, Any] = {
        "starts_at": chosen_moment(at or asked("什么时候来（如 2026-11-25 09:00）")),
        "minutes": chosen_minutes(minutes or asked("要多久（分钟）")),
        **for_elder(handset, elder),
    }
    listed = handset.api.items("/care-providers") if provider else ()
    chosen = chosen_entry(handset, provider, _PROVIDERS, listed, "provider_id")["provider_id"] if provider else None
    more = {"service": _service_code(handset, service), "provider_id": chosen, "address": address, "note": note}
    body |= {name: value for name, value in more.items() if value}
    booking = handset.write(f"/{_BOOKINGS}", body, title="预约上门服务")
    handset.remember_list(_BOOKINGS, [booking["booking_id"]])
    title, said = f"已预约{booking['service_name']}", care_words.booking_lines(booking)
    handset.screen.good(title, said, small=f"编号 {booking['booking_id']}")


@care.command("list")
@click.option("--for", "elder", metavar="名字或序号", help="只看这位老人的")
@on_phone
def list_bookings(handset: Handset, elder: str | None) -> None:
    """看上门服务预约，新的在前。"""
    found = list(handset.api.items(f"/{_BOOKINGS}", for_elder(handset, elder)))
    handset.remember_list(_BOOKINGS, [one["booking_id"] for one in found])
    if not found:
        handset.screen.show("还没有上门服务预约", ["要约一次：timebank phone care book"])
        return
    for number, one in enumerate(found, start=1):
        handset.screen.show(
            f"{number}．{one['service_name']}", care_words.booking_lines(one), small=f"编号 {one['booking_id']}"
        )
    handset.screen.hint("看某一次和服务码：timebank phone care show 序号")


@care.command("show")
@click.argument("booking", metavar="序号")
@on_phone
def show(handset: Handset, booking: str) -> None:
    """看一次预约和服务码。"""
    found = handset.api.get(f"/{_BOOKINGS}/{chosen_booking(handset, booking)}")
    handset.screen.show(found["service_name"], care_words.booking_lines(found), small=f"编号 {found['booking_id']}")
    if found.get("service_code") and found["status"] in care_words.BEFORE_OR_DURING:
        code = words.digits_in_groups(found["service_code"])
        handset.screen.show(f"服务码：{code}", ["服务人员到了，再念给他听。"])
    if found["acts"]:
        rows = [(words.moment_text(act["at"]), care_words.act_text(act)) for act in found["acts"]]
        handset.screen.table("经过", [("时间", False), ("事情", False)], rows)
    for hint in care_words.next_hints(found["status"]):
        handset.screen.hint(hint)


@care.command("confirm")
@click.argument("booking", metavar="序号")
@click.option("--rating", type=click.IntRange(1, 5), help="满意几分，1 到 5")
@click.option("--comment", metavar="话", help="想说的话")
@click.option("--accept-excess", is_flag=True, help="多服务的时长也同意扣，不再问")
@on_phone
def confirm(handset: Handset, booking: str, rating: int | None, comment: str | None, accept_excess: bool) -> None:
    """确认上门服务；比冻结的多，会先问同不同意。"""
    booking_id = chosen_booking(handset, booking)
    found = handset.api.get(f"/{_BOOKINGS}/{booking_id}")
    body: dict[str, Any] = {}
    excess = found["unpaid_excess_minutes"]
    if excess:
        handset.screen.show("这次服务比预约的久", care_words.excess_lines(found))
        if accept_excess or agreed(f"多出的 {words.minutes_text(excess)}也扣，同意吗？"):
            body["accept_excess_minutes"] = excess
    body |= {name: value for name, value in (("rating", rating), ("comment", comment)) if value}
    done = handset.write(f"/{_BOOKINGS}/{booking_id}/confirm", body, title="确认上门服务")
    handset.screen.good("已确认，谢谢您", care_words.booking_lines(done), small=f"编号 {booking_id}")


@care.command("cancel")
@click.argument("booking", metavar="序号")
@click.option("--reason", metavar="原因", help="为什么取消")
@click.option("--yes", is_flag=True, help="要扣时长也取消，不再问")
@on_phone
def cancel(handset: Handset, booking: str, reason: str | None, yes: bool) -> None:
    """取消预约；晚了要扣时长的，先说清楚再问。"""
    booking_id = chosen_booking(handset, booking)
    found = handset.api.get(f"/{_BOOKINGS}/{booking_id}")
    cost = care_words.late_cancel_lines(found, list(handset.api.items("/policies")))
    if cost:
        handset.screen.show("取消以前请看一看", cost)
        if not (yes or agreed("还要取消吗？")):
            handset.screen.show("没有取消，预约照旧", [])
            return
    body = {"reason": reason} if reason else {}
    done = handset.write(f"/{_BOOKINGS}/{booking_id}/cancel", body, title="取消上门服务")
    handset.screen.good("已取消", care_words.booking_lines(done), small=f"编号 {booking_id}")


@care.command("dispute")
@click.argument("booking", metavar="序号")
@click.argument("reason", metavar="原因")
@on_phone
def dispute(handset: Handset, booking: str, reason: str) -> None:
    """申诉：对这次服务，或没有服务却扣的时长有异议，请镇街裁定。"""
    booking_id = chosen_booking(handset, booking)
    done = handset.write(f"/{_BOOKINGS}/{booking_id}/dispute", {"reason": reason}, title="申诉上门服务")
    if done.get("objection"):
        title, said = "已申诉，等镇街核实", "属实的，扣的时长会退回，并通知您。"
    else:
        title, said = "已申诉，等镇街裁定", "镇街裁定以前，不会扣时长。"
    handset.screen.good(title, [said, *care_words.booking_lines(done)], small=f"编号 {booking_id}")


COMMANDS = (care,)


def _services(handset: Handset) -> list[dict[str, Any]]:
    return [one for one in handset.api.items("/care-services") if one["active"]]


def _service_code(handset: Handset, typed: str | None) -> str | None:
    if typed is None:
        return None
    return str(chosen_entry(handset, typed, _SERVICES, _services(handset), "code")["code"])
