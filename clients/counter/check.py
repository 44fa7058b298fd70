"""A counter's own yes or no, without a line."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from clients.counter.bundle import Bundle
from clients.counter.signed_text import NotOurs, Text, read, short_hash

BEIJING = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Answer:
    """Whether the holder may eat, and why, in words for the clerk; ``code`` is the voucher's, where one was read."""

    good: bool
    reason: str
    sentence: str
    code: str | None = None


def check(text: str, bundle: Bundle, now: datetime, scanned: Collection[str]) -> Answer:
    """The answer to one scan; ``now`` is the bank's time as far as is known, ``scanned`` the codes let through here."""
    try:
        found = read(text)
        _must_be_ours(found, bundle)
    except NotOurs as no:
        return Answer(False, no.reason, no.sentence)
    reason, sentence = _judged(found, bundle, now, scanned)
    return Answer(reason == "ok", reason, sentence, found.code)


def _must_be_ours(found: Text, bundle: Bundle) -> None:
    if bundle.is_revoked(found.key_id):
        raise NotOurs("qr_key_revoked", "这种旧二维码断网时已不能用，请联网后输入券码")
    public_key = bundle.public_key(found.key_id)
    if public_key is None:
        raise NotOurs("qr_key_unknown", "本机还不认得这张券的签名，请联网更新名单")
    found.must_be_signed_by(public_key)


def _judged(found: Text, bundle: Bundle, now: datetime, scanned: Collection[str]) -> tuple[str, str]:
    at = now.astimezone(BEIJING)
    if found.code in scanned:
        return "already_scanned_here", "这张券在本机已经扫过"
    if short_hash(found.code) in bundle.ended:
        return "voucher_ended", "这张券已经用过、退过或作废"
    if found.expires_at <= now:
        return "voucher_expired", "这张券已过期"
    if found.only_township_code not in (None, bundle.township_code):
        return "voucher_other_township", "这张券只能在购券时所在的镇街使用"
    if at.isoweekday() not in found.weekdays:
        return "voucher_not_today", "这张券今天不能用"
    if not _at_a_meal(found, bundle, f"{at:%H:%M}"):
        return "voucher_not_this_meal", "这张券现在不能用"
    return "ok", "可以用餐（断网，先记下）"


def _at_a_meal(found: Text, bundle: Bundle, at: str) -> bool:
    """A voucher for every meal is good at any hour; one for some, while those are served."""
    if found.meals >= set(bundle.meal_periods):
        return True
    periods = (bundle.meal_periods[meal] for meal in found.meals if meal in bundle.meal_periods)
    return any(begins <= at < ends for begins, ends in periods)
