"""Tables of people, roles, elder files and proxies. ID numbers and phones lie sealed, found by blind index."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.crypto import SealedText
from timebank.core.db import Base
from timebank.people.rules import ROLE_NAMES, ProxyScope

_ROLES = ", ".join(f"'{role}'" for role in ROLE_NAMES)
_SCOPES = ", ".join(f"'{scope}'" for scope in ProxyScope)


class Person(Base):
    """人员: one human being, once, whatever the roles."""

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("sex IN ('F', 'M')", name="sex_known"),
        CheckConstraint("name <> ''", name="name_given"),
        CheckConstraint("died_on IS NULL OR death_reported_at IS NOT NULL", name="death_reported"),
        Index("ix_person_township", "township_code", "id"),
        Index("ix_person_left", "id", postgresql_where="left_at IS NOT NULL"),
        Index("ix_person_name_last4", "name_last4_index"),
        Index("ix_person_unindexed", "id", postgresql_where="name_last4_index IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    id_number: Mapped[str] = mapped_column(SealedText)
    id_number_index: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    name_last4_index: Mapped[bytes | None] = mapped_column(LargeBinary)
    born_on: Mapped[date]
    sex: Mapped[str]
    phone: Mapped[str | None] = mapped_column(SealedText)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    enrolled_at: Mapped[datetime]
    enrolled_by: Mapped[UUID | None]
    left_at: Mapped[datetime | None]
    death_reported_at: Mapped[datetime | None]
    died_on: Mapped[date | None]


class PersonRole(Base):
    """What a person is enrolled as: volunteer 志愿者, elder 老人, or only to eat 用餐对象 (a child, a soldier)."""

    __tablename__ = "person_role"
    __table_args__ = (CheckConstraint(f"role IN ({_ROLES})", name="role_known"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]


class ElderFile(Base):
    """一人一档: what the programme knows of an elder. Level 0 able … 4 fully dependent (GB/T 42195-2022)."""

    __tablename__ = "elder_file"
    __table_args__ = (CheckConstraint("assessment_level BETWEEN 0 AND 4", name="level_range"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    assessment_level: Mapped[int | None] = mapped_column(SmallInteger)
    circumstances: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    village: Mapped[str | None]


class Proxy(Base):
    """代办人: acts for an elder, with the elder's consent on record."""

    __tablename__ = "proxy"
    __table_args__ = (
        CheckConstraint("elder_id <> proxy_id", name="not_oneself"),
        CheckConstraint(f"scopes <@ ARRAY[{_SCOPES}] AND cardinality(scopes) > 0", name="scopes_known"),
        Index("uq_proxy_elder_proxy_active", "elder_id", "proxy_id", unique=True, postgresql_where="ended_at IS NULL"),
        Index("ix_proxy_proxy_active", "proxy_id", postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    elder_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    proxy_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    relation: Mapped[str]
    scopes: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    consent_evidence: Mapped[str]
    registered_by: Mapped[UUID]
    registered_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
