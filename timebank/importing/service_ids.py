"""The id of an imported service: the same volunteer, elder and span always make the same task, so never two."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from uuid import UUID


def imported_task_id(volunteer_id: UUID, elder_id: UUID, started_at: datetime, ended_at: datetime) -> UUID:
    """A UUIDv7 whose time is the service's end and whose random part is a digest of all four.

    Imported tasks thus stand in lists where they were served, not where they were imported.
    """
    moments = [moment.astimezone(UTC).isoformat() for moment in (started_at, ended_at)]
    digest = hashlib.sha256("|".join([volunteer_id.hex, elder_id.hex, *moments]).encode()).digest()
    bits = int.from_bytes(digest[:10], "big")
    value = (int(ended_at.timestamp() * 1000) & (1 << 48) - 1) << 80
    value |= 0x7 << 76 | (bits >> 62 & 0xFFF) << 64
    value |= 0b10 << 62 | bits & (1 << 62) - 1
    return UUID(int=value)
