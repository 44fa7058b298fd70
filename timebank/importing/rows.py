"""The rows of an office's three sheets 表行: tidied cell by cell, not yet judged."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class VolunteerRow:
    """A row of 志愿者名册; ``cells`` are its values as they stood, ``phone`` is as written."""

    row: int
    cells: tuple[object, ...]
    name: str
    id_number: str
    phone: object
    township: str
    skills: str


@dataclass(frozen=True, slots=True)
class ElderRow:
    """A row of 老人名册; ability level and circumstances are words still."""

    row: int
    cells: tuple[object, ...]
    name: str
    id_number: str
    phone: object
    township: str
    village: str
    ability: str
    circumstances: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A row of 服务记录; ``title_year`` is the year that the sheet's title names.

    ``span`` is one cell, or the pair of a beginning and an end where the sheet has two columns.
    """

    row: int
    cells: tuple[object, ...]
    day: object
    title_year: int | None
    span: object
    volunteer_name: str
    volunteer_id_number: str
    elder_name: str
    elder_id_number: str
    content: str
    recorder: str
