"""The outbox."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base


class Notice(Base):
    """通知: for one person, or for the stewards of one township (None: the district's).

    ``sent_at`` is when WeChat took it, or when it was put where stewards look; ``given_up_at`` when it never will be.
    The notice itself can be read in the bank either way.
    """

    __tablename__ = "notice"
    __table_args__ = (
        CheckConstraint("audience IN ('person', 'stewards')", name="audience_known"),
        CheckConstraint("(audience = 'person') = (person_id IS NOT NULL)", name="person_given"),
        Index("ix_notice_unsent", "next_try_at", postgresql_where="sent_at IS NULL AND given_up_at IS NULL"),
        Index("ix_notice_person", "person_id", "id", postgresql_where="person_id IS NOT NULL"),
        Index("ix_notice_stewards", "township_code", "id", postgresql_where="audience = 'stewards'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    audience: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))
    title: Mapped[str]
    body: Mapped[str]
    written_at: Mapped[datetime]
    next_try_at: Mapped[datetime]
    tries: Mapped[int]
    sent_at: Mapped[datetime | None]
    given_up_at: Mapped[datetime | None]
    last_error: Mapped[str | None]
