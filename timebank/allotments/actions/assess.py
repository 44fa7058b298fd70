"""Assessing 能力评估: a steward enters an elder's level; it counts for allotments from the next month on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.allotments.models import Assessment
from timebank.allotments.rules import LEVEL_NAMES
from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.core.ids import new_id
from timebank.notifications.actions import notify_person
from timebank.people.actions.consent import lock_people
from timebank.people.models import ElderFile
from timebank.people.queries import must_be_here

NONE = "无"
"""What is written where there is nothing special."""


@dataclass(frozen=True, slots=True)
class NewAssessment:
    """What was found; without ``circumstances`` those of the elder file stay as they are, ``无`` empties them."""

    level: int
    evidence: str
    circumstances: Sequence[str] | None = None


def assess(session: Session, *, actor: Actor, person_id: UUID, found: NewAssessment) -> Assessment:
    """Enter an assessment in an elder's file, for a steward of the elder's township.

    Raises NotAllowed ``steward_only``, ``other_township``; NotFound ``person_unknown``; Conflict ``person_left``;
    Refused ``evidence_missing``, ``level_unknown``.
    """
    # Before anything is looked up, so that whoever is no steward learns nothing about who exists.
    actor.must_be_steward()
    elder = lock_people(session, [person_id])[person_id]
    actor.must_steward(elder.township_code)
    must_be_here(elder)
    evidence = found.evidence.strip()
    if not evidence:
        raise Refused("evidence_missing", "请填写评估依据", field="evidence")
    if found.level not in LEVEL_NAMES:
        raise Refused("level_unknown", "评估等级须为0至4", field="level")
    file = session.get(ElderFile, person_id)
    if file is None:
        file = ElderFile(person_id=person_id, circumstances=[])
        session.add(file)
    circumstances = file.circumstances
    if found.circumstances is not None:
        circumstances = [word for word in dict.fromkeys(found.circumstances) if word != NONE]
    assert actor.login_id is not None
    assessment = Assessment(
        id=new_id(),
        person_id=person_id,
        level=found.level,
        previous_level=file.assessment_level,
        circumstances=circumstances,
        evidence=evidence,
        assessed_at=clock.now(),
        assessed_by=actor.login_id,
        assessed_by_name=actor.name,
    )
    file.assessment_level, file.circumstances = found.level, circumstances
    session.add(assessment)
    note_down(session, actor=actor, action="elder_assessed", subject=("person", person_id), level=found.level)
    body = f"您的能力评估登记为{found.level}级（{LEVEL_NAMES[found.level]}），政府购买服务时长从下月起按此发放。"
    notify_person(session, person_id=person_id, title="能力评估已登记", body=body)
    session.flush()
    return assessment
