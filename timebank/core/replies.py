"""Replies kept 幂等应答: what a request with an idempotency key was answered, in the same transaction as its effect."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Index, LargeBinary, delete, select
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from timebank.core import clock
from timebank.core.db import Base
from timebank.core.errors import Refused

KEPT_FOR = timedelta(days=30)


class KeptReply(Base):
    """The reply to one key of one login for one operation; empty while the request is still being worked on."""

    __tablename__ = "kept_reply"
    __table_args__ = (Index("ix_kept_reply_kept_at", "kept_at"),)

    login_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    operation: Mapped[str]
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    body: Mapped[Any | None] = mapped_column(JSONB)
    kept_at: Mapped[datetime]


def claim_key(session: Session, *, login_id: UUID, key: str, operation: str, request_hash: bytes) -> KeptReply | None:
    """Claim a key for a request about to be done; the earlier reply where the same request was done before.

    A request under the same key that is under way in another process is waited for. Raises Refused
    ``idempotency_key_reused`` where the key belongs to another request.
    """
    row = {
        "login_id": login_id,
        "key": key,
        "operation": operation,
        "request_hash": request_hash,
        "kept_at": clock.machine_now(),
    }
    claimed = insert(KeptReply).values(row).on_conflict_do_nothing().returning(KeptReply.key)
    if session.scalar(claimed) is not None:
        return None
    kept = session.scalars(select(KeptReply).where(KeptReply.login_id == login_id, KeptReply.key == key)).one()
    if kept.request_hash != request_hash or kept.operation != operation:
        raise Refused("idempotency_key_reused", "同一幂等键不能用于另一个请求")
    return kept


def keep_reply(session: Session, *, login_id: UUID, key: str, status: int, body: Any) -> None:
    """Write down what the claimed request is answered."""
    kept = session.get_one(KeptReply, (login_id, key))
    kept.status, kept.body = status, body
    session.flush()


def forget_old_replies(session: Session, *, limit: int) -> int:
    """Remove replies older than ``KEPT_FOR``; answers how many."""
    old = (
        select(KeptReply.login_id, KeptReply.key)
        .where(KeptReply.kept_at < clock.machine_now() - KEPT_FOR)
        .limit(limit)
        .with_for_update(skip_locked=True)
        .subquery()
    )
    removed = session.execute(delete(KeptReply).where(KeptReply.login_id == old.c.login_id, KeptReply.key == old.c.key))
    assert isinstance(removed, CursorResult)
    return removed.rowcount
