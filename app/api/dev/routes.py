"""Development only: moving the bank's clock forward. Not registered in production."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.fields import Answer, Body, Moment
from app.api.operation import operation
from app.api.parser import Doors
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused

doors = Doors("dev", __name__, url_prefix="/api/v1/dev", description="开发工具")


class ClockBody(Body):
    """When it shall be."""

    now = Moment(required=True)


class ClockAnswer(Answer):
    """When it is."""

    now = Moment(required=True)


@operation(
    doors, "/clock", "dev.set_clock", "拨快时钟", method="POST", body=ClockBody, answers=ClockAnswer, anyone=True
)
def set_clock(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"now": clock.move_to(body["now"])}
    except ValueError:
        raise Refused("clock_forward_only", "时钟只能往后拨", now=clock.now()) from None
