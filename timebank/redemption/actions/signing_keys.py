"""Signing keys 签名密钥: made ahead of their first day by a job, revoked by the district when one got out."""

from __future__ import annotations

import os
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Conflict, NotFound, Refused
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.redemption.offline_models import SigningKey
from timebank.redemption.signing import PrivateKey

_KEYS_LOCK = 0x7B008
"""Advisory lock taken alone by whoever makes or revokes a key."""


def signing_keys_due(session: Session) -> list[None]:
    """One item where a key is to be made: none signs, or the last one's successor is to be published."""
    policies = in_force(session, at=clock.now())
    ahead = timedelta(days=policies.whole("signing_key_ahead_days"))
    covered_until = session.scalar(select(func.max(SigningKey.signs_until)).where(SigningKey.revoked_at.is_(None)))
    return [None] if covered_until is None or covered_until - ahead <= clock.now() else []


def make_signing_key(session: Session) -> SigningKey | None:
    """Make the next key, if one is due; it signs from where the last one ends, or from now on if none does.

    Counters learn of it with their next download and know it before it signs anything.
    """
    session.execute(select(func.pg_advisory_xact_lock(_KEYS_LOCK)))
    if not signing_keys_due(session):
        return None
    now = clock.now()
    newest = session.scalar(select(func.max(SigningKey.id)))
    covered_until = session.scalar(select(func.max(SigningKey.signs_until)).where(SigningKey.revoked_at.is_(None)))
    begins = max(now, covered_until or now)
    secret = os.urandom(32)
    number = (newest or 0) + 1
    key = SigningKey(
        id=number,
        public_key=PrivateKey(number, secret).public,
        private_key=secret.hex(),
        made_at=now,
        signs_from=begins,
        signs_until=begins + timedelta(days=in_force(session, at=now).whole("signing_key_days")),
    )
    session.add(key)
    session.flush()
    return key


def revoke_signing_key(session: Session, *, actor: Actor, key_id: int, reason: str) -> SigningKey:
    """Let nobody trust a key any more; what it has signed is then good with its plain code only.

    Where no other key signs today, its successor begins early, or a new one is made at once. Raises NotAllowed
    ``district_only``; NotFound ``signing_key_unknown``; Conflict ``signing_key_revoked``; Refused ``reason_needed``.
    """
    actor.must_be_district()
    reason = reason.strip()
    if not reason:
        raise Refused("reason_needed", "请写明原因", field="reason")
    session.execute(select(func.pg_advisory_xact_lock(_KEYS_LOCK)))
    key = session.get(SigningKey, key_id, with_for_update=True, populate_existing=True)
    if key is None:
        raise NotFound("signing_key_unknown", "没有这个签名密钥", key_id=key_id)
    if key.revoked_at is not None:
        raise Conflict("signing_key_revoked", "这个签名密钥已经停用", key_id=key_id, revoked_at=key.revoked_at)
    key.revoked_at, key.revoked_by, key.revoked_by_name = clock.now(), actor.login_id, actor.name
    key.revoke_reason = reason
    session.flush()
    make_signing_key(session)
    note_down(session, actor=actor, action="signing_key_revoked", subject=("signing_key", key_id), reason=reason)
    body = f"第{key_id}号签名密钥已停用：{reason}。请各助餐点联网更新名单；断网时旧二维码不再有效，联网后可输入券码。"
    notify_stewards(session, township_code=None, title="用餐券签名密钥停用", body=body)
    return key
