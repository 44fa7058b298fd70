"""Clearing windows 清算周期: calendar months in Fenghua. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime

from timebank.core.clock import day_start
from timebank.core.errors import Refused


@dataclass(frozen=True, slots=True)
class Window:
    """One calendar month: ``name`` as ``2026-11``, from its first moment up to, not with, the next month's."""

    name: str
    starts_at: datetime
    ends_at: datetime

    def status(self, now: datetime) -> str:
        """``open`` in its month, ``closed`` afterwards."""
        return "open" if self.starts_at <= now < self.ends_at else "closed"


def window(name: str | None, today: date) -> Window:
    """The window of this name; None means the current one. Raises Refused ``window_invalid``, ``window_in_future``."""
    name = name or f"{today:%Y-%m}"
    if not re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", name, flags=re.ASCII):
        raise Refused("window_invalid", "清算周期应写作年-月，如2026-11", field="window")
    first = date(int(name[:4]), int(name[5:]), 1)
    if first > today:
        raise Refused("window_in_future", "这个清算周期还没有开始", field="window")
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return Window(name, day_start(first), day_start(following))
