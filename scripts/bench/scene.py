"""The bank that is measured: its people, canteens and vouchers, all made by the bank's own actions."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from itertools import count
from uuid import UUID

from sqlalchemy.orm import Session

from timebank import migrations
from timebank.core import clock, crypto
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions import ensure_accounts, post_one, township_accounts
from timebank.ledger.rules import AccountKind, Movement
from timebank.people import id_numbers
from timebank.people.actions import Enrolment, enrol
from timebank.redemption.actions import buy_vouchers
from timebank.townships.models import Organisation
from timebank.townships.queries import townships

SECRET = secrets.token_urlsafe(32)
VOLUNTEERS_A_TOWNSHIP = 5
_AT_A_TIME = 100
_SAVINGS_MINUTES = 60_000_000

_serial = count()


@dataclass(frozen=True, slots=True)
class Till:
    """A client's counter: its clerk, who eats there, and the codes of the vouchers to be scanned."""

    clerk: Actor
    holder: Actor
    codes: list[str]


def open_bank(url: str, *, clients: int, vouchers: int) -> list[Till]:
    """Migrate an empty database, enrol volunteers, and open a till for each client with so many vouchers.

    The people of each client's township eat in the next one, so that no township comes to owe much.
    """
    crypto.use_secret(SECRET)
    migrations.upgrade(url)
    bank = Database(url)
    try:
        with bank.unit_of_work() as session:
            codes = [township.code for township in townships(session)]
            for code in codes:
                volunteers = [(_enrol(session, code, 1990), code) for _ in range(VOLUNTEERS_A_TOWNSHIP)]
                ensure_accounts(session, volunteers, AccountKind.SAVINGS)
        return [
            _open_till(bank, codes[number % len(codes)], codes[(number + 1) % min(clients, len(codes))], vouchers)
            for number in range(clients)
        ]
    finally:
        bank.close()


def buy(bank: Database, holder: Actor, quantity: int = _AT_A_TIME) -> list[str]:
    """The codes of so many new vouchers."""
    with bank.unit_of_work() as session:
        return [voucher.code for voucher in buy_vouchers(session, actor=holder, quantity=quantity)]


def _open_till(bank: Database, home: str, township_code: str, vouchers: int) -> Till:
    with bank.unit_of_work() as session:
        person_id = _enrol(session, home, 1940)
        holder = Actor(new_id(), "王梅", person_id)
        savings = ensure_accounts(session, [(person_id, home)], AccountKind.SAVINGS)[person_id]
        issuance = township_accounts(session, [home], AccountKind.ISSUANCE)[home]
        post_one(session, (Movement(new_id(), issuance, savings, _SAVINGS_MINUTES, "opening", clock.now()),))
        canteen = Organisation(id=new_id(), kind="canteen", name=f"{township_code}食堂", township_code=township_code)
        session.add(canteen)
    clerk = Actor(new_id(), "核销员", None, StaffRole.CANTEEN_CLERK, township_code, canteen.id)
    quantities = [min(_AT_A_TIME, vouchers - done) for done in range(0, vouchers, _AT_A_TIME)]
    return Till(clerk, holder, [code for quantity in quantities for code in buy(bank, holder, quantity)])


def _enrol(session: Session, township_code: str, born_in: int) -> UUID:
    number = next(_serial)
    body = f"330224{date(born_in, 1 + number // 28 % 12, 1 + number % 28):%Y%m%d}{number // 336:03}"
    form = Enrolment("王梅", body + id_numbers.check_character(body), township_code, None, ("volunteer", "elder"))
    office = Actor(new_id(), "区民政局", None, StaffRole.DISTRICT_STEWARD)
    return enrol(session, actor=office, form=form).id
