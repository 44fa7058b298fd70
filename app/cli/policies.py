"""``timebank policies``: what is in force."""

from __future__ import annotations

import json

import click
from rich.console import Console
from rich.table import Table

from app.cli.bank import open_bank
from app.cli.policy_sets import compare_sets, propose, sets, try_one
from timebank.core import clock
from timebank.people.family_rules import RELATION_NAMES
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.in_words import WORDS
from timebank.policies.meal_rule_words import are_rules, sentences
from timebank.policies.queries import in_force
from timebank.tasks.queries import service_types
from timebank.townships.queries import township_names

_PAYERS = {"granted": "政府购买服务时长", "savings": "本人储蓄", "pool": "公益时间池", "issuance": "镇街发行"}


@click.group("policies")
def policies() -> None:
    """办法 Policies."""


for _command in (sets, compare_sets, try_one, propose):
    policies.add_command(_command)


@policies.command("show")
@click.option("--json", "as_json", is_flag=True, help="answer as JSON")
def show(as_json: bool) -> None:
    """现行办法。 The policies in force now, with the townships that have their own."""
    with open_bank() as database, database.session() as session:
        book = in_force(session, at=clock.now())
        names = township_names(session)
        relations = {str(relation): name for relation, name in RELATION_NAMES.items()}
        words = {**WORDS, **relations, **_PAYERS} | {row.code: row.name for row in service_types(session)}
        words |= book.value("diner_categories")
    if as_json:
        values = {key: {"value": book.value(key), "townships": book.township_values(key)} for key in DEFINITIONS}
        click.echo(json.dumps({"policy_version": book.version, "policies": values}, ensure_ascii=False))
        return
    table = Table(title=f"现行办法（第{book.version}版）")
    for heading in ("办法", "取值", "单位"):
        table.add_column(heading, overflow="fold")
    for definition in DEFINITIONS.values():
        table.add_row(definition.label, _said(book.value(definition.key), words), definition.unit)
        for code, value in book.township_values(definition.key).items():
            table.add_row(f"  {names[code]}", _said(value, words), definition.unit)
    Console().print(table)


def _said(value: object, words: dict[str, str]) -> str:
    """A value in words; one line for each service and each subsidy rule, an arrow from one payer to the next."""
    if are_rules(value):
        return "\n".join(sentences(value, words))
    if isinstance(value, dict):
        return "\n".join(f"{words.get(code, code)} {one}" for code, one in value.items())
    return " → ".join(words.get(str(one), str(one)) for one in value) if isinstance(value, list) else str(value)
