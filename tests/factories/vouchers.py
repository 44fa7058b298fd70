"""Vouchers for tests: a holder with minutes, vouchers bought, scans at a counter."""

from __future__ import annotations

from itertools import count

from sqlalchemy.orm import Session

from tests.factories.minutes import save_minutes
from tests.factories.people import SHANGTIAN, add_person
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.people.actions.consent import Asked
from timebank.people.actions.family import accept_relation, propose_relation
from timebank.people.family_rules import Relation
from timebank.redemption.actions import ScanAnswer, buy_vouchers, redeem_vouchers
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan

_nonces = count(1)


def holder_with(session: Session, minutes: int, *, township_code: str = SHANGTIAN, age: int = 66) -> Actor:
    """Somebody old enough to redeem, with savings."""
    holder = add_person(session, township_code, age=age)
    save_minutes(session, holder, minutes)
    return holder


def bought(
    bank: Database, quantity: int = 1, *, township_code: str = SHANGTIAN, home_only: bool = False
) -> tuple[Actor, list[Voucher]]:
    """A holder whose minutes have all become vouchers."""
    with bank.unit_of_work() as session:
        holder = holder_with(session, 60 * quantity, township_code=township_code)
        return holder, buy_vouchers(session, actor=holder, quantity=quantity, home_only=home_only)


def scan(bank: Database, clerk: Actor, code: str, nonce: str | None = None) -> ScanAnswer:
    """One scan, under a fresh nonce if none is given."""
    with bank.unit_of_work() as session:
        return redeem_vouchers(session, actor=clerk, scans=[Scan(code, nonce or f"n{next(_nonces)}")])[0]


def make_relatives(session: Session, one: Actor, other: Actor, relation: Relation = Relation.SIBLING) -> None:
    """``other`` becomes the ``relation`` of ``one``, both agreeing on their phones."""
    asked = propose_relation(session, actor=one, asked=Asked(other.name, person_id=other.person()), relation=relation)
    accept_relation(session, actor=other, proposal_id=asked.id)
