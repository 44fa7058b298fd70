"""Reading what kind of service an office wrote down 服务内容. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from timebank.people.widths import half_width, without_blanks

_OTHER = "other"
_TAIL = "服务"


class ServiceWords:
    """The bank's kinds of service by the names that people know them by."""

    def __init__(self, names: Mapping[str, str]) -> None:
        """``names`` are the names of all kinds of service by code."""
        self._names = dict(names)
        self._codes = {_plain(name): code for code, name in names.items()}

    def read(self, words: str) -> tuple[str, str]:
        """The code, and as a note what the code does not say: words that are no kind of service become ``other``."""
        code = self._codes.get(_plain(words))
        return (code, "") if code is not None else (_OTHER, words)

    def name_of(self, code: str) -> str:
        """The name of a kind of service."""
        return self._names[code]


def _plain(words: str) -> str:
    return without_blanks(half_width(words)).removesuffix(_TAIL)
