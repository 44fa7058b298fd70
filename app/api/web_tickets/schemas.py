"""Requests and answers of tickets into the web view."""

from marshmallow import fields

from app.api.fields import Answer, Body, Moment, Text


class IssueWebTicketBody(Body):
    """Which page is opened; without it the first one."""

    next = Text(shortest=0, longest=500, load_default="", metadata={"description": "本站的路径，如 /m/orders"})


class WebTicketAnswer(Answer):
    """The ticket, and the path to be opened in the web view; the ticket stands behind ``#``, which no server hears."""

    ticket = fields.String(required=True, metadata={"description": "只用一次，不要保存"})
    address = fields.String(required=True, metadata={"description": "web-view 要打开的路径，前面加上本站地址"})
    expires_at = Moment(required=True)
