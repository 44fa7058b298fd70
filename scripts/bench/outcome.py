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

    Where nobody has set a ``target`` the ratio is only told.
    """

    name: str
    title: str
    runs: Sequence[float]
    target: float | None
    measured: str
    postgres: str
    unit: str = "ratio"
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether every single run lies below the target; None without one."""
        return None if self.target is None else max(self.runs) < self.target

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
            "met": self.met,
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
    mark = "[green]达到 met[/green]" if one.met else "[red]未达到 missed[/red]"
    return f"< {one.target:g}\n{mark}"


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
