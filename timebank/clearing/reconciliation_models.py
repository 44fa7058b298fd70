"""Tables of reconciliation. What they promise beyond columns stands in ``migrations/sql/reconciliation.sql``.

A break is ended by a movement that cures it, or by a later list that no longer has it; never by hand.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from timebank.clearing.township_lists import BreakType
from timebank.core.db import Base

_TYPES = ", ".join(f"'{kind}'" for kind in BreakType)


class Reconciliation(Base):
    """往来核对: a township's own list of one window, matched against the books; ``preliminary`` while it is open.

    ``rows`` are all of the list, those not readable included. ``found`` counts breaks by type, ``cured_earlier`` those
    among them that a movement had cured before; ``unreadable`` are row numbers with the code of the reason.
    """

    __tablename__ = "clearing_reconciliation"
    __table_args__ = (
        Index("ix_clearing_reconciliation_list", "window_number", "township_code", "id"),
        UniqueConstraint("id", "window_number", "township_code", name="uq_clearing_reconciliation_whose"),
        CheckConstraint("file_name <> ''", name="file_named"),
        CheckConstraint("length(file_sha256) = 32", name="digest_length"),
        CheckConstraint("matched >= 0 AND cured_earlier >= 0 AND rows >= matched", name="counts_fit"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    window_number: Mapped[int] = mapped_column(ForeignKey("clearing_window.number"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    preliminary: Mapped[bool]
    file_name: Mapped[str]
    file_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    rows: Mapped[int]
    matched: Mapped[int]
    found: Mapped[dict[str, int]] = mapped_column(JSONB)
    cured_earlier: Mapped[int]
    unreadable: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    uploaded_at: Mapped[datetime]
    uploaded_by: Mapped[UUID | None]
    uploaded_by_name: Mapped[str]


class Break(Base):
    """差异: where a township's list and the books disagree, from when it was first found until it is put right.

    ``reconciliation_id`` is the newest list that shows it, ``row_number`` its row there, ``row_digest`` a keyed digest
    of what the row says and ``copy`` which of several such rows it is. ``transfer_id`` names the line by its first leg.
    Minutes are positive where they are owed to ``township_code``, whose list it is; ``person_name`` is masked.
    """

    __tablename__ = "clearing_break"
    __table_args__ = (
        ForeignKeyConstraint(
            ["reconciliation_id", "window_number", "township_code"],
            [
                "clearing_reconciliation.id",
                "clearing_reconciliation.window_number",
                "clearing_reconciliation.township_code",
            ],
        ),
        CheckConstraint(f"type IN ({_TYPES})", name="type_known"),
        CheckConstraint("(transfer_id IS NULL) = (type = 'missing_here')", name="line_fits"),
        CheckConstraint(
            "num_nulls(row_number, row_digest, minutes_there) = CASE type WHEN 'missing_there' THEN 3 ELSE 0 END",
            name="row_fits",
        ),
        CheckConstraint("(minutes_here IS NULL) = (type IN ('missing_here', 'duplicate'))", name="books_fit"),
        CheckConstraint("(other_window IS NULL) = (type <> 'window')", name="other_window_fits"),
        CheckConstraint("minutes_here <> 0 AND minutes_there <> 0", name="minutes_not_zero"),
        CheckConstraint("copy >= 0", name="copy_counts"),
        CheckConstraint("num_nulls(cured_at, cured_by_transfer_id, cured_by_name) IN (0, 3)", name="cured_whole"),
        CheckConstraint("num_nulls(ended_at, ended_reason) IN (0, 2)", name="ended_whole"),
        CheckConstraint("ended_reason IN ('list_corrected', 'books_changed')", name="ended_reason_known"),
        CheckConstraint("cured_at IS NULL OR ended_at IS NULL", name="cured_or_ended"),
        Index(
            "uq_clearing_break_standing",
            *("window_number", "township_code", "type", "transfer_id", "row_digest", "copy"),
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where="ended_at IS NULL",
        ),
        Index("ix_clearing_break_township", "township_code", "id"),
        Index("ix_clearing_break_owner", "owner_township_code", "id"),
        Index(
            "uq_clearing_break_cure",
            *("township_code", "cured_by_transfer_id"),
            unique=True,
            postgresql_where="cured_by_transfer_id IS NOT NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    reconciliation_id: Mapped[UUID]
    window_number: Mapped[int]
    township_code: Mapped[str]
    type: Mapped[str]
    transfer_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"))
    other_window: Mapped[int | None] = mapped_column(ForeignKey("clearing_window.number"))
    row_number: Mapped[int | None]
    row_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    copy: Mapped[int]
    day: Mapped[date]
    minutes_here: Mapped[int | None]
    minutes_there: Mapped[int | None]
    counterpart_code: Mapped[str | None] = mapped_column(ForeignKey("ledger_book.code"))
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    person_name: Mapped[str | None]
    owner_township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))
    opened_at: Mapped[datetime]
    cured_at: Mapped[datetime | None]
    cured_by_transfer_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"))
    cured_by: Mapped[UUID | None]
    cured_by_name: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_reason: Mapped[str | None]
