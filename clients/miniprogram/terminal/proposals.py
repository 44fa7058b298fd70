"""Asking for consent on the phone, and answering: what 亲属 and 代办 have in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.asking import asked
from clients.miniprogram.terminal.choosing import chosen_entry
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset, PhoneTrouble

_ANSWERS = {
    "accept": ("同意对方的请求。", "同意", "已同意", True),
    "decline": ("不同意对方的请求；不会告诉对方。", "不同意", "没有同意，也不会告诉对方", True),
    "withdraw": ("撤回自己提的请求。", "撤回", "已撤回", False),
}


def asked_person(name: str | None, id_number: str | None) -> dict[str, str]:
    """Whom the person wants to ask; what was not written is asked for."""
    return {
        "name": name or asked("对方姓名"),
        "id_number": id_number or asked("对方身份证号码（18 位）"),
    }


def chosen_relation(typed: str | None) -> str:
    """The bank's word for what the other one is to the person. Raises PhoneTrouble."""
    said = (typed or asked("对方是您的什么人（如 女儿、老伴）")).strip()
    code = words.relation_code(said)
    if code is None:
        raise PhoneTrouble(f"没有认出「{said}」。", f"请从这些里选：{'、'.join(words.RELATIONS.values())}")
    return code


def waiting(handset: Handset, kind: str) -> list[dict[str, Any]]:
    """The requests of this kind that still wait, for the person's answer or for the other's."""
    return [one for one in handset.api.items(f"/{kind}/proposals") if one["status"] == "waiting"]


def show_waiting(handset: Handset, kind: str, proposals: Iterable[dict[str, Any]], first_number: int) -> None:
    """Shows requests, numbered on from what stands above them."""
    for number, one in enumerate(proposals, start=first_number):
        title = f"{number}．{one['name']}　{'等您答复' if one['received'] else '等对方答复'}"
        lines = [asked_text(one)]
        if one["scope_names"]:
            lines.append(f"代办：{'、'.join(one['scope_names'])}")
        until = words.day_and_time_text(one["expires_at"])
        lines.append(f"请在 {until} 以前答复" if one["received"] else f"对方可以答复到 {until}")
        lines += [f"{said}：timebank phone {kind} {verb} {number}" for said, verb in _next_steps(one)]
        handset.screen.show(title, lines, small=f"编号 {one['proposal_id']}")


def asked_text(one: dict[str, Any]) -> str:
    """What a request asks, from where the person stands."""
    who = f"{one['name']}（{one['relation_name']}）"
    if one["kind"] == "proxy":
        return f"{one['name']}请您代办（您是{one['relation_name']}）" if one["received"] else f"您请{who}代办"
    return f"{who}请您确认亲属关系" if one["received"] else f"您请{who}确认亲属关系"


def answering_commands(kind: str, title: str) -> list[click.Command]:
    """``accept``, ``decline`` and ``withdraw`` for the requests of one kind."""
    return [_answering(kind, title, verb) for verb in _ANSWERS]


def _answering(kind: str, title: str, verb: str) -> click.Command:
    help_text, act, done, received = _ANSWERS[verb]

    @click.command(verb, cls=PhoneCommand, help=help_text)
    @click.argument("proposal", metavar="序号")
    @on_phone
    def answer(handset: Handset, proposal: str) -> None:
        open_ones = [one for one in waiting(handset, kind) if one["received"] is received]
        chosen = chosen_entry(handset, proposal, kind, open_ones, "proposal_id")
        handset.write(f"/{kind}/proposals/{chosen['proposal_id']}/{verb}", {}, title=f"{act}{title}")
        handset.screen.good(done, [asked_text(chosen)], small=f"编号 {chosen['proposal_id']}")

    return answer


def _next_steps(one: dict[str, Any]) -> list[tuple[str, str]]:
    return [("同意", "accept"), ("不同意", "decline")] if one["received"] else [("不要了", "withdraw")]
