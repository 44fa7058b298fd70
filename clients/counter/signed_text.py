"""Reading the signed text of a voucher's QR at a counter: the form and the signature, nothing else.

The form is the bank's (``TB1.``: key number, code, last moment, weekdays, meals, township, Ed25519 signature).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MEALS = ("breakfast", "lunch", "supper")
_FORM = "TB1."
_DIGITS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_CODE_LENGTH = 11
_SAID_BYTES = 19
_SINCE = datetime(2020, 1, 1, tzinfo=UTC)


class NotOurs(Exception):
    """The text is none of the bank's, or not whole; ``sentence`` tells the clerk."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.sentence = sentence


@dataclass(frozen=True)
class Text:
    """What a QR says, before anybody has looked at its signature."""

    key_id: int
    code: str
    expires_at: datetime
    weekdays: frozenset[int]
    meals: frozenset[str]
    only_township_code: str | None
    signed: bytes
    signature: bytes

    def must_be_signed_by(self, public_key: bytes) -> None:
        """Raises NotOurs ``qr_forged``."""
        if not is_signed(self.signed, self.signature, public_key):
            raise NotOurs("qr_forged", "二维码的签名不对，不是本行发出的券")


def read(text: str) -> Text:
    """Take a scanned text apart. Raises NotOurs ``not_signed`` for a plain code, ``qr_unreadable`` for a torn text."""
    if not text.startswith("TB"):
        raise NotOurs("not_signed", "断网时只能扫二维码，不能输入券码")
    raw = _bytes_of(text)
    said, signature = raw[:_SAID_BYTES], raw[_SAID_BYTES:]
    township = int.from_bytes(said[15:19])
    return Text(
        key_id=int.from_bytes(said[0:2]),
        code=_code(int.from_bytes(said[2:9])),
        expires_at=_SINCE + timedelta(seconds=int.from_bytes(said[9:13])),
        weekdays=frozenset(day for day in range(1, 8) if said[13] & 1 << (day - 1)),
        meals=frozenset(meal for place, meal in enumerate(MEALS) if said[14] & 1 << place),
        only_township_code=f"{township:09}" if township else None,
        signed=_FORM.encode() + said,
        signature=signature,
    )


def is_signed(content: bytes, signature: bytes, public_key: bytes) -> bool:
    """Whether the holder of ``public_key``'s other half signed exactly this."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def short_hash(code: str) -> str:
    """How a code stands on the list of ended vouchers."""
    return hashlib.sha256(code.encode()).hexdigest()[:16]


def from_base64url(text: str) -> bytes:
    """Bytes written in base64url without padding. Raises ValueError."""
    padded = text + "=" * (-len(text) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None


def _bytes_of(text: str) -> bytes:
    torn = NotOurs("qr_unreadable", "二维码没有读全，请再扫一次")
    if not text.startswith(_FORM):
        raise NotOurs("qr_unreadable", "认不出这种二维码，请更新本机程序")
    try:
        raw = from_base64url(text[len(_FORM) :])
    except ValueError:
        raise torn from None
    if len(raw) != _SAID_BYTES + 64:
        raise torn
    return raw


def _code(number: int) -> str:
    code = ""
    while len(code) < _CODE_LENGTH:
        number, digit = divmod(number, len(_DIGITS))
        code = _DIGITS[digit] + code
    return code
