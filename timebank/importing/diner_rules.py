"""Which rows of 用餐对象 go in, and why the others come back; who shares a household. Pure: no database, no clock.

A row has one reason, the first that applies. Nothing is guessed where money hangs on it: a category without its days
or its evidence, or a household whose other member is not there, sends the row back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from timebank.canteens.pricing.rules import DIET_FORM_NAMES, DietForm
from timebank.importing.cells import read_day, read_text
from timebank.importing.diner_workbook import DinerRow
from timebank.importing.rules import REASONS, Judged, Rejected, Townships
from timebank.people import id_numbers
from timebank.people.phones import tidy_phone
from timebank.people.widths import half_width, without_blanks

DINER_REASONS = {
    **{code: REASONS[code] for code in ("name_missing", "id_number_invalid", "township_unknown", "duplicate")},
    "other_township": REASONS["other_township"],
    "diet_form_unknown": "餐食形态无法识别，请写普通、软食、碎食或流食",
    "allergen_unknown": "过敏原不在清单中，请写清单中的名称",
    "religious_diet_unknown": "饮食习惯不在清单中，请写清单中的名称",
    "category_unknown": "特殊类别不在清单中，请写清单中的名称",
    "category_days_invalid": "特殊类别的起止日期缺少、无法识别、早于2000年，或止早于起",
    "evidence_missing": "填写了特殊类别，但没有写明证明",
    "canteen_unknown": "没有这个助餐点，或名称不止一处，请写全称或统一编号",
    "text_too_long": "地址、备注或证明超过200个字",
    "household_number_invalid": "同户人员的身份证号有误，或与本人相同",
    "household_unknown": "同户人员不是用餐对象，也不在本表已通过的行中",
    "person_left": "此人已退出或已身故，不能登记为用餐对象",
    "person_frozen": "此人已被上报身故，核实期间不能登记",
    "diner_refused": "此人的用餐申请此前未通过，请在系统中重新审核",
}
"""Why a row comes back, by code."""

LONGEST_TEXT = 200

_FORMS = {name: form for form, name in DIET_FORM_NAMES.items()} | {
    **{"": DietForm.NORMAL, "正常": DietForm.NORMAL, "普食": DietForm.NORMAL, "软": DietForm.SOFT},
    **{"软饭": DietForm.SOFT, "碎": DietForm.MINCED, "流质": DietForm.LIQUID, "流": DietForm.LIQUID},
}
_NOTHING = {"", "无", "没有", "否", "不过敏", "无过敏"}
_DIVIDERS = re.compile(r"[、，,；;/\s]+")


@dataclass(frozen=True, slots=True)
class CanteenName:
    """A canteen by what offices call it: its name, or its number."""

    canteen_id: UUID
    name: str
    number: str | None
    township_code: str


@dataclass(frozen=True, slots=True)
class DinerWords:
    """What the words of a row may mean; allergens and diets are those of a township, categories labels to codes."""

    townships: Townships
    categories: Mapping[str, str]
    allergens: Callable[[str], Collection[str]]
    religious_diets: Callable[[str], Collection[str]]
    canteens: Sequence[CanteenName]


@dataclass(frozen=True, slots=True)
class Claim:
    """A category of a row, with its days (both count; None for no end) and what shows it."""

    category: str
    valid_from: date
    valid_until: date | None
    evidence: str


@dataclass(frozen=True, slots=True)
class DinerEntry:
    """A diner to enter; ``diet_form`` None where the cell is empty; ``notes`` for the office."""

    row: int
    name: str
    id_number: id_numbers.IdNumber
    township_code: str
    phone: str | None
    village: str
    diet_form: str | None
    allergies: tuple[str, ...]
    religious_diet: str | None
    claims: tuple[Claim, ...]
    canteen_id: UUID | None
    delivery_address: str
    delivery_note: str
    household_id_number: str | None
    notes: tuple[str, ...]


class _Back(ValueError):
    """A row that comes back, by the code of the reason."""


def judge_diners(rows: Iterable[DinerRow], *, words: DinerWords, today: date) -> Judged[DinerEntry]:
    """Sort the rows by what they say, before anybody looks up whom they are about; ``today`` bounds birth dates."""
    accepted: dict[str, DinerEntry] = {}
    rejected: list[Rejected] = []
    places = _Places(words.canteens)
    for row in rows:
        try:
            entry = _entry(row, words, places, today)
            if entry.id_number.value in accepted:
                raise _Back("duplicate")
            accepted[entry.id_number.value] = entry
        except _Back as reason:
            rejected.append(Rejected(row.row, str(reason)))
    return Judged(tuple(accepted.values()), tuple(rejected))


def sift(
    judged: Judged[DinerEntry], *, reason_of: Callable[[DinerEntry], str | None], diners: Collection[str]
) -> Judged[DinerEntry]:
    """Send back, in the rows' order, whom ``reason_of`` has something against, and whose household is not there.

    ``diners`` are the identity numbers of who is a diner already. A row that goes back takes along those that lean
    on it.
    """
    against = {entry.id_number.value: reason_of(entry) for entry in judged.accepted}
    there = {number for number, reason in against.items() if reason is None}
    lost = True
    while lost:
        lost = False
        for entry in judged.accepted:
            number, other = entry.id_number.value, entry.household_id_number
            if number in there and other is not None and other not in there and other not in diners:
                there.remove(number)
                against[number], lost = "household_unknown", True
    back = [Rejected(e.row, str(against[e.id_number.value])) for e in judged.accepted if e.id_number.value not in there]
    kept = tuple(entry for entry in judged.accepted if entry.id_number.value in there)
    return Judged(kept, tuple(sorted([*judged.rejected, *back], key=lambda one: one.row)))


def households(
    entries: Sequence[DinerEntry], *, known: Mapping[str, UUID], fresh: Callable[[], UUID]
) -> dict[str, UUID]:
    """The household of everybody in the rows, by identity number: who leans on another shares theirs.

    ``known`` are the households of who is a diner already; they win, the first row's first. ``fresh`` makes a new one.
    """
    leaders: dict[str, str] = {}

    def leader(number: str) -> str:
        while leaders.setdefault(number, number) != number:
            leaders[number] = number = leaders[leaders[number]]
        return number

    for entry in entries:
        if entry.household_id_number is not None:
            leaders[leader(entry.id_number.value)] = leader(entry.household_id_number)
    found: dict[str, UUID] = {}
    for entry in entries:
        for number in (entry.household_id_number, entry.id_number.value):
            if number in known:
                found.setdefault(leader(str(number)), known[str(number)])
    return {number: _of(found, leader(number), fresh) for number in (entry.id_number.value for entry in entries)}


def _of(found: dict[str, UUID], number: str, fresh: Callable[[], UUID]) -> UUID:
    if number not in found:
        found[number] = fresh()
    return found[number]


class _Places:
    """Canteens by name and by number."""

    def __init__(self, canteens: Iterable[CanteenName]) -> None:
        self._called: dict[str, list[CanteenName]] = {}
        for canteen in canteens:
            for word in {_plain(canteen.name), _plain(canteen.number or "")} - {""}:
                self._called.setdefault(word, []).append(canteen)

    def find(self, words: str, township_code: str) -> UUID:
        """The one canteen that is meant, the township's own first. Raises _Back ``canteen_unknown``."""
        meant = self._called.get(_plain(words), [])
        near = [canteen for canteen in meant if canteen.township_code == township_code] or meant
        if len(near) != 1:
            raise _Back("canteen_unknown")
        return near[0].canteen_id


