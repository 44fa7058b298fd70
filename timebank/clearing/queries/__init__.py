"""What can be seen of clearing: windows, positions, the matrix, single lines."""

from timebank.clearing.queries.lines import Line, lines, whose_lines
from timebank.clearing.queries.positions import (
    ALL_TIME,
    MatrixLine,
    MatrixPart,
    Position,
    matrix,
    owed_minutes,
    positions,
    sums_of,
)
from timebank.clearing.queries.windows import WindowView, find_window, open_window, window_view, windows

__all__ = [
    "ALL_TIME",
    "Line",
    "MatrixLine",
    "MatrixPart",
    "Position",
    "WindowView",
    "find_window",
    "lines",
    "matrix",
    "open_window",
    "owed_minutes",
    "positions",
    "sums_of",
    "whose_lines",
    "window_view",
    "windows",
]
