"""The phone in the terminal: ``phone`` is the group of its commands, each printing large and clear in Chinese."""

from __future__ import annotations

import click

from clients.miniprogram.api import REGISTER_PATH
from clients.miniprogram.terminal import (
    aids,
    allotments,
    care,
    family,
    giving,
    leaving,
    meals,
    notices,
    proxies,
    rounds,
    tasks,
    vouchers,
    web,
    why,
    words,
)
from clients.miniprogram.terminal.choosing import chosen_by_code_or_name
from clients.miniprogram.terminal.commands import (
    PhoneGroup,
    choice_of,
    on_phone,
    phones_folder,
    troubles_shown,
)
from clients.miniprogram.terminal.handset import Handset, chosen_name, make_last_used, switched_on


@click.group("phone", cls=PhoneGroup)
def phone() -> None:
    """时间银行小程序（终端里的手机）。"""


@phone.command("login")
@click.argument("name", metavar="名字")
def login(name: str) -> None:
    """登录：拿起某人的手机。"""
    choice = choice_of(click.get_current_context())
    with troubles_shown():
        chosen_name(phones_folder(), name)
        with switched_on(phones_folder(), name, choice.server) as handset:
            registered = handset.api.login()
            make_last_used(phones_folder(), name)
            if registered:
                handset.screen.good(f"{name}，登录成功", ["看余额：timebank phone balance"])
            else:
                handset.screen.good(f"{name}，登录成功，还没有登记", ["下一步：timebank phone register"])
            handset.come_on()


@phone.command("register")
@click.option("--name", "person_name", help="姓名")
@click.option("--id-number", help="身份证号码")
@click.option("--phone", "phone_number", help="手机号码")
@click.option("--township", metavar="代码或名称", help="镇街")
@on_phone
def register(
    handset: Handset,
    person_name: str | None,
    id_number: str | None,
    phone_number: str | None,
    township: str | None,
) -> None:
    """登记；没写的会一项一项问。"""
    body = {
        "name": person_name or click.prompt("姓名"),
        "id_number": id_number or click.prompt("身份证号码（18 位）"),
        "phone": phone_number or click.prompt("手机号码"),
    }
    townships = list(handset.api.items("/townships"))
    if township is None:
        handset.screen.show("您住在哪个镇街？", ["、".join(str(one["name"]) for one in townships)])
        township = str(click.prompt("镇街"))
    code = chosen_by_code_or_name(townships, township.strip(), "镇街")
    handset.write(REGISTER_PATH, {**body, "township_code": code}, title="登记")
    handset.screen.good(f"{body['name']}，登记成功", ["现在可以看余额、接任务、换用餐券了。"])


@phone.command("me")
@on_phone
def me(handset: Handset) -> None:
    """我是谁。"""
    person = handset.api.get("/me")
    names = {one["code"]: one["name"] for one in handset.api.items("/townships")}
    lines = [f"镇街：{names.get(person['township_code'], person['township_code'])}"]
    roles = [words.ROLES[role] for role in person["roles"] if role in words.ROLES]
    if roles:
        lines.append(f"身份：{'、'.join(roles)}")
    handset.screen.show(str(person["name"]), lines, small=f"编号 {person['person_id']}")


@phone.command("balance")
@on_phone
def balance(handset: Handset) -> None:
    """我的时间余额。"""
    found = handset.api.get("/me/balance")
    lines = [f"自己存的：{words.minutes_text(found['savings_minutes'])}"]
    if found["granted_minutes"]:
        lines.append(f"政府给的：{words.minutes_text(found['granted_minutes'])}")
    if found["held_minutes"]:
        lines.append(f"冻结中的：{words.minutes_text(found['held_minutes'])}")
    small = f"截至 {words.moment_text(found['as_of'])}"
    handset.screen.show(f"可用时长：{words.minutes_text(found['available_minutes'])}", lines, small=small)


_NOUNS = (tasks, rounds, vouchers, meals, care, aids, giving, family, proxies, allotments, why, notices, leaving, web)
for _command in (command for noun in _NOUNS for command in noun.COMMANDS):
    phone.add_command(_command)
