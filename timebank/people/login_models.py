"""Tables of logins 登录身份: a WeChat openid or a staff name; never called an account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.actors import StaffRole
from timebank.core.db import Base

_ROLES = ", ".join(f"'{role}'" for role in StaffRole)


class Login(Base):
    """One way in: ``openid`` for a person's WeChat, ``username`` and ``password_hash`` for staff."""

    __tablename__ = "login"
    __table_args__ = (
        CheckConstraint("(openid IS NULL) <> (username IS NULL)", name="one_way_in"),
        CheckConstraint("(username IS NULL) = (password_hash IS NULL)", name="password_with_name"),
        CheckConstraint("(username IS NULL) = (staff_role IS NULL)", name="role_with_name"),
        CheckConstraint(f"staff_role IN ({_ROLES})", name="role_known"),
        CheckConstraint(
            "(staff_role IN ('township_steward', 'canteen_clerk', 'care_provider')) = (township_code IS NOT NULL)",
            name="township_fits",
        ),
        CheckConstraint(
            "(staff_role IN ('canteen_clerk', 'care_provider')) = (organisation_id IS NOT NULL)",
            name="organisation_fits",
        ),
        Index("uq_login_person", "person_id", unique=True, postgresql_where="openid IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    openid: Mapped[str | None] = mapped_column(unique=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id"))
    username: Mapped[str | None] = mapped_column(unique=True)
    password_hash: Mapped[str | None]
    display_name: Mapped[str]
    staff_role: Mapped[str | None]
    township_code: Mapped[str | None] = mapped_column(ForeignKey("township.code"))
    organisation_id: Mapped[UUID | None] = mapped_column(ForeignKey("organisation.id"))
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class WebSession(Base):
    """A browser that a login has signed in with; over when it is ended or its time is."""

    __tablename__ = "web_session"
    __table_args__ = (
        CheckConstraint("expires_at > opened_at", name="lasts"),
        Index("ix_web_session_login_id", "login_id"),
        Index("ix_web_session_expires_at", "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id"))
    opened_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class WebTicket(Base):
    """A way from the mini-program into its web view, once and soon: ``digest`` is SHA-256 of a ticket nobody keeps."""

    __tablename__ = "web_ticket"
    __table_args__ = (
        CheckConstraint("octet_length(digest) = 32", name="digest_whole"),
        CheckConstraint("expires_at > issued_at", name="lasts"),
        Index("ix_web_ticket_login_id", "login_id"),
        Index("ix_web_ticket_expires_at", "expires_at"),
    )

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    login_id: Mapped[UUID] = mapped_column(ForeignKey("login.id"))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    spent_at: Mapped[datetime | None]


class LoginAttempt(Base):
    """Failed sign-ins of one staff name, known or not, counted so that guessing slows down."""

    __tablename__ = "login_attempt"

    username: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    blocked_until: Mapped[datetime]
