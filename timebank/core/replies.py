"""Replies kept 幂等应答: what a request with an idempotency key was answered, in the same transaction as its effect."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CursorResult, Index, LargeBinary, delete, false, select, tuple_, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from timebank.core import clock
from timebank.core.db import Base
from timebank.core.errors import Refused

KEPT_FOR = timedelta(days=30)


class KeptReply(Base):
    """The reply to one key of one login for one operation; empty while the request is still being worked on.

    ``kept_at`` is by the machine's clock, which decides how long it is kept; ``answered_at`` by the bank's.
    """

    __tablename__ = "kept_reply"
    __table_args__ = (
        Index("ix_kept_reply_kept_at", "kept_at"),
        Index("ix_kept_reply_refused", "login_id", "answered_at", "key", postgresql_where="refused"),
    )

    login_id: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    operation: Mapped[str]
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int | None]
    body: Mapped[Any | None] = mapped_column(JSONB)
    refused: Mapped[bool] = mapped_column(server_default=false())
    kept_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]


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


def keep_reply(session: Session, *, login_id: UUID, key: str, status: int, body: Any, refused: bool) -> None:
    """Write down what the claimed request is answered."""
    kept = update(KeptReply).where(KeptReply.login_id == login_id, KeptReply.key == key)
    written = session.execute(kept.values(status=status, body=body, refused=refused, answered_at=clock.now()))
    assert isinstance(written, CursorResult)
    if written.rowcount != 1:
        raise LookupError("the key was never claimed")


def refused_replies(
    session: Session, *, login_id: UUID, limit: int, before: tuple[datetime, str] | None = None
) -> list[KeptReply]:
    """What this login was refused, newest first, as long as replies are kept."""
    query = select(KeptReply).where(KeptReply.login_id == login_id, KeptReply.refused)
    if before is not None:
        query = query.where(tuple_(KeptReply.answered_at, KeptReply.key) < before)
    return list(session.scalars(query.order_by(KeptReply.answered_at.desc(), KeptReply.key.desc()).limit(limit)))


def refused_reply(session: Session, *, login_id: UUID, key: str) -> KeptReply | None:
    """The refusal that this login was answered under one key."""
    kept = session.get(KeptReply, (login_id, key))
    return kept if kept is not None and kept.refused else None


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
