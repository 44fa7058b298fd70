"""How long the random walks are: brief ones in the suite, long ones in ``make thorough``."""

from __future__ import annotations

import os

THOROUGH = bool(os.environ.get("TIMEBANK_TEST_THOROUGH"))
"""Set by ``make thorough``."""


def length(brief: int, thorough: int) -> int:
    """How many examples, bugs or steps to try."""
    return thorough if THOROUGH else brief
