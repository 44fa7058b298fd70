"""Relatives on the phone: who is registered, asking somebody, ending it, and naming an heir."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal.choosing import chosen_relative
from clients.miniprogram.terminal.commands import PhoneGroup, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble
from clients.miniprogram.terminal.proposals import (
    answering_commands,
    asked_person,
    asked_text,
    chosen_relation,
    show_waiting,
    waiting,
)
from clients.miniprogram.terminal.words import day_and_time_text, moment_text

_KIND = "family"


@click.group(_KIND, cls=PhoneGroup, invoke_without_command=True)
@click.pass_context
def family(ctx: click.Context) -> None:
    """亲属；不写别的，就看登记了谁、谁在等答复。"""
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_relatives)


@family.command("list")
@on_phone
def list_relatives(handset: Handset) -> None:
    """登记过的亲属，和等答复的请求。"""
    relatives, proposals = list(handset.api.items("/family")), waiting(handset, _KIND)
    ids = [one["relation_id"] for one in relatives] + [one["proposal_id"] for one in proposals]
    handset.remember_list(_KIND, ids)
    if not ids:
        handset.screen.show("还没有登记亲属", ["请亲属确认：timebank phone family propose 姓名"])
    for number, one in enumerate(relatives, start=1):
        lines = [f"是您的：{one['relation_name']}", f"登记：{moment_text(one['registered_at'])}"]
        if one["is_heir"]:
            lines.append("您指定的继承人")
        handset.screen.show(f"{number}．{one['name']}", lines, small=f"编号 {one['relation_id']}")
    show_waiting(handset, _KIND, proposals, len(relatives) + 1)


@family.command("propose")
@click.argument("name", metavar="姓名", required=False)
@click.option("--id-number", metavar="号码", help="对方的身份证号码")
@click.option("--relation", metavar="关系", help="对方是您的什么人，如 女儿、老伴")
@on_phone
def propose(handset: Handset, name: str | None, id_number: str | None, relation: str | None) -> None:
    """请对方确认是您的亲属；没写的会问。"""
    body: dict[str, Any] = {**asked_person(name, id_number), "relation": chosen_relation(relation)}
    made = handset.write("/family/proposals", body, title="请对方确认亲属关系")
    handset.remember_list(_KIND, [made["proposal_id"]])
    lines = [asked_text(made), "请对方在自己的手机上答复", f"最晚：{day_and_time_text(made['expires_at'])}"]
    handset.screen.good("已提出，等对方答复", lines, small=f"编号 {made['proposal_id']}")


@family.command("end")
@click.argument("relative", metavar="亲属")
@on_phone
def end(handset: Handset, relative: str) -> None:
    """终止亲属登记。"""
    chosen = chosen_relative(handset, relative)
    handset.write(f"/family/{chosen['relation_id']}/end", {}, title="终止亲属登记")
    lines = [f"{chosen['name']}不再是您指定的继承人。"] if chosen["is_heir"] else []
    handset.screen.good(f"已终止与{chosen['name']}的亲属登记", lines, small=f"编号 {chosen['relation_id']}")


@family.command("heir")
@click.argument("relative", metavar="亲属", required=False)
@click.option("--nobody", is_flag=True, help="谁也不指定")
@on_phone
def heir(handset: Handset, relative: str | None, nobody: bool) -> None:
    """指定继承人：身故以后，时长归哪位亲属。"""
    if (relative is None) is not nobody:
        raise PhoneTrouble(
            "请写明指定哪位亲属。",
            "timebank phone family heir 名字或序号\n谁也不指定就写 timebank phone family heir --nobody",
        )
    chosen = None if relative is None else chosen_relative(handset, relative)
    body = {"person_id": chosen["person_id"] if chosen else None}
    handset.write("/family/heir", body, title="指定继承人", method="PUT")
    if chosen:
        handset.screen.good(
            f"已指定{chosen['name']}（{chosen['relation_name']}）", [f"您身故以后，时长归{chosen['name']}。"]
        )
    else:
        handset.screen.good("现在谁也没有指定", ["您身故以后，时长归公益时间池。"])


for _command in answering_commands(_KIND, "亲属登记"):
    family.add_command(_command)

COMMANDS = (family,)
