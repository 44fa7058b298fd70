"""Whether the books are in order after a run: the bank's own verification, all of it."""

from __future__ import annotations

from timebank.core.db import Database
from timebank.supervision.verify import verify


def must_verify(url: str) -> None:
    """Recompute everything from the raw rows. Raises RuntimeError with the first row that does not fit."""
    bank = Database(url, pool_size=1)
    try:
        with bank.session() as session:
            for verified in verify(session):
                if verified.misfit is not None:
                    raise RuntimeError(f"the books do not verify: {verified.misfit}")
    finally:
        bank.close()
