"""Which rows of an office's workbook go in, and why the others come back. Pure: no database, no clock.

A row has one reason, the first that applies. Rosters: name, identity number, township, repetition, another's township.
Records: volunteer, elder, times, future, age, whose business it is, who was not there any more, overlap. A row that did
not go in never stands in a later row's way.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar

from timebank.core.clock import LOCAL
from timebank.importing.cells import read_day
from timebank.importing.rows import ElderRow, RecordRow, VolunteerRow
from timebank.importing.spans import read_span
from timebank.people import id_numbers
from timebank.people.phones import tidy_phone
from timebank.people.widths import half_width, without_blanks
from timebank.tasks.rules import served_minutes

REASONS = {
    "name_missing": "缺少姓名",
    "id_number_invalid": "身份证号有误：应为 18 位，出生日期真实，校验码相符",
    "township_unknown": "镇街无法识别，请写奉化区内镇街的名称",
    "other_township": "此人不归本镇街管理，请交由户籍所在镇街或区里导入",
    "duplicate": "与前面的行重复登记（同一身份证号），以前面的行为准",
    "volunteer_unknown": "志愿者未登记，请核对身份证号或先登记志愿者",
    "elder_unknown": "服务对象未登记，请核对身份证号或先登记老人",
    "self_service": "志愿者与服务对象是同一人，不能为自己服务",
    "times_invalid": "日期或服务时间无法识别，或结束不晚于开始",
    "date_in_future": "服务尚未发生或尚未结束",
    "volunteer_too_young": "服务当日志愿者未达到最低年龄",
    "person_left": "服务开始时志愿者或服务对象已退出时间银行，请核对日期和身份证号",
    "service_elsewhere": "志愿者和服务对象都不归本镇街管理，请交由他们的镇街或区里导入",
    "after_death": "服务日期晚于志愿者或服务对象的身故日期，请核对日期和身份证号",
    "overlaps": "该志愿者已有时间重叠的服务，以先有的为准",
}

_ABILITY_WORDS = {"完好": 0, "正常": 0, "轻度": 1, "中度": 2, "重度": 3, "完全": 4}
_ABILITY = re.compile(r"(?:能力)?(完好|正常|轻度|中度|重度|完全)(?:失能)?(?:\(?[0-4]级?\)?)?|([0-4])级?")
_DIVIDERS = re.compile(r"[、，,；;/\s]+")
_ABOVE_TOWNSHIP = re.compile(r"^(?:浙江省?)?(?:宁波市?)?(?:奉化[区市]?)?")
_TOWNSHIP_KIND = re.compile(r"(?:街道|镇|乡)(?:办事处|人民政府|政府)?$")

Against = Callable[[str, str], str | None]
"""What speaks against a person by identity number and township, as a reason's code."""

Candidate = TypeVar("Candidate")
RosterRow = TypeVar("RosterRow", VolunteerRow, ElderRow)
RosterCandidate = TypeVar("RosterCandidate", "Volunteer", "Elder")


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that comes back: its number in the sheet and the code of the reason (a key of REASONS)."""

    row: int
    reason: str


@dataclass(frozen=True, slots=True)
class Judged(Generic[Candidate]):
    """A sheet's rows, sorted into what goes in and what comes back, each in the sheet's order."""

    accepted: tuple[Candidate, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class Volunteer:
    """A volunteer to enrol. ``phone`` is None where the cell is empty or unreadable; ``notes`` say the latter."""

    row: int
    name: str
    id_number: id_numbers.IdNumber
    township_code: str
    phone: str | None
    skills: str
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Elder:
    """An elder to enrol; ``ability_level`` 0 able to 4 fully dependent (GB/T 42195-2022), None if not told."""

    row: int
    name: str
    id_number: id_numbers.IdNumber
    township_code: str
    phone: str | None
    village: str
    ability_level: int | None
    circumstances: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """Help that was given, by whom to whom; both moments in Asia/Shanghai, ``minutes`` whole."""

    row: int
    volunteer_id_number: str
    elder_id_number: str
    content: str
    started_at: datetime
    ended_at: datetime
    minutes: int
    recorder: str


@dataclass(frozen=True, slots=True)
class Served:
    """What the bank has of a volunteer already; ``elder_id_number`` is "" unless it came from a workbook."""

    started_at: datetime
    ended_at: datetime
    elder_id_number: str = ""


class Townships:
    """The district's townships 镇街 by every name that offices use: code, full and short name, 奉化区 before it."""

    def __init__(self, townships: Iterable[tuple[str, str]]) -> None:
        """``townships`` are pairs of code and full name."""
        self._codes: dict[str, str] = {}
        for code, name in townships:
            self._codes |= {code: code, name: code, _TOWNSHIP_KIND.sub("", name): code}

    def code_of(self, words: str) -> str | None:
        """The township's code, or None. A former kind (尚田镇, now 尚田街道) is still the same township."""
        plain = _ABOVE_TOWNSHIP.sub("", without_blanks(half_width(words)), count=1)
        return self._codes.get(plain) or self._codes.get(_TOWNSHIP_KIND.sub("", plain))


