"""Whose figures somebody may see."""

from __future__ import annotations

from sqlalchemy.orm import Session

from timebank.core.actors import Actor
from timebank.townships.queries import township


def whose_figures(session: Session, actor: Actor, township_code: str | None) -> str | None:
    """The township whose figures are meant, None for all of them; a township's steward sees its own.

    Raises NotAllowed ``books_not_yours``, ``other_township``; Refused ``township_unknown``.
    """
    actor.must_see_books()
    if actor.is_steward and not actor.is_district:
        code = township_code or actor.township_code
        actor.must_steward(code)
        return code
    return township(session, township_code).code if township_code is not None else None
