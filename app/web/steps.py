"""One step of work: looked at once more, done once, told, and on; or the page again with what was wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import go
from app.web.screens import filled, screen

Fact = tuple[str, str]
"""What something is called, and it in words."""


def after(answer: Any, words: str, path: str, again: Callable[[Refusal], Response]) -> Response:
    """On to ``path`` after ``words``; where the bank said no, the page of ``again`` with its refusal."""
    if isinstance(answer, Refusal):
        return again(answer)
    tell(words)
    return go(path)


def is_sure() -> bool:
    """Whether the form comes from the question whether one is sure."""
    return filled().get("sure") == "yes"


def ask_whether_sure(ask: Asker, title: str, facts: Sequence[Fact], *, doing: str, back: str) -> Response:
    """What is about to be done, once more in words, and one button; what was filled in goes along unseen."""
    return screen("desk/sure.html", ask.actor, title=title, facts=facts, doing=doing, back=back, sent=filled())
