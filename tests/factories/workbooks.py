"""Untidy workbooks, as offices send them, with what must come of each: seeded, so that a failure can be repeated.

Every workbook differs in its layout (order and wording of columns, titles, blank rows, totals, sheet names, a hidden
old copy) and in its notations. All days lie in October 2026; ``NOW`` is when it is imported.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import xlsxwriter

from timebank.people.id_numbers import check_character

NOW = datetime(2026, 11, 21, 1, 0, tzinfo=UTC)
TOWNSHIPS = (("330213007", "尚田街道"), ("330213004", "西坞街道"), ("330213107", "大堰镇"))
FULL_WIDTH = {code - 0xFEE0: code for code in range(0xFF10, 0xFF1B)}

_HEADINGS = {
    "name": ("姓名", "志愿者姓名", "姓  名"),
    "elder": ("姓名", "老人姓名"),
    "id": ("身份证号", "身份证", "身份证号码", "证件号码", "公民身份号码（18位）"),
    "phone": ("手机号", "联系电话", "手机", "联系方式"),
    "township": ("所属镇街", "镇街", "所属乡镇", "街道", "镇（街道）"),
    "day": ("日期", "服务日期"),
    "span": ("服务时间", "起止时间", "服务时段"),
    "ability": ("能力等级", "失能等级"),
}


@dataclass
class Expected:
    """What must come of a workbook; ``rejected`` holds (row, reason) by sheet."""

    volunteers: set[str] = field(default_factory=set)
    elders: set[str] = field(default_factory=set)
    records: int = 0
    minutes_by_volunteer_id: dict[str, int] = field(default_factory=dict)
    rejected: dict[str, list[tuple[int, str]]] = field(
        default_factory=lambda: {"志愿者名册": [], "老人名册": [], "服务记录": []}
    )


def write_untidy_workbook(
    path: Path, seed: int, *, volunteers: int = 14, elders: int = 16, records: int = 60
) -> Expected:
    """Write the workbook of ``seed`` to ``path`` and tell what must come of it."""
    office = _Office(random.Random(seed))
    office.enrol("志愿者名册", volunteers, (1950, 2005), office.expected.volunteers)
    office.enrol("老人名册", elders, (1925, 1965), office.expected.elders)
    office.record(records)
    with xlsxwriter.Workbook(path) as book:
        for sheet in office.sheets:
            sheet.write(book)
        if office.rng.random() < 0.5:
            book.add_worksheet(" 服务记录").hide()
    return office.expected


# One sheet each, as small as they may be; tests replace the rows they are about.
PLAIN_ROWS: dict[str, list[list[object]]] = {
    "志愿者名册": [["姓名", "身份证号", "手机号", "所属镇街"], ["竺梅", "330224196509023578", 13104333853, "大堰"]],
    "老人名册": [["姓名", "身份证号", "联系电话", "镇街"], ["叶家惠", "330224195207032431", None, "西坞街道"]],
    "服务记录": [
        ["日期", "志愿者身份证号", "服务对象身份证号", "服务内容", "服务时间"],
        ["2026.10.9", "330224196509023578", "330224195207032431", "送餐", "08:30～10:00"],
    ],
}


def write_plain_workbook(
    path: Path, rows: dict[str, list[list[object]]] | None = None, merges: dict[str, list[str]] | None = None
) -> Path:
    """Write a workbook cell by cell: the plain rows with whole sheets replaced by ``rows``, merged as told."""
    book = openpyxl.Workbook()
    del book[book.sheetnames[0]]
    for name, lines in (PLAIN_ROWS | (rows or {})).items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append(line)
        for area in (merges or {}).get(name, []):
            sheet.merge_cells(area)
    book.save(path)
    return path


def id_number(rng: random.Random, years: tuple[int, int]) -> str:
    """A valid identity number of somebody born in one of ``years``, in a county old or new."""
    born_on = date(rng.randint(*years), 1, 1) + timedelta(days=rng.randrange(365))
    body = f"{rng.choice(['330224', '330213', '330283'])}{born_on:%Y%m%d}{rng.randrange(1000):03d}"
    return body + check_character(body)


class _Sheet:
    """One sheet in the making: its layout first, then its rows."""

    def __init__(self, rng: random.Random, name: str, title: str, headings: dict[str, str]) -> None:
        self.rng, self.name, self.title = rng, name, title
        self.fields = list(headings)
        rng.shuffle(self.fields)
        self.lines: dict[int, dict[str, object]] = {}
        self.heading_row = rng.randint(2, 5)
        self.lines[self.heading_row] = dict(headings)
        self.next_row = self.heading_row + 1

    def add(self, values: dict[str, object]) -> int:
        if self.rng.random() < 0.06:
            self.next_row += 1
        self.lines[self.next_row] = values
        self.next_row += 1
        return self.next_row - 1

    def write(self, book: Any) -> None:
        page = book.add_worksheet(self.name + self.rng.choice(["", "", " "]))
        page.merge_range(0, 0, 0, len(self.fields) - 1, self.title)
        formats: dict[type, Any] = {datetime: book.add_format({"num_format": "yyyy-mm-dd"})}
        totals = self.rng.choice(["合计", "总 计", "小计："])
        self.lines[self.next_row + 1] = {self.fields[0]: totals, self.fields[-1]: f"{len(self.lines) - 1}条"}
        for row, values in self.lines.items():
            for column, name in enumerate(self.fields):
                value = values.get(name)
                if value is not None:
                    page.write(row - 1, column, value, formats.get(type(value)))


class _Office:
    """Fills the sheets with good and bad rows, and keeps book of what must come of them."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.sheets: list[_Sheet] = []
        self.expected = Expected()

    def enrol(self, name: str, count: int, years: tuple[int, int], enrolled: set[str]) -> None:
        kinds = ["name" if name == "志愿者名册" else "elder", "id", "phone", "township", "ability"]
        sheet = self._sheet(name, "登记表", {kind.replace("elder", "name"): self._word(kind) for kind in kinds})
        faults = ["", "", "", "id_number_invalid", "township_unknown", "name_missing", "duplicate"]
        for index in range(count):
            fault = faults[index % len(faults)]
            number = id_number(self.rng, years)
            if fault == "duplicate":
                number = self.rng.choice(sorted(enrolled))
            row = sheet.add(self._person(number, fault))
            if fault:
                self.expected.rejected[name].append((row, fault))
            else:
                enrolled.add(number)

    def record(self, count: int) -> None:
        words = {"day": self._word("day"), "volunteer": "志愿者", "volunteer_id": f"志愿者{self._word('id')}"}
        words |= {"elder": "服务对象", "elder_id": f"服务对象{self._word('id')}", "content": "服务内容"}
        sheet = self._sheet("服务记录", "2026年10月助老服务记录表", words | {"span": self._word("span")})
        faults = ["", "", "volunteer_unknown", "elder_unknown", "times_invalid", "date_in_future", "overlaps"]
        volunteers, elders = sorted(self.expected.volunteers), sorted(self.expected.elders)
        for index in range(count):
            volunteer, fault = volunteers[index % len(volunteers)], self.rng.choice(faults)
            day, start = date(2026, 10, 1 + index // len(volunteers)), time(self.rng.randint(7, 18), 30)
            minutes = self.rng.choice([30, 45, 60, 90, 150])
            row = sheet.add(self._service(fault, volunteer, self.rng.choice(elders), day, start, minutes))
            if fault and fault != "overlaps":
                self.expected.rejected["服务记录"].append((row, fault))
                continue
            self._credit(volunteer, minutes)
            if fault == "overlaps":
                again = self._service("", volunteer, self.rng.choice(elders), day, start, minutes)
                self.expected.rejected["服务记录"].append((sheet.add(again), "overlaps"))

    def _credit(self, volunteer: str, minutes: int) -> None:
        earned = self.expected.minutes_by_volunteer_id
        earned[volunteer] = earned.get(volunteer, 0) + minutes
        self.expected.records += 1

    def _sheet(self, name: str, title: str, headings: dict[str, str]) -> _Sheet:
        self.sheets.append(_Sheet(self.rng, name, title, {"number": "序号"} | headings))
        return self.sheets[-1]

    def _word(self, kind: str) -> str:
        return self.rng.choice(_HEADINGS[kind])

    def _person(self, number: str, fault: str) -> dict[str, object]:
        if fault == "id_number_invalid":
            number = number[:-1] + ("0" if number[-1] != "0" else "1")
        name = None if fault == "name_missing" else self.rng.choice(["竺梅", "戴 惠珍", "王　芳"])
        word = "不详" if fault == "township_unknown" else self._township()
        phone = f"1{self.rng.randint(3_000_000_000, 9_999_999_999)}"
        written = self.rng.choice([phone, int(phone), f"+86 {phone}", phone.translate(FULL_WIDTH), None])
        values: dict[str, object] = {"number": 7, "name": name, "id": self._id(number), "phone": written}
        return values | {"township": word, "ability": self.rng.choice([0, "2", "轻度", None])}

    def _township(self) -> str:
        code, name = self.rng.choice(TOWNSHIPS)
        return self.rng.choice([code, name, name[:2], f"奉化区{name}", f" {name[:2]} "])

    def _service(
        self, fault: str, volunteer: str, elder: str, day: date, start: time, minutes: int
    ) -> dict[str, object]:
        if fault == "volunteer_unknown":
            volunteer = id_number(self.rng, (1906, 1910))
        if fault == "elder_unknown":
            elder = id_number(self.rng, (1906, 1910))
        if fault == "date_in_future":
            day = date(2027, 3, 5)
        begin = datetime.combine(day, start)
        end = begin + timedelta(minutes=minutes)
        begin, end = (end, begin) if fault == "times_invalid" else (begin, end)
        values: dict[str, object] = {"volunteer": "竺梅", "elder": "段寿平", "content": "送餐", "number": 1}
        values |= {"volunteer_id": self._id(volunteer), "elder_id": self._id(elder)}
        return values | {"day": self._day(day), "span": self._span(begin, end)}

    def _id(self, number: str) -> str:
        spaced = f"{number[:6]} {number[6:14]} {number[14:]}"
        full = number.translate(FULL_WIDTH)
        return self.rng.choice([number, number.lower(), f" {number} ", spaced, full])

    def _day(self, day: date) -> object:
        ways: list[Callable[[], object]] = [
            lambda: f"{day.year}.{day.month}.{day.day}",
            day.isoformat,
            lambda: f"{day:%Y/%m/%d}",
            lambda: f"{day.year}年{day.month}月{day.day}日",
            lambda: datetime.combine(day, time()),
            lambda: (day - date(1899, 12, 30)).days,
            lambda: str((day - date(1899, 12, 30)).days),
            lambda: f"{day:%Y-%m-%d} 00:00:00",
        ]
        return self.rng.choice(ways)()

    def _span(self, begin: datetime, end: datetime) -> str:
        first, last = f"{begin:%H:%M}", f"{end:%H:%M}"
        divider = self.rng.choice(["～", "~", "-", "—", "\N{EN DASH}", "－", "至", "到"])
        plain = f"{first}{divider}{last}"
        spoken = f"{begin.hour}点{begin:%M}分{divider}{end.hour}点{end:%M}分"
        return self.rng.choice([plain, plain.lstrip("0"), plain.translate(FULL_WIDTH), spoken])
