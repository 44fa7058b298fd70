"""Ready-made policy sets: which there are, and where two of them differ; for the district and auditors."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import PageQuery, numbers_in_cursor
from app.api.operation import operation, page_of_all
from app.api.policies.routes import doors
from app.api.policies.set_schemas import (
    CompareQuery,
    DifferencePage,
    PolicySetPage,
    SetAgainstNowPage,
    SetTrialAnswer,
    SetTrialQuery,
)
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.policies import comparing
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.queries import in_force
from timebank.supervision.policy_trial import Trial, try_set


@operation(doors, "/sets", "policies.sets", "办法范本", query=PageQuery, answers=PolicySetPage)
def list_sets(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_district()
    return page_of_all([comparing.policy_set(name) for name in comparing.set_names()], query)


@operation(
    doors, "/sets/<string:name>", "policies.set", "一套办法范本与现行办法",
    query=PageQuery, answers=SetAgainstNowPage,
)  # fmt: skip
def show_set(session: Session, actor: Actor, query: dict[str, Any], name: str) -> dict[str, Any]:
    actor.must_see_district()
    # A mark that is none is said before a set that is none.
    numbers_in_cursor(query.get("cursor"), 1)
    wanted, now = comparing.policy_set(name), in_force(session, at=clock.now())
    items = [
        {
            **{part: getattr(DEFINITIONS[key], part) for part in ("key", "label", "unit")},
            "now": now.value(key),
            "then": one,
            "differs": now.value(key) != one.value,
        }
        for key, one in wanted.values.items()
    ]
    return {"name": wanted.name, "title": wanted.title, **page_of_all(items, query)}


@operation(
    doors, "/sets/<string:name>/trial", "policies.trial", "试算一套办法范本",
    query=SetTrialQuery, answers=SetTrialAnswer, one_moment=True,
)  # fmt: skip
def trial(session: Session, actor: Actor, query: dict[str, Any], name: str) -> Trial:
    actor.must_see_district()
    return try_set(session, wanted=comparing.policy_set(name), months=query["months"])


@operation(doors, "/compare", "policies.compare", "比较两套范本", query=CompareQuery, answers=DifferencePage)
def compare(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_district()
    one, other = (comparing.policy_set(query[name]) for name in ("one", "other"))
    return page_of_all(comparing.compare(one, other), query)
