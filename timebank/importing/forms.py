"""The empty workbooks that offices fill in 空白表, with the headings that an import looks for."""

from __future__ import annotations

from typing import BinaryIO

import xlsxwriter
from sqlalchemy.orm import Session

from timebank.core.actors import Actor, StaffRole
from timebank.importing.actions.import_menu import words_known
from timebank.importing.diner_workbook import diner_form
from timebank.importing.headings import COLUMNS, ELDERS, RECORDS, VOLUNTEERS
from timebank.importing.import_rules import ImportKind, imports_not_yours
from timebank.importing.menu_workbook import write_menu_template

_WIDE = {"id_number": 22, "volunteer_id_number": 22, "elder_id_number": 22, "circumstances": 22}
_NOT_ASKED = ("number", "start", "end")
"""Columns that are understood where an office has them, and that nobody has to fill in."""


def write_form(session: Session, file: BinaryIO, *, actor: Actor, kind: ImportKind) -> None:
    """Write the empty workbook of a kind to ``file``. Raises NotAllowed ``imports_not_yours``."""
    if not (actor.is_steward or actor.staff_role in (StaffRole.AUDITOR, StaffRole.CANTEEN_CLERK)):
        raise imports_not_yours()
    match kind:
        case ImportKind.PEOPLE:
            _write_people_form(file)
        case ImportKind.DINERS:
            file.write(diner_form())
        case ImportKind.MENU:
            write_menu_template(file, words=words_known(session, None))


def _write_people_form(file: BinaryIO) -> None:
    """Every column in its order; all cells are text, so that no digit of a number is lost."""
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        heading = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "text_wrap": True})
        text = book.add_format({"num_format": "@"})
        for name in (VOLUNTEERS, ELDERS, RECORDS):
            page = book.add_worksheet(name)
            for place, column in enumerate(one for one in COLUMNS[name] if one.field not in _NOT_ASKED):
                page.set_column(place, place, _WIDE.get(column.field, 14), text)
                page.write_string(0, place, column.label, heading)
            page.freeze_panes(1, 0)
