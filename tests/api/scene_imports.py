"""A workbook that waits at the desk of 西坞, handed in by a colleague."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from uuid import UUID

import xlsxwriter
from sqlalchemy.orm import Session

from tests.factories.people import XIWU, steward
from tests.factories.workbooks import PLAIN_ROWS
from timebank.importing.actions.office_imports import Upload, prepare_import
from timebank.importing.import_rules import ImportKind

HEADING, RECORD = PLAIN_ROWS["服务记录"]
OF_XIWU: dict[str, list[list[object]]] = {
    "志愿者名册": [
        ["姓名", "身份证号", "所属镇街"],
        ["竺梅", "330224196509023578", "西坞街道"],
        ["无号", "330224196509023579", "西坞街道"],
        ["外乡", "330224195207032431", "大堰镇"],
    ],
    "服务记录": [HEADING, RECORD, ["2026.10.10", "330224196509023578", "1", "送餐", "09:00～10:00"]],
}
"""A volunteer and an elder of 西坞 with 90 minutes of help, a wrong number, one of 大堰, and an elder nobody knows."""


def workbook_bytes(rows: dict[str, list[list[object]]] | None = None) -> bytes:
    """An office's workbook, as a browser sends it; the same rows always make the same file."""
    file = BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        book.set_properties({"created": datetime(2026, 10, 31)})
        for name, lines in (PLAIN_ROWS | (OF_XIWU if rows is None else rows)).items():
            sheet = book.add_worksheet(name)
            for number, line in enumerate(lines):
                sheet.write_row(number, 0, line)
    return file.getvalue()


def add_import(session: Session) -> UUID:
    """What waits, by its id."""
    upload = Upload(ImportKind.PEOPLE, "10月服务.xlsx", workbook_bytes())
    return prepare_import(session, actor=steward(XIWU), upload=upload).id
