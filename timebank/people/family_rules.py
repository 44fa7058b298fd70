"""Rules about family 亲属 and consent 同意: words for relations, and what may become of a proposal. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from timebank.core.errors import BankError, Conflict


class Relation(StrEnum):
    """What somebody is to somebody else; ``child`` is read "is my child"."""

    SPOUSE = "spouse"
    PARENT = "parent"
    CHILD = "child"
    GRANDPARENT = "grandparent"
    GRANDCHILD = "grandchild"
    SIBLING = "sibling"
    PARENT_IN_LAW = "parent_in_law"
    CHILD_IN_LAW = "child_in_law"
    OTHER = "other"


RELATION_NAMES = {
    Relation.SPOUSE: "配偶",
    Relation.PARENT: "父母",
    Relation.CHILD: "子女",
    Relation.GRANDPARENT: "祖父母、外祖父母",
    Relation.GRANDCHILD: "孙子女、外孙子女",
    Relation.SIBLING: "兄弟姐妹",
    Relation.PARENT_IN_LAW: "公婆、岳父母",
    Relation.CHILD_IN_LAW: "儿媳、女婿",
    Relation.OTHER: "其他亲属",
}

_INVERSE = {
    Relation.PARENT: Relation.CHILD,
    Relation.GRANDPARENT: Relation.GRANDCHILD,
    Relation.PARENT_IN_LAW: Relation.CHILD_IN_LAW,
}
_INVERSE |= {there: here for here, there in _INVERSE.items()}


def inverse(relation: Relation) -> Relation:
    """The same relation seen from the other side: whose parent I am, is my child."""
    return _INVERSE.get(relation, relation)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two people in the one order in which their relation is kept; ``relation`` is what the second is to the first."""

    person_id: UUID
    relative_id: UUID
    relation: Relation

    @classmethod
    def of(cls, one: UUID, other: UUID, relation: Relation) -> Pair:
        """The pair in which ``other`` is ``relation`` to ``one``."""
        return cls(one, other, relation) if one < other else cls(other, one, inverse(relation))


class Consent(StrEnum):
    """How somebody agreed: on the phone, or on paper before a steward."""

    PHONE = "phone"
    PAPER = "paper"


CONSENT_NAMES = {Consent.PHONE: "手机确认", Consent.PAPER: "纸质同意书"}


class ProposalKind(StrEnum):
    """What somebody is asked to agree to: to be registered as a relative, or to act as a proxy."""

    RELATION = "relation"
    PROXY = "proxy"


class ProposalStatus(StrEnum):
    """Where a proposal stands; whoever made it never learns of a refusal, it only lapses."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


EXPIRED = "expired"
"""How a proposal is shown that nobody answered in time; nothing is written for it."""

PROPOSAL_STATUS_NAMES = {
    str(ProposalStatus.WAITING): "待对方确认",
    str(ProposalStatus.ACCEPTED): "已确认",
    str(ProposalStatus.DECLINED): "已谢绝",
    str(ProposalStatus.WITHDRAWN): "已撤回",
    EXPIRED: "已过期",
}


def must_be_waiting(status: str, expires_at: datetime, now: datetime) -> None:
    """Whether a proposal can still be answered. Raises Conflict ``proposal_ended``, ``proposal_expired``."""
    if status != ProposalStatus.WAITING:
        raise proposal_ended(status)
    if expires_at <= now:
        raise Conflict("proposal_expired", "这份请求已过期，请对方重新提出", expires_at=expires_at)


def proposal_ended(status: str) -> BankError:
    """The refusal of answering or withdrawing what has been answered or withdrawn."""
    return Conflict("proposal_ended", f"这份请求{PROPOSAL_STATUS_NAMES[status]}，不能再办理", status=status)


def shown_status(status: str, expires_at: datetime, now: datetime, *, to_proposer: bool) -> str:
    """How a proposal is shown: to whoever made it, one that was declined looks like one that nobody answers.

    So nobody learns from an answer whether an identity number belongs to somebody who is enrolled.
    """
    if to_proposer and status == ProposalStatus.DECLINED:
        status = ProposalStatus.WAITING
    return EXPIRED if status == ProposalStatus.WAITING and expires_at <= now else str(status)