def _entry(row: DinerRow, words: DinerWords, places: _Places, today: date) -> DinerEntry:
    if not row.name:
        raise _Back("name_missing")
    number = _number(row.id_number, today, "id_number_invalid")
    township_code = words.townships.code_of(row.township)
    if township_code is None:
        raise _Back("township_unknown")
    if any(len(text) > LONGEST_TEXT for text in (row.delivery_address, row.delivery_note, row.evidence)):
        raise _Back("text_too_long")
    phone, notes = _phone(row.phone)
    diets = _known(row.religious_diet, words.religious_diets(township_code), "religious_diet_unknown")
    if len(diets) > 1:
        raise _Back("religious_diet_unknown")
    return DinerEntry(
        row=row.row,
        name=row.name,
        id_number=number,
        township_code=township_code,
        phone=phone,
        village=row.village,
        diet_form=_diet_form(row.diet_form),
        allergies=_known(row.allergies, words.allergens(township_code), "allergen_unknown"),
        religious_diet=diets[0] if diets else None,
        claims=_claims(row, words.categories),
        canteen_id=places.find(row.canteen, township_code) if row.canteen else None,
        delivery_address=row.delivery_address,
        delivery_note=row.delivery_note,
        household_id_number=_household(row, number, today),
        notes=notes,
    )


def _diet_form(words: str) -> str | None:
    plain = _plain(words).removesuffix("餐")
    if plain not in _FORMS:
        raise _Back("diet_form_unknown")
    return str(_FORMS[plain]) if plain else None


def _known(words: str, known: Collection[str], reason: str) -> tuple[str, ...]:
    told = [word for word in _DIVIDERS.split(half_width(words)) if word not in _NOTHING]
    if not set(told) <= set(known):
        raise _Back(reason)
    return tuple(sorted(set(told)))


def _claims(row: DinerRow, categories: Mapping[str, str]) -> tuple[Claim, ...]:
    labels = _known(row.categories, categories, "category_unknown")
    if not labels:
        return ()
    try:
        begins = read_day(row.valid_from)
        ends = read_day(row.valid_until) if read_text(row.valid_until) else None
    except ValueError:
        raise _Back("category_days_invalid") from None
    if ends is not None and ends < begins:
        raise _Back("category_days_invalid")
    if not row.evidence:
        raise _Back("evidence_missing")
    return tuple(Claim(categories[label], begins, ends, row.evidence) for label in labels)


def _household(row: DinerRow, number: id_numbers.IdNumber, today: date) -> str | None:
    if row.household_id_number in _NOTHING:
        return None
    other = _number(row.household_id_number, today, "household_number_invalid").value
    if other == number.value:
        raise _Back("household_number_invalid")
    return other


def _number(text: str, today: date, reason: str) -> id_numbers.IdNumber:
    try:
        return id_numbers.parse(text, today=today)
    except ValueError:
        raise _Back(reason) from None


def _phone(value: object) -> tuple[str | None, tuple[str, ...]]:
    try:
        return tidy_phone(value), ()
    except ValueError:
        return None, ("手机号码未能识别，未登记电话",)


def _plain(words: str) -> str:
    return without_blanks(half_width(words))
