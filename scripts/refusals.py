"""Every refusal of the bank and of the doors, found by reading the source: code, Chinese titles, class and place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

CLASSES = frozenset({"NotFound", "NotAllowed", "Conflict", "Refused"})
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Refusal:
    """One code: its titles, its classes (or, for the doors' own, its HTTP statuses) and the files that raise it."""

    code: str
    titles: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    places: set[str] = field(default_factory=set)


def find_refusals(root: Path, packages: tuple[str, ...] = ("timebank", "app")) -> list[Refusal]:
    """All refusals under ``root``, by code. Raises ValueError for a code that cannot be read from the source."""
    trees = {
        str(file.relative_to(root)): ast.parse(file.read_text())
        for package in packages
        for file in sorted((root / package).rglob("*.py"))
    }
    makers = dict(_makers(trees))
    found: dict[str, Refusal] = {}
    for place, tree in trees.items():
        for call, code, title, kind in _raised(place, tree, makers):
            refusal = found.setdefault(code, Refusal(code))
            refusal.titles |= _titles(title, tree, call)
            refusal.classes.add(kind)
            refusal.places.add(place)
    return [found[code] for code in sorted(found)]


def _makers(trees: dict[str, ast.Module]) -> Iterator[tuple[str, str]]:
    """Functions that refuse with a code they are given, by name, with the class that they raise."""
    for tree in trees.values():
        for function in ast.walk(tree):
            if not isinstance(function, Function):
                continue
            given = {a.arg for a in (*function.args.args, *function.args.kwonlyargs)}
            for call in ast.walk(function):
                kind = _name(call.func) if isinstance(call, ast.Call) else ""
                if kind in CLASSES and isinstance(call, ast.Call) and isinstance(call.args[0], ast.Name):
                    if call.args[0].id not in given:
                        raise ValueError(f"{function.name}: the code of a refusal must be written where it is raised")
                    yield function.name, kind


def _raised(
    place: str, tree: ast.Module, makers: dict[str, str]
) -> Iterator[tuple[ast.Call, str, ast.expr | None, str]]:
    bases = {c.name: _name(c.bases[0]) for c in ast.walk(tree) if isinstance(c, ast.ClassDef) and c.bases}
    for owner in ast.walk(tree):
        for call in _calls(owner):
            name, keywords = _name(call.func), {k.arg: k.value for k in call.keywords}
            if name in makers and (code := _text(keywords.get("code"))) is not None:
                yield call, code, keywords.get("title"), makers[name]
            elif call.args and (code := _text(call.args[0])) is not None and len(call.args) > 1:
                kind = bases.get(owner.name, "") if isinstance(owner, ast.ClassDef) and name == "__init__" else name
                if kind in CLASSES:
                    yield call, code, call.args[1], kind
    _check_readable(place, tree)


def _calls(owner: ast.AST) -> Iterator[ast.Call]:
    """Calls of a class body (for ``super().__init__``) or of the module, each once."""
    if isinstance(owner, ast.ClassDef):
        yield from (c for c in ast.walk(owner) if isinstance(c, ast.Call) and _name(c.func) == "__init__")
    elif isinstance(owner, ast.Module):
        yield from (c for c in ast.walk(owner) if isinstance(c, ast.Call) and _name(c.func) != "__init__")


def _check_readable(place: str, tree: ast.Module) -> None:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and _name(call.func) in CLASSES and len(call.args) < 2:
            raise ValueError(f"{place}:{call.lineno}: a refusal needs a code and a title")


def _titles(title: ast.expr | None, tree: ast.Module, call: ast.Call) -> set[str]:
    """The sentences that ``title`` may be; what is filled in at run time is shown as ``…``."""
    if isinstance(title, ast.Name):
        around = [f for f in ast.walk(tree) if isinstance(f, Function) and call in list(ast.walk(f))]
        values = [
            statement.value
            for function in around
            for statement in ast.walk(function)
            if isinstance(statement, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == title.id for target in statement.targets)
        ]
        return {said for value in values if (said := _text(value)) is not None}
    said = _text(title)
    return set() if said is None else {said}


def _text(node: ast.expr | None) -> str | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)
    return None


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
