"""From when somebody may spend what was earned: the age for oneself, and the time or hours to wait. Pure.

Source: DOMAIN.md, practice elsewhere in China (Beijing 60; Shanghai 65, or 60 in hardship; Hongkou 100 h or one year).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from timebank.core.amounts import hours_text
from timebank.core.errors import Refused
from timebank.policies.rules import PolicyBook


@dataclass(frozen=True, slots=True)
class Served:
    """What somebody has earned in life, in minutes, and the day of the first credit."""

    minutes: int = 0
    since: date | None = None


@dataclass(frozen=True, slots=True)
class Vesting:
    """What has to be earned, or how long ago the first credit must lie; 0 asks for nothing, either suffices."""

    min_minutes: int
    min_days: int

    @classmethod
    def of(cls, policies: PolicyBook, township_code: str) -> Vesting:
        """The policies of a township."""
        minutes = policies.whole("vesting_min_minutes", township_code)
        return cls(minutes, policies.whole("vesting_min_days", township_code))

    def is_met(self, served: Served, today: date) -> bool:
        """Whether savings may be spent; minutes that were a gift to somebody who never served wait for nothing."""
        if (self.min_minutes == 0 and self.min_days == 0) or served.since is None:
            return True
        enough = self.min_minutes > 0 and served.minutes >= self.min_minutes
        return enough or (self.min_days > 0 and today - served.since >= timedelta(days=self.min_days))

    def refusal(self, served: Served, *, available: int, needed: int) -> Refused:
        """Why savings may not be spent yet, in words and as facts."""
        ways = []
        if self.min_minutes:
            ways.append(f"累计服务满{hours_text(self.min_minutes)}")
        if self.min_days:
            ways.append(f"首次服务满{self.min_days}天")
        return Refused(
            "not_vested_yet",
            f"储蓄时长须{'或'.join(ways)}后才能为本人兑换",
            served_minutes=served.minutes,
            needed_served_minutes=self.min_minutes,
            first_credited_on=served.since,
            needed_days=self.min_days,
            available_minutes=available,
            needed_minutes=needed,
        )


def redeeming_age(policies: PolicyBook, township_code: str, circumstances: Iterable[str]) -> int:
    """From what age, in years, somebody in these circumstances may redeem for oneself."""
    usual = policies.whole("redeem_min_age", township_code)
    if set(circumstances) & set(policies.value("hardship_circumstances", township_code)):
        return min(usual, policies.whole("redeem_min_age_hardship", township_code))
    return usual
