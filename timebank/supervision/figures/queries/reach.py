"""Who is within a short walk of a canteen 15分钟为老助餐一张图: canteens with their circles, people only as numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ARRAY, Integer, Select, Text, bindparam, select, text
from sqlalchemy.orm import Session

from timebank.canteens.network.models import Canteen
from timebank.canteens.network.rules import STATE_NAMES, TYPE_NAMES, CanteenState, CanteenType
from timebank.core import clock
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation
from timebank.townships.queries import township_names

NO_VILLAGE = "没有登记村社"


@dataclass(frozen=True, slots=True)
class CanteenReach:
    """A canteen on the map, and how many people live within its circle; no circle where it is not open."""

    canteen_id: UUID
    name: str
    township_code: str
    canteen_type_name: str
    state: str
    state_name: str
    latitude: float | None
    longitude: float | None
    radius_m: int
    people_within: int


@dataclass(frozen=True, slots=True)
class AreaReach:
    """A township, or a village of it: its old people and diners, within reach or not, or at a place nobody knows."""

    area: str
    township_code: str
    people: int
    within: int
    beyond: int
    without_place: int


@dataclass(frozen=True, slots=True)
class Reach:
    """The map's numbers, the areas with most people out of reach first.

    A distance is as the crow flies, and a circle is ``map_minutes`` at ``walking_m_per_minute``: the same rule by which
    canteens near a home are found.
    """

    township_code: str | None
    township_name: str | None
    map_minutes: int
    walking_m_per_minute: int
    canteens: Sequence[CanteenReach]
    areas: Sequence[AreaReach]


_PEOPLE = """
people AS MATERIALIZED (
    SELECT p.id, p.township_code, d.latitude, d.longitude, e.village,
           floor(d.latitude / :cell_north) AS north, floor(d.longitude / :cell_east) AS east
    FROM person p
    LEFT JOIN diner d ON d.person_id = p.id AND d.state = 'approved'
    LEFT JOIN elder_file e ON e.person_id = p.id
    WHERE p.left_at IS NULL
      AND (d.person_id IS NOT NULL OR EXISTS (SELECT FROM person_role r WHERE r.person_id = p.id AND r.role = 'elder')))
"""

# A circle is at most one cell wide to each side, so whoever lives in it lives in one of the nine cells around it.
_HITS = """
circles AS MATERIALIZED (
    SELECT c.id, c.latitude, c.longitude, w.radius_m,
           floor(c.latitude / :cell_north) + n AS north, floor(c.longitude / :cell_east) + e AS east
    FROM canteen c JOIN organisation g ON g.id = c.id
    JOIN unnest(:codes, :radii) AS w (code, radius_m) ON w.code = g.township_code
    CROSS JOIN generate_series(-1, 1) AS n CROSS JOIN generate_series(-1, 1) AS e
    WHERE c.state = 'open' AND c.latitude IS NOT NULL),
hits AS MATERIALIZED (
    SELECT c.id AS canteen_id, p.id AS person_id, p.township_code
    FROM people p JOIN circles c ON c.north = p.north AND c.east = p.east
    WHERE 2 * 6371008.8 * asin(sqrt(least(1.0,
          power(sin(radians(c.latitude - p.latitude) / 2), 2)
          + cos(radians(p.latitude)) * cos(radians(c.latitude))
            * power(sin(radians(c.longitude - p.longitude) / 2), 2)))) <= c.radius_m)
"""

_BOUND = (bindparam("codes", type_=ARRAY(Text)), bindparam("radii", type_=ARRAY(Integer)))

_NUMBERS = text(f"""
WITH {_PEOPLE}, {_HITS}
SELECT NULL AS canteen_id,
       CASE WHEN CAST(:township AS text) IS NULL THEN '' ELSE coalesce(nullif(p.village, ''), :no_village) END AS area,
       p.township_code, count(*) AS people, count(*) FILTER (WHERE h.person_id IS NOT NULL) AS within,
       count(*) FILTER (WHERE h.person_id IS NULL AND p.latitude IS NOT NULL) AS beyond,
       count(*) FILTER (WHERE p.latitude IS NULL) AS without_place
FROM people p LEFT JOIN (SELECT DISTINCT person_id FROM hits) h ON h.person_id = p.id
WHERE CAST(:township AS text) IS NULL OR p.township_code = :township
GROUP BY 2, 3
UNION ALL
SELECT canteen_id, NULL, NULL, NULL, count(*), NULL, NULL FROM hits
WHERE CAST(:township AS text) IS NULL OR township_code = :township
GROUP BY 1
""").bindparams(*_BOUND)

_M_PER_DEGREE = 111_000
"""Less than any degree of latitude is long, so that a cell is rather too wide than too narrow."""

_NARROWEST = 0.85
"""Of a degree of latitude, what a degree of longitude has at least left anywhere in the province (31.5° north)."""


def reach(session: Session, *, township_code: str | None) -> Reach:
    """Canteens and numbers of people, at this moment. The caller has judged who may see it.

    By village within one township, by township otherwise. Canteens of the neighbours count for reach too, but are not
    listed. Nobody's home is named.
    """
    policies = in_force(session, at=clock.now())
    names = township_names(session)
    minutes, pace = (policies.whole(key, township_code) for key in ("map_minutes", "walking_m_per_minute"))
    radii = {code: policies.whole("map_minutes", code) * policies.whole("walking_m_per_minute", code) for code in names}
    widest = max(radii.values())
    asked = {
        "township": township_code,
        "no_village": NO_VILLAGE,
        "codes": list(radii),
        "radii": list(radii.values()),
        "cell_north": widest / _M_PER_DEGREE,
        "cell_east": widest / (_M_PER_DEGREE * _NARROWEST),
    }
    rows = session.execute(_NUMBERS, asked).all()
    areas = [
        AreaReach(row.area or names[row.township_code], row.township_code, *row[3:])
        for row in rows
        if row.canteen_id is None
    ]
    within = {row.canteen_id: row.within for row in rows if row.canteen_id is not None}
    return Reach(
        township_code,
        names[township_code] if township_code is not None else None,
        map_minutes=minutes,
        walking_m_per_minute=pace,
        canteens=[
            _canteen(canteen, organisation, radii, within.get(canteen.id, 0))
            for canteen, organisation in session.execute(_listed(township_code))
        ],
        areas=sorted(areas, key=lambda one: (-one.beyond, -one.without_place, one.township_code, one.area)),
    )


def _listed(township_code: str | None) -> Select[Canteen, Organisation]:
    """Canteens that are open, or will be or were and may be again."""
    query = select(Canteen, Organisation).join(Organisation, Organisation.id == Canteen.id)
    query = query.where(Canteen.state.not_in([CanteenState.REFUSED, CanteenState.CLOSED]))
    if township_code is not None:
        query = query.where(Organisation.township_code == township_code)
    return query.order_by(Organisation.township_code, Organisation.name)


def _canteen(canteen: Canteen, organisation: Organisation, radii: Mapping[str, int], people: int) -> CanteenReach:
    return CanteenReach(
        canteen.id,
        organisation.name,
        organisation.township_code,
        canteen_type_name=TYPE_NAMES[CanteenType(canteen.canteen_type)],
        state=canteen.state,
        state_name=STATE_NAMES[CanteenState(canteen.state)],
        latitude=canteen.latitude,
        longitude=canteen.longitude,
        radius_m=radii[organisation.township_code] if canteen.state == CanteenState.OPEN else 0,
        people_within=people,
    )
