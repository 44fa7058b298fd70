"""People by the thousand, enrolled set by set, with logins, and minutes that the ledger's own ``post`` gave them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from scripts.bench.rush_scene import person_row
from timebank.core import clock
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, post, township_accounts
from timebank.ledger.rules import AccountKind, Movement
from timebank.people.login_models import Login
from timebank.people.models import Person, PersonRole

AT_A_TIME = 2000


@dataclass(frozen=True, slots=True)
class People:
    """Who they are and where they live, in the same order."""

    ids: Sequence[UUID]
    townships: Sequence[str]

    def by_parts(self) -> Iterator[list[tuple[UUID, str]]]:
        """Everybody with the township, some at a time."""
        homes = list(zip(self.ids, self.townships, strict=True))
        for first in range(0, len(homes), AT_A_TIME):
            yield homes[first : first + AT_A_TIME]


def enrol_people(session: Session, codes: Sequence[str], first: int, count: int, role: str) -> People:
    """So many people, one of each township after the other; ``first`` is how many there were before them."""
    people = People([new_id() for _ in range(count)], [codes[number % len(codes)] for number in range(count)])
    homes = zip(people.ids, people.townships, strict=True)
    session.execute(insert(Person), [person_row(one, first + number, code) for number, (one, code) in enumerate(homes)])
    roles = [{"person_id": one, "role": role, "since": clock.now()} for one in people.ids]
    session.execute(insert(PersonRole), roles)
    return people


def give_logins(session: Session, people: People) -> list[UUID]:
    """A WeChat login for each, in the same order."""
    logins = [new_id() for _ in people.ids]
    rows = [
        {"id": login, "openid": f"openid-{one}", "person_id": one, "display_name": "周桂芬", "created_at": clock.now()}
        for login, one in zip(logins, people.ids, strict=True)
    ]
    session.execute(insert(Login), rows)
    return logins


def open_savings(session: Session, people: People, minutes: int) -> dict[UUID, int]:
    """A savings account for each with so many minutes in it; the accounts by person."""
    accounts: dict[UUID, int] = {}
    issuance = township_accounts(session, set(people.townships), AccountKind.ISSUANCE)
    for some in people.by_parts():
        accounts |= ensure_accounts(session, some, AccountKind.SAVINGS)
        postings = [
            (Movement(new_id(), issuance[code], accounts[one], minutes, "opening", clock.now()),) for one, code in some
        ]
        for refusal in post(session, postings):
            if isinstance(refusal, BankError):
                raise refusal
    return accounts
