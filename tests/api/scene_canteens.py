"""Canteens of the scene: the clerk's own in 大堰; in 西坞 one open, with a grade proposed, and one applied for."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.canteens import apply_for_canteen, open_canteen
from tests.factories.people import DAYAN, XIWU, district
from timebank.canteens.network.actions import propose_grade
from timebank.core import clock


def add_clerks_canteen(session: Session) -> UUID:
    """The canteen where the scene's clerk works, open before anything is redeemed there."""
    return open_canteen(session, DAYAN, name="大堰镇老年食堂").id


def add_canteens(session: Session) -> dict[str, UUID]:
    """Ids of the others by how they stand."""
    standing = {"open": open_canteen(session, XIWU, name="西坞街道中心食堂", canteen_type="central").id}
    propose_grade(session, actor=district(), canteen_id=standing["open"], year=clock.today().year, grade="AA")
    standing["applied"] = apply_for_canteen(session, XIWU, name="蒋家池头村老年食堂").id
    return standing
