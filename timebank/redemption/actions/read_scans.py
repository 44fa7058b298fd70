"""Reading what a scanner sends: a plain code, or a signed text whose signature is checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core.errors import Refused
from timebank.redemption.codes import tidy_code
from timebank.redemption.offline_models import SigningKey
from timebank.redemption.rules import Reason, Scan
from timebank.redemption.signing import key_number, looks_signed, read_payload


@dataclass(frozen=True, slots=True)
class ReadScan:
    """A scan with the voucher's code in it, or else the text as scanned; ``reason`` is why a signed text is no good.

    ``revoked_at`` is when the key of a signed text was revoked: what is scanned without a line from then on cannot rest
    on it, though the code in it is a code like any other.
    """

    scan: Scan
    code: str
    reason: Reason | None = None
    signed_text: str | None = None
    revoked_at: datetime | None = None

    @property
    def checked_without_a_line(self) -> bool:
        """Whether the counter could see for itself that the bank had signed this."""
        at = self.scan.scanned_at
        if not self.scan.offline or self.signed_text is None or at is None:
            return False
        return self.revoked_at is None or at < self.revoked_at


def read_scans(session: Session, scans: Sequence[Scan]) -> list[ReadScan]:
    """Each scan read by itself, in order."""
    signed = any(looks_signed(scan.code) for scan in scans)
    query = select(SigningKey.id, SigningKey.public_key, SigningKey.revoked_at)
    keys = {number: (public, revoked_at) for number, public, revoked_at in session.execute(query)} if signed else {}
    publics = {number: bytes(public) for number, (public, _) in keys.items()}
    return [_read(scan, publics, {number: at for number, (_, at) in keys.items()}) for scan in scans]


def _read(scan: Scan, publics: dict[int, bytes], revoked: dict[int, datetime | None]) -> ReadScan:
    if not looks_signed(scan.code):
        return ReadScan(scan, tidy_code(scan.code) or scan.code)
    try:
        said = read_payload(scan.code, publics)
    except Refused as refusal:
        return ReadScan(scan, scan.code, "qr_unreadable" if refusal.code == "qr_unreadable" else "qr_forged")
    return ReadScan(scan, said.code, None, scan.code, revoked[key_number(scan.code)])
