"""Follow-up calls: who is to be called, and what came of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.follow_ups.schemas import FollowUpAnswer, FollowUpPage, FollowUpsQuery, RecordCallBody
from app.api.operation import operation
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.canteens.ratings import actions, views
from timebank.canteens.ratings.rules import REASON_NAMES, Reason
from timebank.canteens.ratings.views import FOLLOW_UP_ORDERS, FollowUpView
from timebank.core.actors import Actor

doors = Doors("follow_ups", __name__, url_prefix="/api/v1/follow-ups", description="用餐回访")


@operation(doors, "", "follow_ups.list", "回访名单", query=FollowUpsQuery, answers=FollowUpPage)
def list_follow_ups(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    found = views.follow_ups(
        session,
        actor=actor,
        township_code=query.get("township_code"),
        only_open=query["only_open"],
        part=part_of(query, FOLLOW_UP_ORDERS),
    )
    return listed(found.holding([_follow_up(view) for view in found.items]), FOLLOW_UP_ORDERS)


@operation(
    doors, "/<uuid:follow_up_id>/calls", "follow_ups.record", "登记回访电话",
    method="POST", body=RecordCallBody, answers=FollowUpAnswer, status=201, key="optional",
)  # fmt: skip
def record(session: Session, actor: Actor, body: dict[str, Any], follow_up_id: UUID) -> dict[str, Any]:
    followed = actions.record_call(session, actor=actor, follow_up_id=follow_up_id, **body)
    return _follow_up(views.follow_up_seen(session, actor=actor, follow_up=followed))


def _follow_up(view: FollowUpView) -> dict[str, Any]:
    followed, rating = view.follow_up, view.rating
    of_the_follow_up = ("reason", "township_code", "person_id", "order_id", "opened_at", "closed_at")
    return {
        **{name: getattr(followed, name) for name in of_the_follow_up},
        "follow_up_id": followed.id,
        "reason_name": REASON_NAMES[Reason(followed.reason)],
        "month": f"{followed.month:%Y-%m}",
        "name": view.person.name,
        "phone": view.phone,
        "served_on": view.order.served_on,
        "meal": view.order.meal,
        "canteen_id": view.canteen.id,
        "canteen_name": view.canteen.name,
        "stars": rating.stars if rating is not None else None,
        "rating_words": rating.words if rating is not None else "",
        "calls": view.calls,
    }
