"""Tickets into the web view: good once, for a minute, for the login that asked, and kept by nobody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from tests.factories.people import XIWU, add_elder
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.people.actions import end_all_web_sessions, issue_web_ticket, spend_web_ticket
from timebank.people.login_models import Login, WebTicket


@pytest.fixture
def elder(bank: Database) -> Actor:
    with bank.unit_of_work() as session:
        return add_elder(session, XIWU)


def _issued(bank: Database, actor: Actor) -> str:
    with bank.unit_of_work() as session:
        return issue_web_ticket(session, actor=actor).ticket


def _spend(bank: Database, ticket: str, signed_in_as: UUID | None = None) -> UUID | str:
    """Whose ticket it was, or the code of the refusal."""
    try:
        with bank.unit_of_work() as session:
            return spend_web_ticket(session, ticket=ticket, signed_in_as=signed_in_as)
    except BankError as refusal:
        return refusal.code


def _ticket(bank: Database, **changed: object) -> WebTicket:
    with bank.unit_of_work() as session:
        one = session.scalars(select(WebTicket)).one()
        for name, value in changed.items():
            setattr(one, name, value)
        return one


def test_a_ticket_lets_its_login_in_once_and_lies_nowhere(bank: Database, elder: Actor) -> None:
    ticket = _issued(bank, elder)
    kept = _ticket(bank)
    assert ticket.encode() not in kept.digest
    assert (len(ticket), kept.expires_at - kept.issued_at) == (43, timedelta(seconds=60))
    assert _spend(bank, ticket) == elder.login_id
    assert _spend(bank, ticket) == "web_ticket_spent"


@pytest.mark.parametrize("ticket", ["", "x" * 43, "一", "a" * 100_000])
def test_what_was_never_issued_lets_nobody_in(bank: Database, elder: Actor, ticket: str) -> None:
    _issued(bank, elder)
    assert _spend(bank, ticket) == "web_ticket_spent"
    assert _ticket(bank).spent_at is None


def test_a_ticket_is_too_old_after_a_minute_by_the_machines_clock(bank: Database, elder: Actor) -> None:
    ticket, now = _issued(bank, elder), clock.machine_now()
    _ticket(bank, issued_at=now - timedelta(seconds=60), expires_at=now)
    assert _spend(bank, ticket) == "web_ticket_spent"


def test_of_several_at_once_only_one_comes_in(bank: Database, elder: Actor) -> None:
    ticket, ready = _issued(bank, elder), Barrier(4)

    def come(_: int) -> UUID | str:
        ready.wait()
        return _spend(bank, ticket)

    with ThreadPoolExecutor(4) as phones:
        found = list(phones.map(come, range(4)))
    assert sorted(map(str, found)) == sorted([str(elder.login_id), *["web_ticket_spent"] * 3])


def test_nobody_comes_in_as_a_login_that_was_closed_or_signed_out_everywhere(bank: Database, elder: Actor) -> None:
    closed, signed_out = _issued(bank, elder), _issued(bank, elder)
    assert elder.login_id is not None
    with bank.unit_of_work() as session:
        end_all_web_sessions(session, login_id=elder.login_id)
    assert _spend(bank, signed_out) == "web_ticket_spent"
    closed = _issued(bank, elder)
    with bank.unit_of_work() as session:
        session.get_one(Login, elder.login_id).disabled_at = clock.now()
    assert _spend(bank, closed) == "web_ticket_spent"


def test_a_browser_of_somebody_else_stays_theirs_and_the_ticket_stays_good(bank: Database, elder: Actor) -> None:
    ticket = _issued(bank, elder)
    assert _spend(bank, ticket, signed_in_as=uuid4()) == "web_ticket_of_another"
    assert _ticket(bank).spent_at is None
    assert _spend(bank, ticket, signed_in_as=elder.login_id) == elder.login_id
