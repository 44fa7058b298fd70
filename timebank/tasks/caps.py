"""Caps on what a volunteer may earn, in life and in a day, and the stars of honour. Pure.

What lies beyond a cap goes to the pool of the volunteer's home township; the honour of it stays with the volunteer.
Source: DOMAIN.md, practice elsewhere in China (Nanjing 1,500 h for life; Shanghai Changning 600 h, 2 h a day; stars).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from timebank.core.amounts import hours_text
from timebank.policies.rules import PolicyBook

LIFETIME, DAILY = "lifetime_cap_minutes", "daily_cap_minutes"


@dataclass(frozen=True, slots=True)
class Earning:
    """Minutes that one part of a task brings a volunteer, for a day of service."""

    part_id: UUID
    volunteer_id: UUID
    home: str
    day: date
    minutes: int


@dataclass(frozen=True, slots=True)
class Earned:
    """What was confirmed before: all of it as honour, and what of it was credited, in life and by day of service."""

    honour_minutes: int = 0
    credited_minutes: int = 0
    credited_by_day: Mapping[date, int] | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What becomes of one part's minutes; ``capped_by`` is the policy that sent some of them to the pool."""

    credited_minutes: int
    surplus_minutes: int = 0
    capped_by: str | None = None
    cap_minutes: int = 0

    @property
    def reason(self) -> str:
        """Why some of it went to the pool, in plain words; empty where nothing did."""
        if self.capped_by is None:
            return ""
        span = "一生" if self.capped_by == LIFETIME else "一天"
        return f"{span}最多记入{hours_text(self.cap_minutes)}"


def share_out(earnings: Sequence[Earning], before: Mapping[UUID, Earned], policies: PolicyBook) -> dict[UUID, Share]:
    """How each earning is shared between the volunteer and the pool, one after another in their order."""
    credited: dict[UUID, int] = {one: earned.credited_minutes for one, earned in before.items()}
    by_day: dict[tuple[UUID, date], int] = {
        (one, day): minutes for one, earned in before.items() for day, minutes in (earned.credited_by_day or {}).items()
    }
    shares: dict[UUID, Share] = {}
    for earning in earnings:
        who, that_day = earning.volunteer_id, (earning.volunteer_id, earning.day)
        had = {LIFETIME: credited.get(who, 0), DAILY: by_day.get(that_day, 0)}
        share = _share(earning.minutes, had, {key: policies.whole(key, earning.home) for key in (LIFETIME, DAILY)})
        credited[who] = had[LIFETIME] + share.credited_minutes
        by_day[that_day] = had[DAILY] + share.credited_minutes
        shares[earning.part_id] = share
    return shares


def _share(minutes: int, had: Mapping[str, int], caps: Mapping[str, int]) -> Share:
    room = {key: max(0, cap - had[key]) for key, cap in caps.items() if cap > 0}
    if not room or min(room.values()) >= minutes:
        return Share(minutes)
    # Of two that are equally near, the lifetime's is the one to name: it does not open again tomorrow.
    tightest = min(room, key=lambda key: (room[key], key != LIFETIME))
    return Share(room[tightest], minutes - room[tightest], tightest, caps[tightest])


def stars(honour_minutes: int, thresholds: Iterable[int]) -> int:
    """How many stars so much honour makes."""
    return sum(1 for threshold in thresholds if honour_minutes >= threshold)


def credit_said(note: str, minutes: int, share: Share) -> tuple[str, str]:
    """Title and body of what a volunteer is told when a service has been confirmed."""
    if minutes == 0:
        return "本次服务未计时长", f"{note}已确认，按实际情况没有可记入的时长。"
    if share.surplus_minutes == 0:
        return "时长已到账", f"{note}{hours_text(minutes)}已记入您的时间账户。"
    surplus = f"{hours_text(share.surplus_minutes)}转入公益时间池（{share.reason}），荣誉时长照计"
    if share.credited_minutes == 0:
        return "时长已转入公益时间池", f"{note}{hours_text(minutes)}已确认：{surplus}。"
    own = f"{hours_text(share.credited_minutes)}已记入您的时间账户"
    return "时长已到账", f"{note}{hours_text(minutes)}已确认：{own}，{surplus}。"
