"""Who may import whom, who may commit, and what the bank does not know (DESIGN.md, "Walls" and "The straight road")."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

from tests.house.sources import PRODUCT, ROOT, name_of, python_files, tree_of


def test_every_import_keeps_to_the_walls() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_there_is_one_commit_in_the_repository() -> None:
    commits = [
        name_of(file)
        for file in python_files(*PRODUCT)
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    ]
    assert commits == ["timebank/core/db.py"]


def test_the_bank_holds_no_http_status() -> None:
    statuses = {201, 204, 400, 401, 403, 404, 405, 409, 410, 415, 422, 429, 502, 503, 504}
    found = [
        f"{name_of(file)}:{node.lineno}"
        for file in python_files("timebank")
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in statuses
    ]
    assert found == []


def test_only_the_clock_asks_what_time_it_is() -> None:
    asking = [
        f"{name_of(file)}:{node.lineno}"
        for file in python_files("timebank", "app")
        if name_of(file) != "timebank/core/clock.py"
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute)
        and node.attr in {"now", "utcnow", "today"}
        and isinstance(node.value, ast.Name)
        and node.value.id in {"datetime", "date"}
    ]
    assert asking == []
