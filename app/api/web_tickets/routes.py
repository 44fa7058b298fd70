"""Tickets with which the mini-program opens the pages in its web view, signed in already."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from app.api.operation import operation
from app.api.parser import Doors
from app.api.web_tickets.schemas import IssueWebTicketBody, WebTicketAnswer
from timebank.core.actors import Actor
from timebank.people import actions

doors = Doors("web_tickets", __name__, url_prefix="/api/v1/web-tickets", description="网页进门票")

PAGE = "/m/ticket"


@operation(
    doors, "", "web_tickets.issue", "取网页进门票",
    method="POST", body=IssueWebTicketBody, answers=WebTicketAnswer, status=201,
)  # fmt: skip
def issue(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    issued = actions.issue_web_ticket(session, actor=actor)
    query = f"?next={quote(body['next'])}" if body["next"] else ""
    address = f"{PAGE}{query}#{issued.ticket}"
    return {"ticket": issued.ticket, "address": address, "expires_at": issued.expires_at}
