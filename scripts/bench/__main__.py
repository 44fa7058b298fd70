"""``make bench``: run the benchmarks, print one table, write ``var/bench.json``. Exits 1 where a target was missed."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from rich.console import Console

from scripts.bench import bulk, closing, depth, pages, pricing, reading, redeeming, rush
from scripts.bench.outcome import Outcome, table_of, write_json

ROOT = Path(__file__).resolve().parents[2]
NARROWEST = 120

Benchmark = Callable[[Path, bool, Callable[[str], None]], list[Outcome]]
"""Given an empty folder, whether to be brief, and whom to tell how far it is."""

BENCHMARKS: dict[str, Benchmark] = {
    "bulk": bulk.run,
    "closing": closing.run,
    "depth": depth.run,
    "pages": pages.run,
    "pricing": pricing.run,
    "reading": reading.run,
    "redeeming": redeeming.run,
    "rush": rush.run,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what is asked for; the exit status."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(BENCHMARKS), help="this benchmark alone; repeatable")
    parser.add_argument("--small", action="store_true", help="a few seconds, to see that it works; judges nothing")
    parser.add_argument("--rows", type=int, default=depth.DEEP, help="how many transfers the deep books hold")
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "bench.json", help="where the JSON goes")
    asked = parser.parse_args(arguments)
    progress = Console(stderr=True, highlight=False, soft_wrap=True)
    outcomes: list[Outcome] = []
    benchmarks = BENCHMARKS | {"depth": partial(depth.run, rows=asked.rows)}
    for name in asked.only or BENCHMARKS:
        outcomes += _run(benchmarks[name], asked.small, progress)
    Console(width=max(NARROWEST, progress.width)).print(table_of(outcomes))
    write_json(asked.out, outcomes, small=asked.small)
    return 0 if asked.small or all(outcome.met is not False for outcome in outcomes) else 1


def _run(benchmark: Benchmark, small: bool, progress: Console) -> list[Outcome]:
    # Not below a home: as root such folders are closed to the database's user.
    folder = Path(tempfile.mkdtemp(prefix="timebank-bench-"))
    folder.chmod(0o711)
    try:
        return benchmark(folder, small, progress.print)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
