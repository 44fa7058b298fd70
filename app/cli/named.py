"""A choice that may be written by its code or by its Chinese name, whichever comes to mind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click


class Named(click.ParamType[str]):
    """One of some codes, each with a name; answers the code."""

    name = "choice"

    def __init__(self, names: Mapping[Any, str]) -> None:
        self._codes = {str(code): name for code, name in names.items()}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The code of what was written."""
        found = next((code for code, name in self._codes.items() if value in (code, name)), None)
        if found is None:
            said = "、".join(f"{code} {name}" for code, name in self._codes.items())
            self.fail(f"没有「{value}」；可以写 one of：{said}", param, ctx)
        return found

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:  # noqa: ARG002
        """All codes, as a choice shows them."""
        return f"[{'|'.join(self._codes)}]"
