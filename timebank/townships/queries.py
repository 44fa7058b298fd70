"""Seeing townships, villages and organisations."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.core.errors import NotFound, Refused
from timebank.townships.models import Organisation, Township, Village


def townships(session: Session) -> Sequence[Township]:
    """All townships, by code."""
    return session.scalars(select(Township).order_by(Township.code)).all()


def township(session: Session, code: str) -> Township:
    """One township. Raises Refused ``township_unknown``."""
    found = session.get(Township, code)
    if found is None:
        raise Refused("township_unknown", "没有这个镇街", township_code=code)
    return found


def township_names(session: Session) -> dict[str, str]:
    """Names by code."""
    return {row.code: row.name for row in session.execute(select(Township.code, Township.name))}


def village_names(session: Session, township_code: str) -> Sequence[str]:
    """The official names of a township's villages, by code."""
    query = select(Village.name).where(Village.township_code == township_code).order_by(Village.code)
    return session.scalars(query).all()


def canteen(session: Session, organisation_id: UUID) -> Organisation:
    """One canteen. Raises NotFound ``canteen_unknown``."""
    found = session.get(Organisation, organisation_id)
    if found is None or found.kind != "canteen":
        raise NotFound("canteen_unknown", "没有这个助餐点")
    return found
