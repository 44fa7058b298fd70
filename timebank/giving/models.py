"""Tables of giving: gifts, donations, requests for hardship help.

That rows fit the transfers they name, and are never rewritten, stands in triggers (``migrations/sql/giving.sql``).
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.amounts import MAX_AMOUNT
from timebank.core.db import Base
from timebank.giving.rules import HardshipStatus
from timebank.policies.definitions import RELATIONS

_RELATIONS = ", ".join(f"'{relation}'" for relation in RELATIONS)
_STATUSES = ", ".join(f"'{status}'" for status in HardshipStatus)
_AMOUNT = f"minutes > 0 AND minutes <= {MAX_AMOUNT}"


class Gift(Base):
    """赠与: savings given to a relative; ``relation`` is what the receiver was to the giver.

    ``given_by_name`` has both names where a proxy gave for an elder. The giver cannot take it back.
    """

    __tablename__ = "giving_gift"
    __table_args__ = (
        CheckConstraint("giver_id <> receiver_id", name="two_people"),
        CheckConstraint(_AMOUNT, name="minutes_range"),
        CheckConstraint(f"relation IN ({_RELATIONS})", name="relation_known"),
        UniqueConstraint("transfer_id"),
        Index("ix_giving_gift_giver", "giver_id", "id"),
        Index("ix_giving_gift_receiver", "receiver_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    giver_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    receiver_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    minutes: Mapped[int]
    relation: Mapped[str]
    note: Mapped[str]
    given_at: Mapped[datetime]
    given_by: Mapped[UUID]
    given_by_name: Mapped[str]
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfer.id"))


class Donation(Base):
    """捐赠: savings given to the pool of the donor's home township, for oneself or in the name of a group."""

    __tablename__ = "giving_donation"
    __table_args__ = (
        CheckConstraint(_AMOUNT, name="minutes_range"),
        CheckConstraint("from_group <> ''", name="group_named"),
        UniqueConstraint("transfer_id"),
        Index("ix_giving_donation_donor", "donor_id", "id"),
        Index("ix_giving_donation_township", "township_code", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    donor_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    minutes: Mapped[int]
    from_group: Mapped[str | None]
    note: Mapped[str]
    donated_at: Mapped[datetime]
    donated_by: Mapped[UUID]
    donated_by_name: Mapped[str]
    transfer_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_transfer.id"))


class HardshipRequest(Base):
    """困难帮扶申请: a steward asks for minutes out of the township's pool for an elder, a second one approves.

    ``circumstances`` are those of the elder file that count as hardship when it is asked.
    """

    __tablename__ = "giving_hardship_request"
    __table_args__ = (
        CheckConstraint(_AMOUNT, name="minutes_range"),
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint("cardinality(circumstances) > 0", name="circumstances_given"),
        CheckConstraint("reason <> '' AND evidence <> ''", name="reasoned"),
        CheckConstraint("status <> 'approved' OR decided_by <> requested_by", name="second_person"),
        CheckConstraint(
            "num_nulls(decided_at, decided_by, decided_by_name) = CASE status WHEN 'waiting' THEN 3 ELSE 0 END",
            name="decided_whole",
        ),
        CheckConstraint(
            "num_nulls(transfer_id, expires_on) = CASE status WHEN 'approved' THEN 0 ELSE 2 END", name="approved_paid"
        ),
        CheckConstraint("(status = 'declined') = (decline_reason IS NOT NULL)", name="declined_reasoned"),
        UniqueConstraint("transfer_id"),
        Index("ix_giving_hardship_request_township", "township_code", "id"),
        Index("ix_giving_hardship_request_person", "person_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"))
    minutes: Mapped[int]
    reason: Mapped[str]
    evidence: Mapped[str]
    circumstances: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    requested_at: Mapped[datetime]
    requested_by: Mapped[UUID]
    requested_by_name: Mapped[str]
    status: Mapped[str]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decided_by_name: Mapped[str | None]
    decline_reason: Mapped[str | None]
    transfer_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_transfer.id"))
    expires_on: Mapped[date | None]
