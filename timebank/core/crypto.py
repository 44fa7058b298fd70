"""Ciphers for what must not lie open in the database: SM4-GCM for values, HMAC-SM3 for look-up.

A process is given its secret once, by ``use_secret``; keys for each purpose are derived from it with HKDF.
A sealed value is ``version(1) ‖ nonce(12) ‖ tag(16) ‖ ciphertext``; the version leaves room for a change of key.
"""

from __future__ import annotations

import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SM3
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect, LargeBinary
from sqlalchemy.types import TypeDecorator

_VERSION = b"\x01"
_NONCE, _TAG = 12, 16


class Keyring:
    """The keys of one bank, all derived from one secret of at least 32 characters."""

    def __init__(self, secret: str) -> None:
        if len(secret) < 32:
            raise ValueError("the secret must have at least 32 characters")
        self._secret = secret.encode()
        self._derived: dict[tuple[str, int], bytes] = {}
        self._sealing = self.derive("seal values", 16)
        self._looking_up = self.derive("look up values", 32)

    def derive(self, purpose: str, length: int) -> bytes:
        """A key of ``length`` bytes for one purpose, always the same for the same secret."""
        wanted = (purpose, length)
        if wanted not in self._derived:
            derivation = HKDF(SM3(), length, salt=None, info=f"timebank {purpose}".encode())
            self._derived[wanted] = derivation.derive(self._secret)
        return self._derived[wanted]

    def seal(self, text: str) -> bytes:
        """Encrypt ``text`` with SM4-GCM."""
        return self.seal_bytes(text.encode())

    def seal_bytes(self, content: bytes) -> bytes:
        """Encrypt ``content`` with SM4-GCM."""
        nonce = os.urandom(_NONCE)
        encryptor = Cipher(algorithms.SM4(self._sealing), modes.GCM(nonce)).encryptor()
        encryptor.authenticate_additional_data(_VERSION)
        ciphertext = encryptor.update(content) + encryptor.finalize()
        return _VERSION + nonce + encryptor.tag + ciphertext

    def open(self, sealed: bytes) -> str:
        """Decrypt what ``seal`` made. Raises ValueError where it was altered or sealed under another secret."""
        return self.open_bytes(sealed).decode()

    def open_bytes(self, sealed: bytes) -> bytes:
        """Decrypt what ``seal_bytes`` made. Raises ValueError as ``open`` does."""
        version, rest = sealed[:1], sealed[1:]
        nonce, tag, ciphertext = rest[:_NONCE], rest[_NONCE : _NONCE + _TAG], rest[_NONCE + _TAG :]
        if version != _VERSION or len(tag) != _TAG:
            raise ValueError("not a sealed value")
        decryptor = Cipher(algorithms.SM4(self._sealing), modes.GCM(nonce, tag)).decryptor()
        decryptor.authenticate_additional_data(version)
        try:
            return decryptor.update(ciphertext) + decryptor.finalize()
        except InvalidTag:
            raise ValueError("a sealed value was altered, or the secret is another one") from None

    def blind_index(self, text: str) -> bytes:
        """HMAC-SM3 of ``text``: equal values can be found without being readable."""
        digest = HMAC(self._looking_up, SM3())
        digest.update(text.encode())
        return digest.finalize()


_keyring: list[Keyring] = []


def use_secret(secret: str) -> Keyring:
    """Give this process its secret; every sealed column reads and writes with it from now on."""
    _keyring[:] = [Keyring(secret)]
    return _keyring[0]


def keyring() -> Keyring:
    """The keys of this process. Raises RuntimeError before ``use_secret``."""
    if not _keyring:
        raise RuntimeError("no secret was given to this process")
    return _keyring[0]


class SealedText(TypeDecorator[str]):
    """A text column that lies encrypted in the database and is clear only in Python."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> bytes | None:
        """Seal on the way in."""
        return None if value is None else keyring().seal(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> str | None:
        """Open on the way out."""
        return None if value is None else keyring().open(bytes(value))


class SealedBytes(TypeDecorator[bytes]):
    """A column of bytes, a file for one, that lies encrypted in the database and is clear only in Python."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        """Seal on the way in."""
        return None if value is None else keyring().seal_bytes(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> bytes | None:
        """Open on the way out."""
        return None if value is None else keyring().open_bytes(bytes(value))
