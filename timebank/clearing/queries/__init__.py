"""What can be seen of clearing: windows, positions, the matrix, single lines."""

from timebank.clearing.queries.breaks import (
    BreakView,
    ReconciliationView,
    break_view,
    breaks,
    breaks_of,
    reconciliation_view,
    reconciliations,
)
from timebank.clearing.queries.lines import Line, line_of, lines, whose_lines
from timebank.clearing.queries.positions import (
    ALL_TIME,
    HOUSE_NAME,
    MatrixLine,
    MatrixPart,
    Position,
    matrix,
    owed_minutes,
    positions,
    sums_of,
)
from timebank.clearing.queries.reviews import (
    PaymentView,
    disputes,
    guarantee_calls,
    overrides,
    payment_view,
    payments,
    settlements_of,
    statements_of,
)
from timebank.clearing.queries.statement_view import StatementView
from timebank.clearing.queries.statements import every_line, statement
from timebank.clearing.queries.windows import (
    WindowView,
    find_window,
    lock_open_window,
    open_window,
    window_view,
    windows,
)

__all__ = [
    "ALL_TIME",
    "HOUSE_NAME",
    "BreakView",
    "Line",
    "MatrixLine",
    "MatrixPart",
    "PaymentView",
    "Position",
    "ReconciliationView",
    "StatementView",
    "WindowView",
    "break_view",
    "breaks",
    "breaks_of",
    "disputes",
    "every_line",
    "find_window",
    "guarantee_calls",
    "line_of",
    "lines",
    "lock_open_window",
    "matrix",
    "open_window",
    "overrides",
    "owed_minutes",
    "payment_view",
    "payments",
    "positions",
    "reconciliation_view",
    "reconciliations",
    "settlements_of",
    "statement",
    "statements_of",
    "sums_of",
    "whose_lines",
    "window_view",
    "windows",
]
