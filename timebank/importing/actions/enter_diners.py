"""A list's diners go in: files opened as approved or filled where they say nothing, households, categories."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.canteens.diners.actions.categories import span
from timebank.canteens.diners.actions.telling import tell_diner
from timebank.canteens.diners.actions.wishes import PLAIN
from timebank.canteens.diners.models import Diner, DinerCategory
from timebank.canteens.diners.queries import one_of
from timebank.canteens.diners.rules import DinerState
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.ids import new_id
from timebank.importing.diner_rules import Claim, DinerEntry, households
from timebank.importing.report import Note
from timebank.people.models import ElderFile, Person
from timebank.people.rules import same_name
from timebank.people.villages import village_called
from timebank.townships.models import Village
from timebank.townships.queries import township_names

_SAID_OTHERWISE = {
    "diet_form": "餐食形态",
    "allergies": "过敏原",
    "religious_diet": "饮食习惯",
    "usual_canteen_id": "常用助餐点",
    "delivery_address": "送餐地址",
    "delivery_note": "送餐备注",
}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where files come from: this import's id, and who answers for it."""

    import_id: UUID
    actor: Actor

    @property
    def login_id(self) -> UUID:
        """Who is written down: the login, or at the desk the import itself."""
        return self.actor.login_id or self.import_id


@dataclass(slots=True)
class Filed:
    """How many files were opened and categories granted, whether anything was written, and what to tell the office."""

    opened: int = 0
    categories: int = 0
    changed: bool = False
    notes: tuple[Note, ...] = ()


def file_diners(
    session: Session,
    *,
    entries: Sequence[DinerEntry],
    people: Mapping[str, Person],
    there: Mapping[str, Diner],
    origin: Origin,
) -> Filed:
    """Open files and fill gaps, in as many statements however many rows there are.

    ``people`` and ``there``, the files that stand, are by identity number, those that rows lean on among them.
    """
    filed, notes = Filed(), list(_notes_on_people(session, entries, people))
    houses = households(entries, known={number: d.household_id for number, d in there.items()}, fresh=new_id)
    for entry in entries:
        number = entry.id_number.value
        diner = there.get(number)
        if diner is None or diner.state == DinerState.ENDED:
            _open(session, entry, people[number].id, diner, houses[number], origin)
            filed.opened += 1
            continue
        if diner.state == DinerState.APPLIED:
            _approve(session, diner, people[number].name, origin)
            filed.opened += 1
        filed.changed |= _fill(diner, entry)
        notes += _notes_on_file(entry, diner, houses[number])
    session.flush()
    filed.changed |= _file_villages(session, entries, people, notes)
    filed.categories = _grant(session, entries, people, origin, notes)
    filed.changed |= bool(filed.opened or filed.categories)
    filed.notes = tuple(notes)
    return filed


def _wishes(entry: DinerEntry) -> dict[str, object]:
    return {
        "diet_form": entry.diet_form,
        "allergies": list(entry.allergies),
        "religious_diet": entry.religious_diet,
        "usual_canteen_id": entry.canteen_id,
        "delivery_address": entry.delivery_address,
        "delivery_note": entry.delivery_note,
    }


def _open(
    session: Session, entry: DinerEntry, person_id: UUID, diner: Diner | None, household_id: UUID, origin: Origin
) -> None:
    """A new file, or that of somebody who came back, which is filled where it says nothing."""
    if diner is None:
        told = {name: value for name, value in _wishes(entry).items() if value is not None}
        diner = Diner(person_id=person_id, household_id=household_id, **{**PLAIN, **told})
        session.add(diner)
    else:
        _fill(diner, entry)
    diner.applied_at, diner.applied_by, diner.applied_by_name = clock.now(), origin.login_id, origin.actor.name
    diner.proposed_categories, diner.proposal_evidence, diner.ended_at = [], "", None
    _mark_approved(diner, origin)


def _approve(session: Session, diner: Diner, name: str, origin: Origin) -> None:
    _mark_approved(diner, origin)
    tell_diner(session, diner, title="用餐申请已通过", body=f"{name}已成为用餐对象，可以订餐。")


def _mark_approved(diner: Diner, origin: Origin) -> None:
    diner.state, diner.review_reason = DinerState.APPROVED, ""
    diner.reviewed_at, diner.reviewed_by, diner.reviewed_by_name = clock.now(), origin.login_id, origin.actor.name


