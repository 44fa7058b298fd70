"""The signed text in a voucher's QR 验签二维码, which a counter can check without a line. Pure.

``TB1.`` and, in base64url without padding, 19 bytes and the Ed25519 signature over ``TB1.`` and them:

| bytes | what |
|---|---|
| 2 | number of the signing key |
| 7 | the voucher's code, its eleven characters as digits to the base 31 |
| 4 | when it expires, in seconds since 2020 |
| 1 | weekdays on which it is good, Monday the lowest bit |
| 1 | meals for which it is good, breakfast the lowest bit |
| 4 | the only township where it is good; 0 for any |

115 characters in all, a QR of version 7 with error correction M. It says nothing about the person. A later form is
``TB2.`` and gets a reader of its own beside the one of today.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from timebank.core.errors import Refused
from timebank.redemption.codes import ALPHABET, LENGTH, tidy_code

FIRST_FORM = "TB1."
WEEKDAYS = (1, 2, 3, 4, 5, 6, 7)
MEALS = ("breakfast", "lunch", "supper")
MOST_KEYS = 2**16 - 1

_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
_BODY = struct.Struct(">H7sIBBI")
_SIGNATURE_BYTES = 64
_ANY_FORM = re.compile(r"TB\d+\.")


@dataclass(frozen=True, slots=True)
class SignedVoucher:
    """What a counter learns from the QR alone; every weekday and meal stands for no limit of the kind."""

    code: str
    expires_at: datetime
    weekdays: tuple[int, ...] = WEEKDAYS
    meals: tuple[str, ...] = MEALS
    only_township_code: str | None = None


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A key that signs: its number, and its 32 secret bytes, which never leave the bank."""

    id: int
    secret: bytes

    def __repr__(self) -> str:
        """Only the number, so that no log ever holds the secret."""
        return f"PrivateKey({self.id})"

    @property
    def public(self) -> bytes:
        """The 32 bytes that anybody may know."""
        return Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()

    def sign(self, content: bytes) -> bytes:
        """The signature over ``content``, 64 bytes, always the same for the same content."""
        return Ed25519PrivateKey.from_private_bytes(self.secret).sign(content)


def looks_signed(text: str) -> bool:
    """Whether a scanned text claims to be a signed one, of this form or a later one."""
    return _ANY_FORM.match(text) is not None


def signed_payload(voucher: SignedVoucher, key: PrivateKey) -> str:
    """The text for the QR. ``expires_at`` is cut to the second, so that nobody eats a moment too late."""
    body = _BODY.pack(
        key.id,
        _number_of(voucher.code).to_bytes(7),
        int((voucher.expires_at - _EPOCH).total_seconds()),
        _bits(voucher.weekdays, WEEKDAYS),
        _bits(voucher.meals, MEALS),
        int(voucher.only_township_code or 0),
    )
    return FIRST_FORM + text_of(body + key.sign(FIRST_FORM.encode() + body))


def key_number(text: str) -> int:
    """The number of the key under which a text says that it was signed. Raises Refused ``qr_unreadable``."""
    return int(_BODY.unpack(_parts(text)[0])[0])


def read_payload(text: str, public_keys: Mapping[int, bytes]) -> SignedVoucher:
    """What a signed text says, once its signature is found good.

    Raises Refused ``qr_unreadable`` (torn, or of a form that is not known here), ``qr_key_unknown``, ``qr_forged``.
    """
    body, signature = _parts(text)
    key_id, code, seconds, weekdays, meals, township = _BODY.unpack(body)
    if key_id not in public_keys:
        raise Refused("qr_key_unknown", "二维码的签名密钥不在名单上", key_id=key_id)
    try:
        Ed25519PublicKey.from_public_bytes(public_keys[key_id]).verify(signature, FIRST_FORM.encode() + body)
    except InvalidSignature:
        raise Refused("qr_forged", "二维码的签名不对，不是本行发出的券") from None
    return SignedVoucher(
        code=_code_of(int.from_bytes(code)),
        expires_at=_EPOCH + timedelta(seconds=seconds),
        weekdays=tuple(day for place, day in enumerate(WEEKDAYS) if weekdays >> place & 1),
        meals=tuple(meal for place, meal in enumerate(MEALS) if meals >> place & 1),
        only_township_code=f"{township:09}" if township else None,
    )


def text_of(content: bytes) -> str:
    """Bytes as base64url without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def _parts(text: str) -> tuple[bytes, bytes]:
    """The body and the signature. Raises Refused ``qr_unreadable``."""
    unreadable = Refused("qr_unreadable", "二维码没有读全，请再扫一次，或输入下面的券码")
    if not text.startswith(FIRST_FORM):
        raise unreadable
    coded = text.removeprefix(FIRST_FORM)
    try:
        content = base64.b64decode(coded + "=" * (-len(coded) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise unreadable from None
    # One voucher, one text: the unused bits at the end are nobody's to play with.
    if len(content) != _BODY.size + _SIGNATURE_BYTES or text_of(content) != coded:
        raise unreadable
    return content[: _BODY.size], content[_BODY.size :]


def _number_of(code: str) -> int:
    if tidy_code(code) != code:
        raise ValueError(f"not a voucher's code: {code!r}")
    number = 0
    for character in code:
        number = number * len(ALPHABET) + ALPHABET.index(character)
    return number


def _code_of(number: int) -> str:
    characters = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        characters.append(ALPHABET[place])
    return "".join(reversed(characters))


def _bits(chosen: Iterable[object], every: tuple[object, ...]) -> int:
    wanted = set(chosen)
    return sum(1 << place for place, one in enumerate(every) if one in wanted)