def _nothing_against(_number: str, _township_code: str) -> str | None:
    return None


def judge_volunteers(
    rows: Iterable[VolunteerRow], *, townships: Townships, today: date, against: Against = _nothing_against
) -> Judged[Volunteer]:
    """Sort 志愿者名册. Reasons: name_missing, id_number_invalid, township_unknown, duplicate, and those of ``against``.

    ``against`` is asked last, by identity number and township.
    """

    def candidate(row: VolunteerRow, number: id_numbers.IdNumber, code: str) -> Volunteer:
        phone, notes = _phone(row.phone)
        return Volunteer(row.row, row.name, number, code, phone, row.skills, notes)

    return _judge_roster(rows, candidate, townships, today, against)


def judge_elders(
    rows: Iterable[ElderRow], *, townships: Townships, today: date, against: Against = _nothing_against
) -> Judged[Elder]:
    """Sort 老人名册. Reasons as for volunteers; the same person may be on both rosters."""

    def candidate(row: ElderRow, number: id_numbers.IdNumber, code: str) -> Elder:
        phone, notes = _phone(row.phone)
        level = ability_level(row.ability)
        if row.ability and level is None:
            notes += (f"能力等级未能识别：{row.ability}",)
        circumstances = tuple(word for word in _DIVIDERS.split(row.circumstances) if word)
        return Elder(row.row, row.name, number, code, phone, row.village, level, circumstances, notes)

    return _judge_roster(rows, candidate, townships, today, against)


def judge_records(
    rows: Iterable[RecordRow],
    *,
    volunteers: Collection[str],
    elders: Collection[str],
    now: datetime,
    old_enough: Callable[[str, date], bool] = lambda _volunteer, _day: True,
    against: Callable[[Record], str | None] = lambda _record: None,
    served: Mapping[str, Sequence[Served]] | None = None,
) -> Judged[Record]:
    """Sort 服务记录 against the identity numbers of known volunteers and elders; ``now`` is the bank's time.

    ``old_enough`` tells whether a volunteer was of age on a day, ``against`` the reason where one of the two was not
    there any more, or neither is of the township that hands the rows in; ``served`` is what the bank has of each
    volunteer, which stands in the way as an earlier row does.
    A row that came from a workbook before is accepted once more, so that a workbook is judged the same every time it
    comes.
    Names are not compared: offices copy them from row to row, and the number is the person. Reasons:
    volunteer_unknown, elder_unknown, self_service, times_invalid, date_in_future, volunteer_too_young, those of
    ``against`` (service_elsewhere, person_left, after_death), overlaps.
    """
    accepted: list[Record] = []
    rejected: list[Rejected] = []
    diaries = {number: _Diary(hours) for number, hours in (served or {}).items()}
    for row in rows:
        judged = _judge_record(row, volunteers, elders, now)
        if isinstance(judged, Record):
            diary = diaries.setdefault(judged.volunteer_id_number, _Diary())
            if not old_enough(judged.volunteer_id_number, judged.started_at.date()):
                judged = "volunteer_too_young"
            elif (reason := against(judged)) is not None:
                judged = reason
            elif not diary.enter(judged):
                judged = "overlaps"
        if isinstance(judged, Record):
            accepted.append(judged)
        else:
            rejected.append(Rejected(row.row, judged))
    return Judged(tuple(accepted), tuple(rejected))


