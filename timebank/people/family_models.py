"""Tables of family: proposals that wait for the other side's consent, relations, and named heirs.

That rows are ended once and never rewritten stands in triggers (``migrations/sql/giving.sql``).
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base
from timebank.people.family_rules import Consent, ProposalKind, ProposalStatus, Relation
from timebank.people.rules import ProxyScope

_CONSENTS = ", ".join(f"'{consent}'" for consent in Consent)
_KINDS = ", ".join(f"'{kind}'" for kind in ProposalKind)
_RELATIONS = ", ".join(f"'{relation}'" for relation in Relation)
_SCOPES = ", ".join(f"'{scope}'" for scope in ProxyScope)
_STATUSES = ", ".join(f"'{status}'" for status in ProposalStatus)


class Proposal(Base):
    """待确认的请求: somebody asks another to be registered as a relative, or to act as a proxy.

    Whom it asks is kept by blind index and name, so that one for a number that nobody has looks and waits like any
    other. ``relation`` is what the asked is to the proposer, for a proxy in the elder's own words. ``evidence`` is
    where the proposer's consent lies on paper; without it, it was given on the phone. ``told_of`` is the newest status
    of which the other side has been told.
    """

    __tablename__ = "family_proposal"
    __table_args__ = (
        CheckConstraint(f"kind IN ({_KINDS})", name="kind_known"),
        CheckConstraint(f"status IN ({_STATUSES})", name="status_known"),
        CheckConstraint(f"kind <> 'relation' OR relation IN ({_RELATIONS})", name="relation_known"),
        CheckConstraint("(kind = 'proxy') = (scopes IS NOT NULL)", name="scopes_fit"),
        CheckConstraint(f"scopes <@ ARRAY[{_SCOPES}] AND cardinality(scopes) > 0", name="scopes_known"),
        CheckConstraint("length(asked_index) = 32", name="index_length"),
        CheckConstraint(
            "num_nulls(answered_at, answered_by, answered_by_name) = CASE status WHEN 'waiting' THEN 3 ELSE 0 END",
            name="answered_whole",
        ),
        CheckConstraint("told_of IN ('waiting', 'accepted')", name="told_of_known"),
        CheckConstraint("expires_at > proposed_at", name="expiry_order"),
        Index(
            "uq_family_proposal_waiting",
            *("kind", "proposer_id", "asked_index"),
            unique=True,
            postgresql_where="status = 'waiting'",
        ),
        Index("ix_family_proposal_proposer", "proposer_id", "id"),
        Index("ix_family_proposal_asked", "asked_index", "id"),
        Index(
            "ix_family_proposal_untold",
            "id",
            postgresql_where="status IN ('waiting', 'accepted') AND told_of IS DISTINCT FROM status",
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    proposer_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    asked_index: Mapped[bytes] = mapped_column(LargeBinary)
    asked_name: Mapped[str]
    relation: Mapped[str]
    scopes: Mapped[list[str] | None] = mapped_column(ARRAY(TEXT))
    evidence: Mapped[str | None]
    proposed_at: Mapped[datetime]
    proposed_by: Mapped[UUID]
    proposed_by_name: Mapped[str]
    expires_at: Mapped[datetime]
    told_of: Mapped[str | None]
    status: Mapped[str]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[UUID | None]
    answered_by_name: Mapped[str | None]


class FamilyRelation(Base):
    """亲属关系: two people who both consented; ``relation`` is what the relative is to the person.

    Kept once, the smaller id first, and seen from both sides. ``evidence`` is where paper lies and who signed it.
    """

    __tablename__ = "family_relation"
    __table_args__ = (
        CheckConstraint("person_id < relative_id", name="pair_ordered"),
        CheckConstraint(f"relation IN ({_RELATIONS})", name="relation_known"),
        CheckConstraint(
            f"person_consent IN ({_CONSENTS}) AND relative_consent IN ({_CONSENTS})", name="consents_known"
        ),
        CheckConstraint(
            "('paper' IN (person_consent, relative_consent)) = (evidence IS NOT NULL)", name="paper_has_evidence"
        ),
        CheckConstraint("num_nulls(ended_at, ended_by, ended_by_name) IN (0, 3)", name="ended_whole"),
        Index(
            "uq_family_relation_active", "person_id", "relative_id", unique=True, postgresql_where="ended_at IS NULL"
        ),
        Index("ix_family_relation_relative", "relative_id", postgresql_where="ended_at IS NULL"),
        UniqueConstraint("proposal_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    relative_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    relation: Mapped[str]
    person_consent: Mapped[str]
    relative_consent: Mapped[str]
    evidence: Mapped[str | None]
    proposal_id: Mapped[UUID | None] = mapped_column(ForeignKey("family_proposal.id"))
    registered_at: Mapped[datetime]
    registered_by: Mapped[UUID]
    registered_by_name: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_by_name: Mapped[str | None]


class Heir(Base):
    """继承人: the relative whom a person names to have the savings; at most one at a time.

    ``evidence`` is where the paper lies on which somebody without a phone named the heir.
    """

    __tablename__ = "family_heir"
    __table_args__ = (
        CheckConstraint("person_id <> heir_id", name="not_oneself"),
        CheckConstraint("num_nulls(ended_at, ended_by, ended_by_name) IN (0, 3)", name="ended_whole"),
        Index("uq_family_heir_active", "person_id", unique=True, postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    heir_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    evidence: Mapped[str | None]
    named_at: Mapped[datetime]
    named_by: Mapped[UUID]
    named_by_name: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_by_name: Mapped[str | None]
