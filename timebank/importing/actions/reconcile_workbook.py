"""Reconciling the workbook that a township handed in: read it, and match it with the books."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank.clearing.actions import TownshipList, reconcile, whose_list
from timebank.clearing.queries import HOUSE_NAME, find_window
from timebank.clearing.reconciliation_models import Reconciliation
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.importing.line_workbook import read_line_workbook
from timebank.importing.rules import Townships
from timebank.ledger.rules import HOUSE
from timebank.townships.queries import township_names


def reconcile_workbook(
    session: Session,
    *,
    actor: Actor,
    window_name: str,
    content: bytes,
    file_name: str,
    township_code: str | None = None,
) -> Reconciliation:
    """Match the list in an ``.xlsx`` file with the township's lines of a window (see ``clearing.actions.reconcile``).

    Nothing of the file is looked at before it is known that the actor may hand it in. Raises what ``reconcile`` and
    ``read_line_workbook`` raise.
    """
    find_window(session, window_name)
    code = whose_list(session, actor, township_code)
    named = [*township_names(session).items(), (HOUSE, HOUSE_NAME)]
    workbook = read_line_workbook(content, townships=Townships(named), today=clock.today())
    handed_in = TownshipList(file_name, workbook.sha256, workbook.lines, workbook.unreadable)
    return reconcile(session, actor=actor, window_name=window_name, handed_in=handed_in, township_code=code)
