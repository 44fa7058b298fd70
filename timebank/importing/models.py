"""Tables of workbooks that were handed in at a desk: looked at first, then booked as they were shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.crypto import SealedBytes
from timebank.core.db import Base
from timebank.importing.import_rules import ImportKind, ImportState

_KINDS = ", ".join(f"'{kind}'" for kind in ImportKind)
_STATES = ", ".join(f"'{state}'" for state in ImportState)


class OfficeImport(Base):
    """A workbook and what it comes to; once booked nothing of it changes, but that the file is forgotten.

    ``township_code`` is whose business only goes in (None: the district's), for a menu the canteen's township.
    ``shown`` is the digest of the outcome, of which ``summary`` and the rows are what people read.
    """

    __tablename__ = "office_import"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint(
            "(kind = 'menu') = (canteen_id IS NOT NULL) AND (kind = 'menu') = (week_starts_on IS NOT NULL)",
            name="menu_whole",
        ),
        CheckConstraint(
            "(state = 'booked') = (booked_at IS NOT NULL) AND (booked_at IS NULL) = (booked_by IS NULL)"
            " AND (booked_at IS NULL) = (booked_by_name IS NULL)",
            name="booking_whole",
        ),
        CheckConstraint(
            "state <> 'booked' OR booked_by <> uploaded_by OR (summary ->> 'minutes')::bigint = 0", name="hours_by_two"
        ),
        CheckConstraint("state = 'booked' OR content IS NOT NULL", name="content_kept_until_booked"),
        Index("ix_office_import_township", "township_code", "id"),
        Index("ix_office_import_canteen", "canteen_id", "id"),
        Index("ix_office_import_sha256", "file_sha256", postgresql_where="state = 'booked'"),
        Index("ix_office_import_content", "uploaded_at", postgresql_where="content IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    state: Mapped[str]
    township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))
    canteen_id: Mapped[UUID | None] = mapped_column(ForeignKey("canteen.id"))
    week_starts_on: Mapped[date | None]
    file_name: Mapped[str]
    file_sha256: Mapped[str]
    # As large as a file may be: read only where it is asked for.
    content: Mapped[bytes | None] = mapped_column(SealedBytes, deferred=True)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID]
    uploaded_by_name: Mapped[str]
    judged_at: Mapped[datetime]
    summary: Mapped[dict[str, Any]] = mapped_column(JSONB)
    shown: Mapped[str]
    booked_at: Mapped[datetime | None]
    booked_by: Mapped[UUID | None]
    booked_by_name: Mapped[str | None]


class OfficeImportRow(Base):
    """A row that comes back, with its ``reason``, or that the office should look at; no identity number, no phone."""

    __tablename__ = "office_import_row"

    import_id: Mapped[UUID] = mapped_column(ForeignKey("office_import.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sheet: Mapped[str]
    row: Mapped[int]
    name: Mapped[str]
    reason: Mapped[str | None]
    text: Mapped[str]
