"""Voucher codes: random, readable aloud, with a check character. Pure.

The alphabet leaves out 0 O 1 I L. It has 31 characters, a prime, so a weighted sum modulo 31 catches every single
wrong character and every exchange of two neighbours.
"""

from __future__ import annotations

import secrets
import unicodedata

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 11
"""Ten random characters, about 49 bits, and the check character."""


def new_code() -> str:
    """A fresh code, without separators."""
    body = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 1))
    return body + check_character(body)


def check_character(body: str) -> str:
    """The character that follows ``body``. Raises ValueError for a character outside the alphabet."""
    total = sum(weight * ALPHABET.index(c) for weight, c in enumerate(body, start=2))
    return ALPHABET[total % len(ALPHABET)]


def tidy_code(text: str) -> str | None:
    """A scanned or typed code as it is kept; None where it cannot be one."""
    code = "".join(c for c in unicodedata.normalize("NFKC", text).upper() if c.isalnum())
    if len(code) != LENGTH or any(c not in ALPHABET for c in code):
        return None
    return code if check_character(code[:-1]) == code[-1] else None


def grouped(code: str) -> str:
    """``ABCDEFGHJKM`` → ``ABCD-EFGH-JKM``, as it is printed."""
    return "-".join((code[:4], code[4:8], code[8:]))
