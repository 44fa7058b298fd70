"""Notices: a person's own, or those of the steward's township."""

from __future__ import annotations

from typing import Any

from marshmallow import fields
from sqlalchemy.orm import Session

from app.api.fields import Answer, Id, Moment, PageQuery, id_in_cursor
from app.api.operation import Page, operation, page
from app.api.parser import Doors
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed
from timebank.notifications.actions import notices_for

doors = Doors("notices", __name__, url_prefix="/api/v1/notices", description="通知")


class NoticeItem(Answer):
    """One notice."""

    notice_id = Id(required=True, attribute="id")
    title = fields.String(required=True)
    body = fields.String(required=True)
    written_at = Moment(required=True)


class NoticePage(Page):
    """Notices, newest first."""

    items = fields.List(fields.Nested(NoticeItem), required=True)


@operation(doors, "", "notices.list", "通知", query=PageQuery, answers=NoticePage)
def list_notices(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    if actor.person_id is None and not actor.is_steward:
        raise NotAllowed("no_notices", "这个登录身份没有通知")
    found = notices_for(
        session,
        person_id=actor.person_id,
        township_code=actor.township_code,
        limit=query["limit"] + 1,
        before=id_in_cursor(query.get("cursor")),
    )
    return page(found, query["limit"], lambda notice: notice.id)
