"""The part of the scene with a death in it that a steward has reported."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from tests.factories.people import XIWU, add_person, steward
from timebank.core import clock
from timebank.leaving.actions import report_death
from timebank.leaving.actions.deaths import Death


def add_death(session: Session) -> UUID:
    """Somebody of 西坞 whom nothing else of the scene knows; answers the report."""
    dead = add_person(session, XIWU, age=90, roles=("elder",), name="吴阿公")
    death = Death(dead.person(), clock.today(), "死亡证明第9号")
    return report_death(session, actor=steward(XIWU), death=death).id
