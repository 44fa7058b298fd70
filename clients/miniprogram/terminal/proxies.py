"""Proxies on the phone: who acts for whom, asking somebody to, and ending it."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.asking import asked
from clients.miniprogram.terminal.choosing import chosen_entry
from clients.miniprogram.terminal.commands import PhoneGroup, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble
from clients.miniprogram.terminal.proposals import (
    answering_commands,
    asked_person,
    asked_text,
    show_waiting,
    waiting,
)

_KIND = "proxies"


@click.group(_KIND, cls=PhoneGroup, invoke_without_command=True)
@click.pass_context
def proxies(ctx: click.Context) -> None:
    """代办；不写别的，就看谁代您办、您代谁办。"""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_proxies)


@proxies.command("list")
@on_phone
def list_proxies(handset: Handset) -> None:
    """谁代我办、我代谁办，和等答复的请求。"""
    standing, proposals = list(handset.api.items("/proxies")), waiting(handset, _KIND)
    ids = [one["registration_id"] for one in standing] + [one["proposal_id"] for one in proposals]
    handset.remember_list(_KIND, ids)
    if not ids:
        handset.screen.show("还没有代办", ["请别人代您办：timebank phone proxies propose 姓名"])
    for number, one in enumerate(standing, start=1):
        who = f"{one['name']}代您办" if one["acts_for_me"] else f"您代{one['name']}办"
        lines = [f"能办：{'、'.join(one['scope_names'])}"]
        if one["acts_for_me"]:
            lines.append(f"是您的：{one['relation']}")
        else:
            lines.append(f"您是{one['name']}的：{one['relation']}")
            lines.append(f"替{one['name']}办时，在命令后面加写 --for {number}")
        handset.screen.show(f"{number}．{who}", lines, small=f"编号 {one['registration_id']}")
    show_waiting(handset, _KIND, proposals, len(standing) + 1)


@proxies.command("propose")
@click.argument("name", metavar="姓名", required=False)
@click.option("--id-number", metavar="号码", help="对方的身份证号码")
@click.option("--relation", metavar="关系", help="对方是您的什么人，如 女儿、邻居")
@click.option(
    "--scope", "scopes", multiple=True, metavar="事情", help=f"让他办什么：{'、'.join(words.SCOPES.values())}"
)
@on_phone
def propose(
    handset: Handset, name: str | None, id_number: str | None, relation: str | None, scopes: tuple[str, ...]
) -> None:
    """请对方代您办事；没写的会问。"""
    body: dict[str, Any] = {
        **asked_person(name, id_number),
        "relation": relation or asked("对方是您的什么人（如 女儿、邻居）"),
        "scopes": _scope_codes(scopes or _asked_scopes(handset)),
    }
    made = handset.write("/proxies/proposals", body, title="请对方代办")
    handset.remember_list(_KIND, [made["proposal_id"]])
    lines = [
        asked_text(made),
        f"代办：{'、'.join(made['scope_names'])}",
        "请对方在自己的手机上答复",
        f"最晚：{words.day_and_time_text(made['expires_at'])}",
    ]
    handset.screen.good("已提出，等对方答复", lines, small=f"编号 {made['proposal_id']}")


@proxies.command("end")
@click.argument("proxy", metavar="名字或序号")
@on_phone
def end(handset: Handset, proxy: str) -> None:
    """终止代办。"""
    chosen = chosen_entry(handset, proxy, _KIND, handset.api.items("/proxies"), "registration_id")
    handset.write(f"/people/proxies/{chosen['registration_id']}/end", {}, title="终止代办")
    who = f"{chosen['name']}不再代您办事" if chosen["acts_for_me"] else f"您不再代{chosen['name']}办事"
    handset.screen.good("已终止代办", [who], small=f"编号 {chosen['registration_id']}")


for _command in answering_commands(_KIND, "代办"):
    proxies.add_command(_command)

COMMANDS = (proxies,)


def _asked_scopes(handset: Handset) -> tuple[str, ...]:
    handset.screen.show("让他办什么？可以写几样，中间用顿号", ["、".join(words.SCOPES.values())])
    return (asked("让他办什么"),)


def _scope_codes(typed: tuple[str, ...]) -> list[str]:
    """The bank's words for what may be done; several may stand in one, with 、 or commas between them."""
    by_name = {name: code for code, name in words.SCOPES.items()} | {
        "用餐券": "meals",
        "订餐": "meals",
        "上门服务": "care",
        "辅具": "aids",
    }
    said = [one.strip() for part in typed for one in part.replace("，", "、").replace(",", "、").split("、")]
    unknown = [one for one in said if one not in by_name]
    if unknown:
        raise PhoneTrouble(f"没有认出「{unknown[0]}」。", f"请从这些里选：{'、'.join(words.SCOPES.values())}")
    return [by_name[one] for one in dict.fromkeys(said)]
