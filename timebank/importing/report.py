"""What came of an import 导入结果."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from timebank.importing.rules import Rejected


@dataclass(frozen=True, slots=True)
class Note:
    """Something the office should know of a row that went in; holds no identity number and no phone."""

    row: int
    text: str


@dataclass(frozen=True, slots=True)
class Counts:
    """How many volunteers, elders and records."""

    volunteers: int
    elders: int
    records: int


@dataclass(frozen=True, slots=True)
class Hours:
    """New records of one month (``2026-10``) served in one township, and the minutes that they earn."""

    month: str
    township_code: str
    records: int
    minutes: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What went in (``new``, with the ``minutes`` credited for it), what was there before, and what came back.

    ``people`` were in the bank in no role before; ``hours`` are the new records by month and township, and add up to
    ``minutes``. ``rejected`` and ``notes`` have every sheet as a key, also where there is nothing to tell.
    """

    new: Counts
    minutes: int
    already_present: Counts
    rejected: Mapping[str, tuple[Rejected, ...]]
    notes: Mapping[str, tuple[Note, ...]]
    people: int
    hours: tuple[Hours, ...]
