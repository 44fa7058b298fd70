"""Ready-made policy sets: which there are, and where two of them differ; for the district and auditors."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import PageQuery
from app.api.operation import operation, page_of_all
from app.api.policies.routes import doors
from app.api.policies.set_schemas import CompareQuery, DifferencePage, PolicySetPage
from timebank.core.actors import Actor
from timebank.policies import comparing


@operation(doors, "/sets", "policies.sets", "办法范本", query=PageQuery, answers=PolicySetPage)
def list_sets(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_district()
    return page_of_all([comparing.policy_set(name) for name in comparing.set_names()], query)


@operation(doors, "/compare", "policies.compare", "比较两套范本", query=CompareQuery, answers=DifferencePage)
def compare(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_district()
    one, other = (comparing.policy_set(query[name]) for name in ("one", "other"))
    return page_of_all(comparing.compare(one, other), query)
