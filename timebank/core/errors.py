"""What the bank may answer instead of doing what was asked.

A refusal has a ``code`` for programs, a Chinese ``title`` for people, an optional ``detail`` sentence
and facts as named values. No HTTP status lives here; the doors keep the one table for that.
"""

from __future__ import annotations

from typing import Any


class BankError(Exception):
    """Root of everything the bank says no with; never raised itself."""

    def __init__(self, code: str, title: str, *, detail: str | None = None, **facts: Any) -> None:
        super().__init__(f"{code}: {title}")
        self.code = code
        self.title = title
        self.detail = detail
        self.facts = facts


class NotFound(BankError):
    """The thing does not exist, or is nobody's business of the asker."""


class NotAllowed(BankError):
    """The asker may not do this."""


class Conflict(BankError):
    """The thing is in another state than the request supposes."""


class Refused(BankError):
    """Understood and permitted, but a rule of the bank says no."""
