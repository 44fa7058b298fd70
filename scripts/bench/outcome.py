"""What a benchmark found: a ratio over several runs against its target, as a table and as JSON."""

from __future__ import annotations

import json
import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table


@dataclass(frozen=True, slots=True)
class Outcome:
    """One ratio: ``runs`` in the order in which they were made; the target is met when every run lies below it.

    With ``at_least`` no run may lie below it. Where nobody has set a ``target`` the ratio is only told.
    """

    name: str
    title: str
    runs: Sequence[float]
    target: float | None
    measured: str
    postgres: str
    unit: str = "ratio"
    at_least: bool = False
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether every single run lies on the right side of the target; None without one."""
        if self.target is None:
            return None
        return min(self.runs) >= self.target if self.at_least else max(self.runs) < self.target

    @property
    def short_by(self) -> float | None:
        """How many times better the worst run would have to be; None where the target is met or there is none."""
        if self.target is None or self.met:
            return None
        return self.target / min(self.runs) if self.at_least else max(self.runs) / self.target

    def as_json(self) -> dict[str, Any]:
        """The outcome as it stands in ``bench.json``."""
        return {
            "name": self.name,
            "title": self.title,
            "unit": self.unit,
            "runs": [round(run, 5) for run in self.runs],
            "min": round(min(self.runs), 5),
            "median": round(statistics.median(self.runs), 5),
            "max": round(max(self.runs), 5),
            "target": self.target,
            "at_least": self.at_least,
            "met": self.met,
            "short_by": None if self.short_by is None else round(self.short_by, 6),
            "measured": self.measured,
            "details": self.details,
        }


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that ``percent`` of the values do not exceed. Raises ValueError where there are none."""
    if not values:
        raise ValueError("no values")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def table_of(outcomes: Sequence[Outcome]) -> Table:
    """All outcomes as one table for the terminal."""
    table = Table(title="性能基准 Benchmarks", show_lines=True)
    for heading in ("项目\nbenchmark", "比值\nratio", "目标\ntarget", "最小 / 中位 / 最大\nmin / median / max"):
        table.add_column(heading, no_wrap=True)
    table.add_column("测的是什么\nwhat was measured", overflow="fold")
    for one in outcomes:
        low, middle, high = min(one.runs), statistics.median(one.runs), max(one.runs)
        table.add_row(
            f"{one.title}\n{one.name}",
            _figure(middle),
            _against_target(one),
            " / ".join(map(_figure, (low, middle, high))),
            one.measured,
        )
    return table


def _figure(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio >= 1 else f"{ratio:.3g}"


def _against_target(one: Outcome) -> str:
    if one.target is None:
        return "无 none"
    reach = f"{'≥' if one.at_least else '<'} {one.target:g}"
    if one.short_by is None:
        return f"{reach}\n[green]达到 met[/green]"
    factor = _factor(one.short_by)
    return f"{reach}\n[red]未达到，差 {factor} 倍\nmissed by {factor}×[/red]"


def _factor(short_by: float) -> str:
    """A narrow miss keeps the digits that show it."""
    return f"{short_by:.2f}" if short_by >= 1.005 else f"{short_by:.6g}"


def write_json(file: Path, outcomes: Sequence[Outcome], *, small: bool) -> None:
    """Write ``bench.json``: the machine and every outcome."""
    machine = {
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "postgres": ", ".join(sorted({one.postgres for one in outcomes} - {""})),
    }
    found = {"machine": machine, "small": small, "benchmarks": [one.as_json() for one in outcomes]}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