def _fill(diner: Diner, entry: DinerEntry) -> bool:
    """Write what the file does not say yet; whether there was anything. The form of diet is always said."""
    gaps = {n: v for n, v in _wishes(entry).items() if v and n != "diet_form" and not getattr(diner, n)}
    for name, value in gaps.items():
        setattr(diner, name, value)
    return bool(gaps)


def _notes_on_people(session: Session, entries: Sequence[DinerEntry], people: Mapping[str, Person]) -> Iterator[Note]:
    names = township_names(session)
    for entry in entries:
        person = people[entry.id_number.value]
        yield from (Note(entry.row, text) for text in entry.notes)
        if not same_name(person.name, entry.name):
            yield Note(entry.row, "姓名与已登记的不同，以已登记的为准")
        if person.township_code != entry.township_code:
            yield Note(entry.row, f"已在{names[person.township_code]}登记，以已登记的为准")


def _notes_on_file(entry: DinerEntry, diner: Diner, household_id: UUID) -> Iterator[Note]:
    for name, value in _wishes(entry).items():
        if value and value != getattr(diner, name):
            yield Note(entry.row, f"{_SAID_OTHERWISE[name]}与已登记的不同，以已登记的为准")
    if diner.household_id != household_id:
        yield Note(entry.row, "同户与已登记的不同，以已登记的为准，需要并户请在系统中办理")


def _file_villages(
    session: Session, entries: Sequence[DinerEntry], people: Mapping[str, Person], notes: list[Note]
) -> bool:
    """Fill villages that are missing; a person's village is one of the township where they are registered."""
    told = [entry for entry in entries if entry.village]
    names: dict[str, list[str]] = defaultdict(list)
    for code, name in session.execute(select(Village.township_code, Village.name)) if told else ():
        names[code].append(name)
    ids = [people[entry.id_number.value].id for entry in told]
    files = {
        file.person_id: file for file in session.scalars(select(ElderFile).where(one_of(ElderFile.person_id, ids)))
    }
    changed = False
    meant: dict[tuple[str, str], str | None] = {}
    for entry, person_id in zip(told, ids, strict=True):
        written = people[entry.id_number.value].township_code, entry.village
        if written not in meant:
            meant[written] = village_called(entry.village, names[written[0]])
        found, file = meant[written], files.get(person_id)
        if found is None:
            notes.append(Note(entry.row, "村社未能识别，未登记村社"))
        elif file is None:
            session.add(ElderFile(person_id=person_id, circumstances=[], village=found))
            changed = True
        elif not file.village:
            file.village, changed = found, True
    return changed


def _grant(
    session: Session,
    entries: Sequence[DinerEntry],
    people: Mapping[str, Person],
    origin: Origin,
    notes: list[Note],
) -> int:
    """Grant what holds on none of its days yet; what was withdrawn as an error is not granted again."""
    ids = [people[entry.id_number.value].id for entry in entries]
    standing: dict[tuple[UUID, str], list[DinerCategory]] = defaultdict(list)
    for row in session.scalars(select(DinerCategory).where(one_of(DinerCategory.person_id, ids))):
        standing[row.person_id, row.category].append(row)
    fresh: list[DinerCategory] = []
    for entry, person_id in zip(entries, ids, strict=True):
        for claim in entry.claims:
            if (said := _in_the_way(standing[person_id, claim.category], claim)) is None:
                fresh.append(_category(person_id, claim, origin))
            elif said:
                notes.append(Note(entry.row, said))
    session.add_all(fresh)
    session.flush()
    return len(fresh)


def _in_the_way(others: Sequence[DinerCategory], claim: Claim) -> str | None:
    """Why a claim is not granted, "" where it has been already; None where nothing is in its way."""
    wanted = span(claim.valid_from, claim.valid_until)
    if any(row.withdrawn_at is not None and row.valid_during == wanted for row in others):
        return "特殊类别此前已作为登记有误撤销，未重新登记"
    standing = [row for row in others if row.withdrawn_at is None and row.valid_during.overlaps(wanted)]
    if not standing:
        return None
    return "" if any(row.valid_during == wanted for row in standing) else "特殊类别的起止与已登记的不同，以已登记的为准"


def _category(person_id: UUID, claim: Claim, origin: Origin) -> DinerCategory:
    return DinerCategory(
        id=new_id(),
        person_id=person_id,
        category=claim.category,
        valid_during=span(claim.valid_from, claim.valid_until),
        evidence=claim.evidence,
        decided_at=clock.now(),
        decided_by=origin.login_id,
        decided_by_name=origin.actor.name,
    )