def ability_level(words: str) -> int | None:
    """0 to 4 from 0, "2级", 轻度, 中度失能, 能力完好, 完全失能 …; None for everything else."""
    found = _ABILITY.fullmatch(without_blanks(half_width(words)))
    if found is None:
        return None
    return _ABILITY_WORDS[found[1]] if found[1] else int(found[2])


def _judge_roster(
    rows: Iterable[RosterRow],
    candidate: Callable[[RosterRow, id_numbers.IdNumber, str], RosterCandidate],
    townships: Townships,
    today: date,
    against: Against,
) -> Judged[RosterCandidate]:
    accepted: dict[str, RosterCandidate] = {}
    rejected: list[Rejected] = []
    for row in rows:
        code = townships.code_of(row.township)
        number = _parsed(row.id_number, today)
        if not row.name:
            rejected.append(Rejected(row.row, "name_missing"))
        elif number is None:
            rejected.append(Rejected(row.row, "id_number_invalid"))
        elif code is None:
            rejected.append(Rejected(row.row, "township_unknown"))
        elif number.value in accepted:
            rejected.append(Rejected(row.row, "duplicate"))
        elif (reason := against(number.value, code)) is not None:
            rejected.append(Rejected(row.row, reason))
        else:
            accepted[number.value] = candidate(row, number, code)
    return Judged(tuple(accepted.values()), tuple(rejected))


def _parsed(text: str, today: date) -> id_numbers.IdNumber | None:
    try:
        return id_numbers.parse(text, today=today)
    except ValueError:
        return None


def _phone(value: object) -> tuple[str | None, tuple[str, ...]]:
    try:
        return tidy_phone(value), ()
    except ValueError:
        return None, ("联系电话未能识别，未登记电话",)


def _judge_record(row: RecordRow, volunteers: Collection[str], elders: Collection[str], now: datetime) -> Record | str:
    if row.volunteer_id_number not in volunteers:
        return "volunteer_unknown"
    if row.elder_id_number not in elders:
        return "elder_unknown"
    if row.volunteer_id_number == row.elder_id_number:
        return "self_service"
    try:
        day = read_day(row.day, default_year=row.title_year)
        start, end = read_span(row.span)
    except ValueError:
        return "times_invalid"
    started_at, ended_at = (datetime.combine(day, clock, LOCAL) for clock in (start, end))
    if ended_at - started_at < timedelta(minutes=1):
        return "times_invalid"
    if ended_at > now:
        return "date_in_future"
    return Record(
        row=row.row,
        volunteer_id_number=row.volunteer_id_number,
        elder_id_number=row.elder_id_number,
        content=row.content,
        started_at=started_at,
        ended_at=ended_at,
        minutes=served_minutes(started_at, ended_at),
        recorder=row.recorder,
    )


class _Diary:
    """One volunteer's accepted hours, in order of time; they never overlap."""

    def __init__(self, served: Iterable[Served] = ()) -> None:
        known = sorted(served, key=lambda hours: hours.started_at)
        self._starts = [hours.started_at for hours in known]
        self._ends = [hours.ended_at for hours in known]
        self._awaited = {hours for hours in known if hours.elder_id_number}

    def enter(self, record: Record) -> bool:
        """Enter a record unless it overlaps one that is there; touching ends do not overlap."""
        known = Served(record.started_at, record.ended_at, record.elder_id_number)
        if known in self._awaited:
            self._awaited.remove(known)  # a second row of the same hours is a repetition, as it was the first time
            return True
        place = bisect_left(self._starts, record.started_at)
        if place and self._ends[place - 1] > record.started_at:
            return False
        if place < len(self._starts) and self._starts[place] < record.ended_at:
            return False
        self._starts.insert(place, record.started_at)
        self._ends.insert(place, record.ended_at)
        return True
