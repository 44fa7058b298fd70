"""Small files and small functions (DESIGN.md, "Sizes")."""

from __future__ import annotations

from tests.house.sources import PRODUCT, functions_in, name_of, python_files

LONGEST_FILE, LONGEST_FUNCTION = 350, 70
# A revision lists tables and columns one under another, in one function; there is nothing in it to follow.
REVISIONS = "timebank/migrations/versions/"


def test_no_file_is_longer_than_350_lines() -> None:
    sizes = {name_of(f): len(f.read_text(encoding="utf-8").splitlines()) for f in python_files(*PRODUCT, "tests")}
    assert {name: n for name, n in sizes.items() if n > LONGEST_FILE and not name.startswith(REVISIONS)} == {}


def test_no_function_is_longer_than_70_lines() -> None:
    long = {
        f"{name_of(file)}:{function.name}": length
        for file in python_files(*PRODUCT, "tests")
        for function in functions_in(file)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > LONGEST_FUNCTION
        and not name_of(file).startswith(REVISIONS)
    }
    assert long == {}


def test_nothing_is_called_util_or_its_like() -> None:
    words = {"util", "utils", "common", "helper", "helpers", "manager", "handler", "handlers", "misc"}
    assert [name_of(file) for file in python_files(*PRODUCT, "tests") if file.stem in words] == []
