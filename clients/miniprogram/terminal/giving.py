"""Giving on the phone: minutes to a relative or to the pool, what was given and received, and the pool itself."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import click

from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.choosing import chosen_minutes, chosen_relative, for_elder
from clients.miniprogram.terminal.commands import PhoneCommand, on_phone
from clients.miniprogram.terminal.handset import Handset

_ONESELF = {"我", "自己", "本人"}


@click.command("gift", cls=PhoneCommand)
@click.argument("relative", metavar="亲属")
@click.argument("minutes", metavar="分钟")
@click.option("--note", metavar="话", help="附一句话")
@click.option("--for", "elder", metavar="名字或序号", help="替哪位老人送；送给您自己就写 我")
@on_phone
def gift(handset: Handset, relative: str, minutes: str, note: str | None, elder: str | None) -> None:
    """把时长送给登记过的亲属。"""
    to_person_id = _receiver(handset, relative, by_proxy=elder is not None)
    body: dict[str, Any] = {"to_person_id": to_person_id, "minutes": chosen_minutes(minutes)}
    body |= ({"note": note} if note else {}) | for_elder(handset, elder)
    given = handset.write("/gifts", body, title="送时长给亲属")
    lines = [*([f"留言：{given['note']}"] if given["note"] else []), *words.acted_lines(given["given_by_name"])]
    title = f"已送给{given['name']} {words.minutes_text(given['minutes'])}"
    handset.screen.good(title, lines, small=f"编号 {given['gift_id']}")


@click.command("donate", cls=PhoneCommand)
@click.argument("minutes", metavar="分钟")
@click.option("--note", metavar="话", help="附一句话")
@click.option("--team", metavar="队名", help="以哪个团队的名义捐")
@on_phone
def donate(handset: Handset, minutes: str, note: str | None, team: str | None) -> None:
    """把时长捐给镇街的公益时间池，帮助困难老人。"""
    body: dict[str, Any] = {"minutes": chosen_minutes(minutes)}
    body |= {name: value for name, value in (("note", note), ("from_group", team)) if value}
    given = handset.write("/donations", body, title="捐时长")
    lines = [f"捐入：{given['township_name']}公益时间池"]
    if given["from_group"]:
        lines.append(f"团队：{given['from_group']}")
    title = f"已捐 {words.minutes_text(given['minutes'])}，谢谢您"
    handset.screen.good(title, lines, small=f"编号 {given['donation_id']}")


@click.command("gifts", cls=PhoneCommand)
@click.option("--for", "elder", metavar="名字或序号", help="看这位老人的")
@on_phone
def gifts(handset: Handset, elder: str | None) -> None:
    """送出、收到和捐出的时长。"""
    found = list(handset.api.items("/gifts", for_elder(handset, elder)))
    # Nobody donates for somebody else, and nobody else sees it.
    donated = [] if elder else list(handset.api.items("/donations"))
    if not found and not donated:
        handset.screen.show("还没有送过，也没有收到过时长", ["送给亲属：timebank phone gift 亲属 分钟"])
    if found:
        rows = [(words.moment_text(one["given_at"]), _gift_text(one), _amount(one)) for one in found]
        _table(handset, "送出和收到的时长", rows)
    if donated:
        rows = [(words.moment_text(one["donated_at"]), _donation_text(one), _amount(one)) for one in donated]
        _table(handset, "捐出的时长", rows)


@click.command("pool", cls=PhoneCommand)
@click.option("--lines", is_flag=True, help="一笔一笔看")
@click.option("--pages", type=click.IntRange(1), default=1, metavar="页数", help="看几页")
@on_phone
def pool(handset: Handset, lines: bool, pages: int) -> None:
    """本镇街的公益时间池。"""
    for one in handset.api.items("/pools"):
        amounts = (("现有", "balance_minutes"), ("大家捐的", "donated_minutes"), ("帮了困难老人", "given_minutes"))
        said = [f"{what}：{words.minutes_text(one[name])}" for what, name in amounts]
        handset.screen.show(f"{one['township_name']}公益时间池", said)
    if lines:
        found = [line for page in islice(handset.api.pages("/pools/statement"), pages) for line in page]
        rows = [(words.moment_text(one["posted_at"]), _line_text(one), _signed(one)) for one in found]
        if rows:
            _table(handset, "公益时间池明细", rows)
        else:
            handset.screen.show("公益时间池还没有明细", ["捐一些：timebank phone donate 分钟"])


COMMANDS = (gift, donate, gifts, pool)


def _receiver(handset: Handset, typed: str, *, by_proxy: bool) -> str:
    """Who receives; a proxy may mean oneself, whom no list of one's own relatives holds."""
    if by_proxy and typed in _ONESELF:
        return str(handset.api.get("/me")["person_id"])
    return str(chosen_relative(handset, typed)["person_id"])


def _table(handset: Handset, title: str, rows: Iterable[tuple[str, str, str]]) -> None:
    if handset.screen.is_narrow:
        narrow = [(f"{when}\n{what}", amount) for when, what, amount in rows]
        handset.screen.table(title, [("时间和事情", False), ("时长", True)], narrow)
    else:
        handset.screen.table(title, [("时间", False), ("事情", False), ("时长", True)], rows)


def _gift_text(one: dict[str, Any]) -> str:
    who = f"{one['name']}（{one['relation_name']}）"
    said = f"送给{who}" if one["direction"] == "given" else f"{who}送的"
    return _with_note([said, *words.acted_lines(one["given_by_name"])], one)


def _donation_text(one: dict[str, Any]) -> str:
    team = [f"团队：{one['from_group']}"] if one["from_group"] else []
    return _with_note([f"捐入{one['township_name']}公益时间池", *team], one)


def _line_text(line: dict[str, Any]) -> str:
    who = line["from_group"] or line["person_name"]
    return _with_note([f"{line['kind_name']}{'，' + who if who else ''}"], line)


def _with_note(said: list[str], one: dict[str, Any]) -> str:
    note = [one["note"]] if one["note"] else []
    return "\n".join([*said, *note, *(["已冲正"] if one.get("reversed") else [])])


def _amount(one: dict[str, Any]) -> str:
    received = one.get("direction") == "received"
    return words.signed_minutes_text(one["minutes"] if received else -one["minutes"])


def _signed(one: dict[str, Any]) -> str:
    return words.signed_minutes_text(one["minutes"])
