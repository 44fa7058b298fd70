"""Diners of the scene: the elder is one, with a category; somebody of 西坞 waits for review."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.diners import enrolled
from tests.factories.people import XIWU, steward
from timebank.canteens.diners.actions import Application, Grant, add_category, apply
from timebank.core.actors import Actor

GRANT = Grant("low_income", date(2026, 1, 1), "低保证2026-12")


def add_diners(session: Session, elder: Actor, canteen_id: UUID) -> tuple[dict[str, UUID], UUID]:
    """Ids of diners by how they stand, and of the elder's category; ``canteen_id`` is the elder's usual one."""
    wishes = {"usual_canteen_id": canteen_id, "diet_form": "soft", "delivery_address": "白杜村12号"}
    apply(session, actor=steward(XIWU), form=Application(elder.person(), wishes))
    category = add_category(session, actor=steward(XIWU), person_id=elder.person(), grant=GRANT)
    waiting = enrolled(session, XIWU, name="王阿宝")
    apply(session, actor=waiting, form=Application(categories=["disabled"], evidence="残疾证"))
    return {"approved": elder.person(), "waiting": waiting.person()}, category.id
