"""What a change of policy must satisfy, and the policies in force at one moment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from timebank.core.errors import Refused
from timebank.policies.definitions import DEFINITIONS


def check_value(key: str, value: Any, township_code: str | None = None) -> None:
    """Raises Refused ``policy_unknown``, ``policy_value_invalid``; for a township's own ``policy_district_only``."""
    definition = DEFINITIONS.get(key)
    if definition is None:
        raise Refused("policy_unknown", "没有这项办法", key=key)
    if not definition.accepts(value):
        raise Refused("policy_value_invalid", f"“{definition.label}”的取值不合理", key=key)
    if definition.district_only and township_code is not None:
        raise Refused("policy_district_only", f"“{definition.label}”全区一致，不能由镇街另定", key=key)
    if definition.check is not None:
        definition.check(value)


def check_rates(rates: Mapping[str, int], in_force: Mapping[str, int], *, partly: bool) -> None:
    """Rates name kinds of service that have one already: some of them (``partly``, a township), else every one.

    Raises Refused ``policy_value_invalid``, with the kinds that are missing or unknown.
    """
    missing = set() if partly else set(in_force) - set(rates)
    unknown = set(rates) - set(in_force)
    if missing or unknown:
        kinds = sorted(missing | unknown)
        raise Refused("policy_value_invalid", "各类服务的折算比例须与现有服务类型一致", service_types=kinds)


def check_effective(effective_at: datetime, now: datetime) -> None:
    """A change is scheduled and never rewrites history. Raises Refused ``policy_in_the_past``."""
    if effective_at < now:
        raise Refused("policy_in_the_past", "办法只能从将来生效，不能改写历史", effective_at=effective_at)


class PolicyBook:
    """The policies in force at one moment: district default, township override.

    ``version`` is the number of the newest change in force; a transfer records it.
    """

    def __init__(self, version: int, values: Mapping[tuple[str, str | None], Any]) -> None:
        self.version = version
        self._values = values

    def value(self, key: str, township_code: str | None = None) -> Any:
        """The township's own value where it has one, else the district's. KeyError for an unknown key."""
        own = self._values.get((key, township_code))
        return self._values[key, None] if own is None else own

    def township_values(self, key: str) -> dict[str, Any]:
        """The townships that have a value of their own, with it."""
        return {code: value for (name, code), value in self._values.items() if name == key and code is not None}

    def whole(self, key: str, township_code: str | None = None) -> int:
        """A policy that is one whole number, in the unit its definition names."""
        return int(self.value(key, township_code))

    def rate_percent(self, service_type: str, township_code: str | None = None) -> int:
        """Minutes credited for 100 minutes of this kind of service; a township may differ in some kinds only."""
        own = self._values.get(("service_rates_percent", township_code), {})
        return int(own.get(service_type) or self._values["service_rates_percent", None][service_type])

    def payment_order(self, township_code: str | None = None) -> tuple[str, ...]:
        """Who pays first for a volunteer's hour; see ``PAYERS``."""
        return tuple(self.value("payment_order", township_code))


def check_limits(wanted: Mapping[tuple[str, str | None], Any], now: PolicyBook) -> None:
    """A township's soft limit is reached before its hard one. Raises Refused ``policy_value_invalid``."""
    soft, hard = "position_soft_limit_minutes", "position_hard_limit_minutes"
    for code in {code for key, code in wanted if key in (soft, hard)}:
        values = [wanted.get((key, code), now.whole(key, code)) for key in (soft, hard)]
        if values[0] > values[1]:
            raise Refused("policy_value_invalid", "软限额不能高于硬限额", key=soft, township_code=code)
