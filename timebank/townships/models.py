"""Tables of townships, villages and organisations."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base


class Township(Base):
    """镇街, by its national division code."""

    __tablename__ = "township"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    is_pilot: Mapped[bool]


class Village(Base):
    """村社, by its national division code."""

    __tablename__ = "village"
    __table_args__ = (CheckConstraint("left(code, 9) = township_code", name="within_township"),)

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"), index=True)


class Organisation(Base):
    """机构: a canteen 助餐点 or a home-care provider 居家养老服务机构.

    ``not_serving_since`` is since when a canteen serves nobody, because it is not open; written by those who open and
    close canteens, for those who only know that it has a counter.
    """

    __tablename__ = "organisation"
    __table_args__ = (
        CheckConstraint("kind IN ('canteen', 'provider')", name="kind_known"),
        Index("ix_organisation_township_kind", "township_code", "kind"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    name: Mapped[str] = mapped_column(unique=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    not_serving_since: Mapped[datetime | None]
