"""Breaking Chinese text into lines: no line begins with a comma or a full stop, no number or command is torn apart."""

from __future__ import annotations

import re

from rich.cells import cell_len

# A run of Latin letters and digits, or one character; with the marks that must not stand apart from it.
_PIECE = re.compile(r"\s+|[（「《]*(?:[!-~]+|\S)[，。；：、？！）」》]*")


def folded(text: str, width: int) -> str:
    """``text`` in lines of at most ``width`` cells, but for a piece that alone is wider."""
    return "\n".join(_fold(line, width) for line in text.split("\n"))


def _fold(text: str, width: int) -> str:
    lines, line = [], ""
    for piece in _PIECE.findall(text):
        if line.strip() and cell_len(line + piece.rstrip()) > width:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return "\n".join([*lines, line])
