"""Asking the person at the phone: yes or no, and what was not written with the command."""

from __future__ import annotations

import click

_YES = {"是", "同意", "好", "y", "yes"}
_NO = {"否", "不", "不同意", "不是", "n", "no"}


def agreed(question: str) -> bool:
    """Whether the person says yes; asked until the answer is one. Raises click.Abort when there is none."""
    while True:
        said = asked(f"{question}请写 是 或 否").lower()
        if said in _YES | _NO:
            return said in _YES
        click.echo("没有看懂。")


def asked(what: str) -> str:
    """What the person types. Raises click.Abort when nothing comes."""
    return str(click.prompt(what, prompt_suffix="：")).strip()
