"""``timebank policies sets``, ``compare``, ``try``, ``propose``: what other places do and what it would mean here."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich import box
from rich.console import Console
from rich.table import Table

from app.cli.bank import staff_actor, telling_refusals
from timebank.core import clock
from timebank.core.db import of_one_moment
from timebank.core.errors import BankError
from timebank.people.family_rules import RELATION_NAMES, Relation
from timebank.policies.actions import propose_change
from timebank.policies.comparing import USUAL_SET, PolicySet, changes_to, compare, policy_set, set_names
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.in_words import WORDS
from timebank.policies.meal_rule_words import are_rules, sentences
from timebank.policies.queries import in_force
from timebank.supervision.policy_trial import Figure, try_set

_AS_JSON = click.option("--json", "as_json", is_flag=True, help="以 JSON 输出 answer as JSON")
_CATEGORIES = policy_set(USUAL_SET).values["diner_categories"].value
_WORDS: dict[str, str] = {**WORDS, **_CATEGORIES, **{str(one): RELATION_NAMES[one] for one in Relation}}


@click.command("sets")
@_AS_JSON
def sets(as_json: bool) -> None:
    """办法范本：奉化的假定和外地的做法。 The ready-made policy sets."""
    found = [policy_set(name) for name in set_names()]
    if as_json:
        listed = [{"name": one.name, "title": one.title, "own_values": one.own_values} for one in found]
        click.echo(json.dumps({"sets": listed}, ensure_ascii=False))
        return
    table = _table("办法范本", "范本", "说明", "自有规定")
    for one in found:
        table.add_row(one.name, one.title, f"{one.own_values} 项")
    Console(highlight=False).print(table)


@click.command("compare")
@click.argument("one")
@click.argument("other")
@_AS_JSON
def compare_sets(one: str, other: str, as_json: bool) -> None:
    """比较两套范本，只列不同之处。 Compare two sets: where they differ, with the source of each value."""
    first, second = _set(one), _set(other)
    found = compare(first, second)
    if as_json:
        differences = [asdict(difference) for difference in found]
        click.echo(json.dumps({"one": one, "other": other, "differences": differences}, ensure_ascii=False))
        return
    console = Console(highlight=False, markup=False)
    console.print(f"{one}：{first.title}\n{other}：{second.title}\n两套范本有 {len(found)} 项不同：")
    for difference in found:
        console.print(f"\n{difference.label}", style="bold")
        for name, value in ((one, difference.one), (other, difference.other)):
            console.print(f"  {name}：{_said(value.value)} {difference.unit}".rstrip())
            console.print(f"    依据：{value.source}")


@click.command("try")
@click.argument("name", metavar="SET")
@click.option("--months", type=click.IntRange(1, 120), default=12, show_default=True, help="往回看几个月")
@_AS_JSON
def try_one(name: str, months: int, as_json: bool) -> None:
    """试算：按这套范本，本行的历史会有什么不同；只读，不改动任何数据。 What a set would have changed; reads only."""
    wanted = _set(name)
    with telling_refusals() as database, database.unit_of_work() as session:
        of_one_moment(session)
        trial = try_set(session, wanted=wanted, months=months)
    if as_json:
        figures = [{**asdict(figure), "label": figure.label} for figure in trial.figures]
        span = {"since": trial.since.isoformat(), "until": trial.until.isoformat()}
        click.echo(json.dumps({"set": name, **span, "figures": figures}, ensure_ascii=False))
        return
    since = trial.since.astimezone(clock.LOCAL)
    table = _table(f"试算 {name}：{since:%Y-%m-%d} 以来", "项目", "现行", "试算", "单位")
    for column in (1, 2):
        table.columns[column].justify = "right"
    for figure in trial.figures:
        table.add_row(figure.what, f"{figure.now:,}", _tried(figure), figure.unit)
    console = Console(highlight=False)
    console.print(table)
    console.print("每项各按一条规定单独试算，以全区办法为准；带 * 的与现行不同。", markup=False)


@click.command("propose")
@click.argument("name", metavar="SET")
@click.option("--effective", required=True, metavar="DATE", help="生效日期，如 2027-01-01")
@click.option("--reason", required=True, help="为什么改")
@click.option("--by", "username", required=True, metavar="USERNAME", help="由哪位区级管理员提出（登录名）")
@_AS_JSON
def propose(name: str, effective: str, reason: str, username: str, as_json: bool) -> None:
    """按范本提出办法变更，另一位区级管理员批准后生效。 Propose what a set says; a second person approves."""
    wanted, effective_at = _set(name), _day(effective)
    with telling_refusals() as database, database.unit_of_work() as session:
        values = changes_to(wanted, in_force(session, at=clock.now()))
        if not values:
            raise click.ClickException(f"现行办法与 {name} 自有的规定没有不同，没有可提出的变更。")
        actor = staff_actor(session, username)
        change = propose_change(
            session, actor=actor, values=values, effective_at=effective_at, reason=reason, source=wanted.title
        )
        change_id = change.id
    if as_json:
        proposed = {value.key: value.value for value in values}
        click.echo(json.dumps({"change_id": change_id, "values": proposed}, ensure_ascii=False))
        return
    click.echo(f"已提出第 {change_id} 号变更，{effective_at:%Y-%m-%d} 生效，待另一位区级管理员批准：")
    for value in values:
        click.echo(f"  {DEFINITIONS[value.key].label}：{_said(value.value)} {DEFINITIONS[value.key].unit}".rstrip())


def _set(name: str) -> PolicySet:
    try:
        return policy_set(name)
    except BankError:
        raise click.ClickException(f"没有名为 {name} 的范本；有：{'、'.join(set_names())}。") from None


def _day(written: str) -> datetime:
    try:
        return clock.day_start(datetime.strptime(written, "%Y-%m-%d").date())
    except ValueError:
        raise click.ClickException("生效日期须写作 2027-01-01 这样。") from None


def _tried(figure: Figure) -> str:
    return f"{figure.tried:,}{' *' if figure.tried != figure.now else ''}"


def _said(value: Any) -> str:
    """A value in words; subsidy rules one a line."""
    if are_rules(value):
        return "\n    ".join(["", *sentences(value, _WORDS)])
    if isinstance(value, dict):
        return "、".join(f"{_WORDS.get(key, key)} {_said(one)}" for key, one in value.items())
    if isinstance(value, list):
        return "；".join(_said(one) for one in value) or "无"
    return _WORDS.get(str(value), str(value))


def _table(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in headings:
        table.add_column(heading, overflow="fold")
    return table
