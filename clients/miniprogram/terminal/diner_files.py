"""A diner's file on the phone 一人一档: applying, seeing it, changing what one wants and needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import click

from clients.miniprogram.terminal import meal_words
from clients.miniprogram.terminal.asking import asked
from clients.miniprogram.terminal.choosing import for_elder
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble
from clients.miniprogram.terminal.meal_choosing import (
    chosen_canteen,
    chosen_code,
    chosen_codes,
    chosen_place,
    diner_file,
    elder_option,
    policy_values,
)

_OPEN = {"applied", "approved"}
_NOTHING = {"没有", "无"}

Command = Callable[..., None]


def _wishes(command: Command) -> Command:
    """What a diner wants and needs."""
    for option in reversed(
        (
            click.option("--diet", metavar="餐食", help="普通、软食、碎食或流食"),
            click.option(
                "--allergy", "allergies", multiple=True, metavar="过敏", help="对什么过敏，如 蛋类、花生；没有就写 没有"
            ),
            click.option("--religious", metavar="习惯", help="清真、素食；没有就写 没有"),
            click.option("--canteen", metavar="名字或序号", help="常去的助餐点"),
            click.option("--address", metavar="地址", help="送餐送到哪里"),
            click.option("--note", metavar="说明", help="送餐要说明的话"),
            click.option("--place", metavar="纬度,经度", help="住处在地图上的位置，如 29.69,121.47"),
            elder_option,
        )
    ):
        command = option(command)
    return command


@click.command("apply", cls=PhoneCommand)
@click.option("--category", "categories", multiple=True, metavar="类别", help="申报的特殊类别，如 低保；由镇街核定")
@click.option("--evidence", metavar="凭证", help="申报的依据，如 低保证号码")
@_wishes
@on_phone
def apply(
    handset: Handset, /, categories: tuple[str, ...], evidence: str | None, elder: str | None, **wishes: Any
) -> None:
    """申请用餐，由镇街审核。"""
    policies = policy_values(handset)
    if wishes["diet"] is None:
        wishes["diet"] = asked("吃哪种饭菜（普通、软食、碎食、流食）")
    whose = for_elder(handset, elder)
    claimed = chosen_codes(_categories(policies, by_name=True), categories, "特殊类别")
    body = _said(handset, wishes, policies) | {name: code for name, code in (("categories", claimed),) if code}
    body |= {"evidence": evidence} if evidence else {}
    body |= {"person_id": whose["for_person_id"]} if whose else {}
    made = handset.write("/diners", body, title="申请用餐")
    _done(handset, "已申请，等镇街审核", made, policies)


@click.command("file", cls=PhoneCommand)
@elder_option
@on_phone
def file(handset: Handset, elder: str | None) -> None:
    """看用餐档案。"""
    found = diner_file(handset, for_elder(handset, elder))
    if found is None:
        more = f" --for {elder}" if elder else ""
        handset.screen.show("还没有申请用餐", [f"要申请：timebank phone meal apply{more}"])
        return
    lines = list(meal_words.diner_lines(found, _categories(policy_values(handset))))
    handset.screen.show(f"{found['name']}的用餐档案", lines, small=f"编号 {found['person_id']}")
    if found["state"] in _OPEN:
        handset.screen.hint("要改：timebank phone meal update --help")
    else:
        handset.screen.hint("要重新申请：timebank phone meal apply")


@click.command("update", cls=PhoneCommand)
@_wishes
@on_phone
def update(handset: Handset, /, elder: str | None, **wishes: Any) -> None:
    """改用餐档案：饭菜、过敏、常去的助餐点、送餐地址；没写的照旧。"""
    policies = policy_values(handset)
    body = _said(handset, wishes, policies)
    if not body:
        raise PhoneTrouble("还没有写要改什么。", "看可以改什么：timebank phone meal update --help")
    person_id = for_elder(handset, elder).get("for_person_id") or handset.api.get("/me")["person_id"]
    changed = handset.write(f"/diners/{person_id}/change", body, title="改用餐档案")
    _done(handset, "已改好", changed, policies)


COMMANDS = (apply, file, update)


def _said(handset: Handset, wishes: Mapping[str, Any], policies: Mapping[str, Any]) -> dict[str, Any]:
    """What was written of the wishes, as the bank calls it."""
    said: dict[str, Any] = {}
    if wishes["diet"]:
        said["diet_form"] = chosen_code(meal_words.DIET_FORMS, wishes["diet"], "餐食")
    if wishes["allergies"]:
        named = {one: one for one in policies["allergens"]}
        typed = [one for one in wishes["allergies"] if one.strip() not in _NOTHING]
        said["allergies"] = chosen_codes(named, typed, "过敏原")
    if wishes["religious"]:
        named = {one: one for one in policies["religious_diets"]}
        none = wishes["religious"].strip() in _NOTHING
        said["religious_diet"] = None if none else chosen_code(named, wishes["religious"], "饮食习惯")
    if wishes["canteen"]:
        said["usual_canteen_id"] = chosen_canteen(handset, wishes["canteen"], None)
    for option, field in (("address", "delivery_address"), ("note", "delivery_note")):
        if wishes[option] is not None:
            said[field] = wishes[option]
    return said | (chosen_place(wishes["place"]) if wishes["place"] else {})


def _categories(policies: Mapping[str, Any], *, by_name: bool = False) -> dict[str, str]:
    """The names of special categories by code, or the codes by name."""
    named = dict(policies["diner_categories"])
    return {name: code for code, name in named.items()} if by_name else named


def _done(handset: Handset, title: str, diner: Mapping[str, Any], policies: Mapping[str, Any]) -> None:
    lines = list(meal_words.diner_lines(diner, _categories(policies)))
    handset.screen.good(title, lines, small=f"编号 {diner['person_id']}")
