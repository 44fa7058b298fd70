"""What can be imported at a desk, and what a trial says of it 导入核对. Pure: no session, no clock."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from timebank.core.errors import Conflict, NotAllowed
from timebank.importing.diner_rules import DINER_REASONS
from timebank.importing.headings import RECORDS
from timebank.importing.menu_rows import REASONS as MENU_REASONS
from timebank.importing.report import Hours
from timebank.importing.rules import REASONS


class ImportKind(StrEnum):
    """What a workbook holds."""

    PEOPLE = "people"
    DINERS = "diners"
    MENU = "menu"


KIND_NAMES = {
    ImportKind.PEOPLE: "人员和服务时长",
    ImportKind.DINERS: "用餐对象",
    ImportKind.MENU: "一周菜单",
}

REASONS_OF: Mapping[ImportKind, Mapping[str, str]] = {
    ImportKind.PEOPLE: REASONS,
    ImportKind.DINERS: DINER_REASONS,
    ImportKind.MENU: MENU_REASONS,
}
"""Why a row comes back, by code."""


class ImportState(StrEnum):
    """A workbook that was handed in is looked at first, and then booked."""

    WAITING = "waiting"
    BOOKED = "booked"


STATE_NAMES = {ImportState.WAITING: "已核对，待导入", ImportState.BOOKED: "已导入"}


@dataclass(frozen=True, slots=True)
class SheetCounts:
    """How many rows of a sheet go in as new, change what is there, are there already, and come back."""

    sheet: str
    new: int
    changed: int
    already_present: int
    rejected: int


@dataclass(frozen=True, slots=True)
class RowTold:
    """A row that comes back (``reason`` is its code) or that the office should look at (``reason`` None).

    ``name`` is masked where it is a person's.
    """

    sheet: str
    row: int
    name: str
    reason: str | None
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What booking a workbook comes to: counts by sheet, other figures by their label, hours, and rows to tell of."""

    sheets: tuple[SheetCounts, ...]
    figures: tuple[tuple[str, int], ...]
    hours: tuple[Hours, ...]
    rows: tuple[RowTold, ...]

    def summary(self) -> dict[str, Any]:
        """All but the rows, as plain values; of the rows how many there are of each reason."""
        counted = Counter((row.reason, row.text) for row in self.rows if row.reason is not None)
        return {
            "sheets": [asdict(one) for one in self.sheets],
            "figures": [{"label": label, "number": number} for label, number in self.figures],
            "hours": [asdict(one) for one in self.hours],
            "minutes": sum(one.minutes for one in self.hours),
            "rejected": sum(one.rejected for one in self.sheets),
            "notes": sum(row.reason is None for row in self.rows),
            "reasons": [
                {"reason": code, "reason_name": text, "rows": rows} for (code, text), rows in counted.most_common()
            ],
        }

    def digest(self) -> str:
        """SHA-256 (hex) of everything that is said: the same outcome has the same, and no other has it."""
        said = [self.summary(), [asdict(row) for row in self.rows]]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()


def credits_hours(summary: Mapping[str, Any]) -> bool:
    """Whether booking credits anybody with minutes."""
    return any(one["sheet"] == RECORDS and one["new"] for one in summary["sheets"])


def imports_not_yours() -> NotAllowed:
    """Whoever neither keeps books nor runs a canteen has no workbook to hand in."""
    return NotAllowed("imports_not_yours", "只有管理员、审计和助餐点工作人员可以查看导入")


def second_person_needed() -> NotAllowed:
    """Hours are back-filled by one steward and approved by another, however many they are."""
    return NotAllowed("second_person_needed", "工作簿里有新的服务时长，须由上传人以外的管理员核对后导入")


def shown_otherwise() -> Conflict:
    """What is to be booked is not what was looked at."""
    return Conflict("import_changed", "核对之后数据有变化，没有导入。请看新的核对结果，再决定是否导入")
