"""Which provider goes to a visit: the chosen one, else the nearest with capacity. Pure, and always the same answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import asin, cos, inf, radians, sin, sqrt
from uuid import UUID

from timebank.core.amounts import hours_text

Place = tuple[float, float]
"""Latitude and longitude in degrees."""

_EARTH_RADIUS_M = 6_371_009


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider that serves the place and the service, with what is taken and left of its day, in minutes."""

    provider_id: UUID
    name: str
    township_code: str
    grade: int | None
    place: Place | None
    used_minutes: int
    left_minutes: int


@dataclass(frozen=True, slots=True)
class Visit:
    """What has to be found a provider for."""

    minutes: int
    township_code: str
    place: Place | None
    chosen_id: UUID | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who goes, and why, in Chinese."""

    provider_id: UUID
    because: str


def choose(visit: Visit, candidates: Iterable[Candidate]) -> Choice | None:
    """The provider that goes; None where nobody has room that day."""
    found = list(candidates)
    able = sorted(
        (c for c in found if c.left_minutes >= visit.minutes), key=lambda candidate: _preference(visit, candidate)
    )
    if not able:
        return None
    best = able[0]
    if best.provider_id == visit.chosen_id:
        return Choice(best.provider_id, "您选择的机构")
    chosen = next((c.name for c in found if c.provider_id == visit.chosen_id), None)
    instead = "" if visit.chosen_id is None else f"您选择的{chosen or '机构'}当天不能前来；"
    return Choice(best.provider_id, instead + _reasons(visit, best))


def distance_m(one: Place | None, other: Place | None) -> int | None:
    """Metres between two places along the ground, straight; None where one is unknown."""
    if one is None or other is None:
        return None
    (lat1, lon1), (lat2, lon2) = (tuple(map(radians, place)) for place in (one, other))
    chord = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return round(2 * _EARTH_RADIUS_M * asin(sqrt(min(1.0, chord))))


def _preference(visit: Visit, candidate: Candidate) -> tuple[bool, bool, float, int, int, str, UUID]:
    """Smaller is better."""
    distance = distance_m(visit.place, candidate.place)
    return (
        candidate.provider_id != visit.chosen_id,
        candidate.township_code != visit.township_code,
        inf if distance is None else distance,
        -(candidate.grade or 0),
        candidate.used_minutes,
        candidate.name,
        candidate.provider_id,
    )


def _reasons(visit: Visit, best: Candidate) -> str:
    reasons = ["本镇街机构" if best.township_code == visit.township_code else "邻近镇街机构"]
    distance = distance_m(visit.place, best.place)
    if distance is not None:
        reasons.append(f"距上门地点约{distance / 1000:.1f}公里")
    if best.grade is not None:
        reasons.append(f"{best.grade}A级")
    return "，".join([*reasons, f"当天还可服务{hours_text(best.left_minutes)}"])
