"""Rules about people: names that match, ages that suffice, and how fast a password may be guessed."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import date, timedelta

from timebank.core.errors import Refused
from timebank.people.id_numbers import age_on
from timebank.people.widths import without_blanks

VOLUNTEER, ELDER = "volunteer", "elder"
ROLE_NAMES = {VOLUNTEER: "志愿者", ELDER: "老人"}

FREE_ATTEMPTS = 5
LONGEST_BLOCK = timedelta(minutes=15)


def tidy_name(name: str) -> str:
    """A name as it is compared and kept: full-width letters and every kind of blank evened out."""
    return without_blanks(unicodedata.normalize("NFKC", name)).replace("•", "·").replace("・", "·")


def same_name(one: str, other: str) -> bool:
    """Whether two spellings are the same name."""
    return tidy_name(one) == tidy_name(other)


def masked_name(name: str) -> str:
    """``王小明`` → ``王**``: enough to know whom to ask for, too little to know who it is."""
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


def may_be_helped(roles: Iterable[str], born_on: date, day: date, help_min_age: int) -> bool:
    """Enrolled as an elder by a steward, or old enough by policy."""
    return ELDER in roles or age_on(born_on, day) >= help_min_age


def block_after(failures: int) -> timedelta:
    """How long a staff name stays closed after so many failures in a row: nothing at first, then doubling."""
    over = failures - FREE_ATTEMPTS
    if over < 0:
        return timedelta()
    return min(LONGEST_BLOCK, timedelta(seconds=30 * 2 ** min(over, 10)))
