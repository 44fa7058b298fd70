"""What a job 定时任务 is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

EVERY_FEW_S = 5
"""For what people wait for; each look is one indexed query."""

BATCH = 500
"""Items looked for at once; what is left is found at the next turn."""

Find = Callable[[Session], Iterable[Any]]
Do = Callable[[Session, Any], object]


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its name, what it is for, how often it runs, how it finds its items and what it does with one."""

    name: str
    title: str
    every_s: int
    find: Find
    do: Do
