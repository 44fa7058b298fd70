"""Half-width writing 半角: what input methods and spreadsheets do to digits and letters, undone."""

from __future__ import annotations

import unicodedata

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}


def half_width(text: str) -> str:
    """The same text with full-width ASCII in half width; everything else as it stands."""
    return text.translate(_FULL_WIDTH)


def without_blanks(text: str) -> str:
    """The same text without blanks of any kind, control characters and invisible marks (zero width, BOM)."""
    return "".join(char for char in text if not _is_blank(char))


def is_dash(char: str) -> bool:
    """Whether ``char`` is a hyphen, dash or minus sign of any width."""
    return unicodedata.category(char) == "Pd" or char == "−"


def _is_blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Cc", "Cf"}
