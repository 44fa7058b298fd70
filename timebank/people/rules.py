"""Rules about people: names that match, ages that suffice, and how fast a password may be guessed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import StrEnum

from timebank.core.clock import local_date
from timebank.core.errors import BankError, Conflict, NotAllowed, Refused
from timebank.people.id_numbers import age_on
from timebank.people.widths import without_blanks

VOLUNTEER, ELDER, DINER = "volunteer", "elder", "diner"
ROLE_NAMES = {VOLUNTEER: "志愿者", ELDER: "老人", DINER: "用餐对象"}


class ProxyScope(StrEnum):
    """What an elder may let a proxy do 代办范围."""

    MEALS = "meals"
    HELP = "help"
    CARE = "care"
    AIDS = "aids"
    GIFTS = "gifts"


SCOPE_NAMES = {
    ProxyScope.MEALS: "用餐",
    ProxyScope.HELP: "求助",
    ProxyScope.CARE: "居家养老预约",
    ProxyScope.AIDS: "康复辅具",
    ProxyScope.GIFTS: "赠与",
}

USUAL_SCOPES = (ProxyScope.MEALS, ProxyScope.HELP, ProxyScope.CARE, ProxyScope.AIDS)
"""What a proxy does day by day; giving minutes away is consented to by name."""

FREE_ATTEMPTS = 5
LONGEST_BLOCK = timedelta(minutes=15)


def tidy_name(name: str) -> str:
    """A name as it is compared and kept: full-width letters and every kind of blank evened out."""
    return without_blanks(unicodedata.normalize("NFKC", name)).replace("•", "·").replace("・", "·")


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are the same name."""
    return tidy_name(one) == tidy_name(other)


def masked_name(name: str) -> str:
    """``王小明`` → ``王**``: enough to know whom to ask for, too little to know who it is.

    Where one acts for another, both are masked: ``周小敏（代周桂芬）`` → ``周**（代周**）``.
    """
    actor, acting, holder = name.partition("（代")
    if acting:
        return f"{masked_name(actor)}{acting}{masked_name(holder.removesuffix('）'))}）"
    return name[:1] + "*" * max(1, len(name) - 1)


def roles_by_age(age: int, *, volunteer_min_age: int, help_min_age: int) -> list[str]:
    """What somebody who registers on the phone may be; ages in years, from policy."""
    roles = [VOLUNTEER] if age >= volunteer_min_age else []
    return [*roles, ELDER] if age >= help_min_age else roles


def must_be_of_age(born_on: date, day: date, min_age: int, *, code: str, title: str) -> None:
    """Raises Refused ``code`` with the age needed and the age had, in years."""
    age = age_on(born_on, day)
    if age < min_age:
        raise Refused(code, title, min_age=min_age, age=age)


def must_be_in_scope(allowed: Iterable[str], scope: ProxyScope) -> None:
    """A proxy acts within what was consented. Raises NotAllowed ``proxy_scope_missing``."""
    if scope not in allowed:
        raise NotAllowed("proxy_scope_missing", f"老人没有委托您代办{SCOPE_NAMES[scope]}", scope=str(scope))


def person_left(name: str) -> BankError:
    """The refusal of anything new for somebody who has left or died."""
    return Conflict("person_left", f"{name}已办理退出，不能再办理")


def person_frozen(name: str) -> BankError:
    """The refusal of anything new for somebody whose death has been reported and is being looked into."""
    return Conflict("person_frozen", f"{name}已被上报身故，核实期间暂停办理")


def must_have_been_here(name: str, at: datetime, *, left_at: datetime | None, died_on: date | None) -> None:
    """Nobody serves or is served after leaving, or after the day on which they died; ``at`` is when that began.

    Raises Conflict ``person_left``; Refused ``after_death``.
    """
    gone = left_at is not None and at >= left_at
    if died_on is None:
        if gone:
            raise person_left(name)
    elif gone or local_date(at) > died_on:
        raise Refused("after_death", f"{name}已于{died_on:%Y年%m月%d日}身故，不能补录此后的服务", died_on=died_on)


def may_be_helped(roles: Iterable[str], born_on: date, day: date, help_min_age: int) -> bool:
    """Enrolled as an elder by a steward, or old enough by policy."""
    return ELDER in roles or age_on(born_on, day) >= help_min_age


def block_after(failures: int) -> timedelta:
    """How long a staff name stays closed after so many failures in a row: nothing at first, then doubling."""
    over = failures - FREE_ATTEMPTS
    if over < 0:
        return timedelta()
    return min(LONGEST_BLOCK, timedelta(seconds=30 * 2 ** min(over, 10)))
