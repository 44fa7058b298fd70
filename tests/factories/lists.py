"""Townships' own lists for tests: movements to be listed, workbooks of lists, lists handed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from uuid import UUID

import openpyxl
from sqlalchemy import select

from tests.factories.people import steward
from timebank.clearing.queries import BreakView, ReconciliationView, breaks, reconciliation_view
from timebank.clearing.reconciliation_models import Break
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.core.sorting import Part
from timebank.importing.actions import reconcile_workbook
from timebank.ledger.actions import ensure_accounts, post_one, township_accounts
from timebank.ledger.rules import AccountKind, Movement

HEADING = ["日期", "姓名", "对方镇街", "分钟"]


def credit(bank: Database, debtor: str, volunteer: Actor, minutes: int = 60, *, on: datetime | None = None) -> UUID:
    """Help that was given to somebody of ``debtor`` by a volunteer of another township; answers the first leg."""
    book = volunteer.township_code
    assert book is not None
    movement_id = new_id()
    with bank.unit_of_work() as session:
        savings = ensure_accounts(session, [(volunteer.person(), book)], AccountKind.SAVINGS)[volunteer.person()]
        issuance = township_accounts(session, [debtor], AccountKind.ISSUANCE)[debtor]
        at = on or clock.now()
        post_one(session, (Movement(movement_id, issuance, savings, minutes, "service_credit", at),))
    return movement_id


def workbook(rows: Sequence[Sequence[object]], heading: Sequence[str] = HEADING, sheet: str = "往来") -> bytes:
    """A list as an ``.xlsx`` file: a heading and rows."""
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    page.title = sheet
    for cells in (heading, *rows):
        page.append(list(cells))
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def hand_in(
    bank: Database,
    township_code: str,
    content: bytes,
    *,
    window: str = "2026-03",
    actor: Actor | None = None,
    file_name: str = "三月往来.xlsx",
) -> ReconciliationView:
    """A township's steward (or somebody else for it) hands its list in."""
    with bank.unit_of_work() as session:
        made = reconcile_workbook(
            session,
            actor=actor or steward(township_code),
            window_name=window,
            content=content,
            file_name=file_name,
            township_code=township_code,
        )
        return reconciliation_view(session, made)


def breaks_seen_by(bank: Database, actor: Actor, *, open_only: bool = True) -> list[BreakView]:
    """Every break that the actor may see, in the order of the lists."""
    with bank.session() as session:
        return list(breaks(session, actor, open_only=open_only, part=Part(1000)).items)


def kept_break(bank: Database, break_id: UUID) -> Break:
    """The row of a break."""
    with bank.session() as session:
        return session.scalars(select(Break).where(Break.id == break_id)).one()
