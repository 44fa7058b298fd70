"""A district at lunch: canteens of all townships with their clerks at the counters, and diners with vouchers.

Vouchers are bought by the bank's own action, a diner's all at once. One that is scanned in its holder's own township
stays within one book; in any other it goes through the clearing accounts of two, of which there are twelve.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.auth.tokens import issue_token
from scripts.bench.people_scene import People, enrol_people, give_logins, open_savings
from scripts.bench.scene import SECRET, buy
from timebank import migrations
from timebank.core import clock, crypto
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.people.login_models import Login
from timebank.townships.models import Organisation
from timebank.townships.queries import townships

_SAVED_MINUTES = 60_000


@dataclass(frozen=True, slots=True)
class Counter:
    """A canteen's counter: whose login scans there, in which township."""

    login_id: UUID
    township_code: str


@dataclass(frozen=True, slots=True)
class Lunch:
    """Who scans, the codes of the vouchers by their holders' township, and the diners' logins."""

    counters: Sequence[Counter]
    codes: dict[str, Sequence[str]]
    logins: Sequence[UUID]


def open_lunch(url: str, *, counters: int, diners: int, each: int, tell: Callable[[str], None]) -> Lunch:
    """Migrate an empty database and fill it: so many counters and diners, and so many vouchers for each diner."""
    crypto.use_secret(SECRET)
    migrations.upgrade(url)
    bank = Database(url)
    try:
        with bank.unit_of_work() as session:
            codes = [township.code for township in townships(session)]
            at_work = _open_counters(session, codes, counters)
            people = enrol_people(session, codes, 0, diners, "elder")
            logins = give_logins(session, people)
            open_savings(session, people, _SAVED_MINUTES)
        tell(f"{diners:,} diners buy {diners * each:,} vouchers 购买用餐券")
        return Lunch(at_work, _buy(bank, people, each), logins)
    finally:
        bank.close()


def _open_counters(session: Session, codes: Sequence[str], counters: int) -> list[Counter]:
    at_work = [Counter(new_id(), codes[number % len(codes)]) for number in range(counters)]
    canteens, logins = [], []
    for number, counter in enumerate(at_work):
        where = {"township_code": counter.township_code, "id": new_id()}
        canteens.append({**where, "kind": "canteen", "name": f"第{number + 1}助餐点"})
        # Nobody signs in with a password here, so none is worth its making.
        way_in = {"username": f"clerk-{number}", "password_hash": "none", "display_name": "核销员"}
        role = {"staff_role": StaffRole.CANTEEN_CLERK, **where, "organisation_id": where["id"]}
        logins.append({**role, "id": counter.login_id, "created_at": clock.now(), **way_in})
    session.execute(insert(Organisation), canteens)
    session.execute(insert(Login), logins)
    return at_work


def _buy(bank: Database, people: People, each: int) -> dict[str, Sequence[str]]:
    bought: dict[str, list[str]] = {code: [] for code in people.townships}
    for person_id, code in zip(people.ids, people.townships, strict=True):
        bought[code] += buy(bank, Actor(new_id(), "周桂芬", person_id), each)
    # One diner after the other, not all the vouchers of one in a row.
    return {code: [one for turn in range(each) for one in of_town[turn::each]] for code, of_town in bought.items()}


class Scans:
    """The vouchers of a lunch, each handed out once, as requests ready to be sent."""

    def __init__(self, lunch: Lunch, port: int) -> None:
        self._lunch, self._port = lunch, port
        self._left = {code: deque(of_town) for code, of_town in lunch.codes.items()}
        self._tokens = [issue_token(counter.login_id) for counter in lunch.counters]

    def within(self, each: int) -> list[list[bytes]]:
        """For each counter so many scans of vouchers whose holders live in its township."""
        return [
            [self._scan(number, counter.township_code) for _ in range(each)]
            for number, counter in enumerate(self._lunch.counters)
        ]

    def across(self, each: int) -> list[list[bytes]]:
        """For each counter so many scans of vouchers from all the other townships, one after the other."""
        towns = list(self._left)
        scans = []
        for number, counter in enumerate(self._lunch.counters):
            at = towns.index(counter.township_code)
            others = [*towns[at + 1 :], *towns[:at]]
            scans.append([self._scan(number, others[turn % len(others)]) for turn in range(each)])
        return scans

    def _scan(self, number: int, township_code: str) -> bytes:
        body = json.dumps({"code": self._left[township_code].popleft(), "nonce": str(new_id())}).encode()
        token = self._tokens[number]
        head = (
            f"POST /api/v1/vouchers/redeem HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            f"Authorization: Bearer {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body
