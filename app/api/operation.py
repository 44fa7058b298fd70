"""One way to write a route: parse, one unit of work, one call, one answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, wraps
from io import SEEK_END
from typing import Any, BinaryIO

import marshmallow
from flask import Response, g, json, request

from app.api.fields import Answer, Whole, cursor_of, numbers_in_cursor
from app.api.parser import Doors
from app.api.together import Asking, alone, do_together
from app.api.uploads import FileBody
from app.auth.current import current_actor, known_as, signed_in_login
from app.idempotency import LONGEST_KEY, Asked, KeyRule, once, read_key
from app.problems import problem_response
from app.session import request_session
from timebank.core.actors import Actor
from timebank.core.db import of_one_moment, unit_of_work
from timebank.core.errors import BankError

ANYONE = Actor(login_id=None, name="")
"""The actor of operations that need no login."""

_REPLAYED = {
    "Idempotency-Replayed": {
        "description": "重复请求时为 true，答复与第一次相同",
        "schema": {"type": "string", "enum": ["true"]},
    }
}

_PIECE_BYTES = 64 * 1024

SUMMARY_OF: dict[str, str] = {}
"""What each operation is called in Chinese, filled as the doors register them."""

View = Callable[..., Any]
Finish = Callable[[Actor, dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Spec:
    """What one operation takes and answers."""

    operation_id: str
    answers: marshmallow.Schema | None
    media_type: str
    status: int
    key: KeyRule | None
    anyone: bool
    has_body: bool
    finish: Finish | None
    one_moment: bool


@dataclass(frozen=True, slots=True)
class Offered:
    """An operation as pages call it, within the process: what it reads, and the view behind it."""

    spec: Spec
    view: View
    body: type[marshmallow.Schema] | None
    query: type[marshmallow.Schema] | None


OFFERED: dict[str, Offered] = {}
"""Every operation by its id, filled as the doors register them."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What a view answers that has headers of its own: bytes, or an open file, which is closed once it is sent."""

    content: bytes | BinaryIO
    headers: Mapping[str, str] = field(default_factory=dict)


def operation(
    doors: Doors,
    rule: str,
    operation_id: str,
    summary: str,
    *,
    answers: type[marshmallow.Schema] | None,
    method: str = "GET",
    body: type[marshmallow.Schema] | None = None,
    file: FileBody | None = None,
    query: type[marshmallow.Schema] | None = None,
    status: int = 200,
    key: KeyRule | None = None,
    anyone: bool = False,
    media_type: str = "application/json",
    finish: Finish | None = None,
    one_moment: bool = False,
    gathered: bool = False,
) -> Callable[[View], View]:
    """Register ``view(session, actor, [body or query], [file], **path)`` as one operation.

    ``key`` says whether an Idempotency-Key is required or may be given; what moves minutes requires it. The view
    returns what ``answers`` dumps, or a BankError to refuse and still keep what was written. With another
    ``media_type`` there is no schema, and the view returns bytes or ``Sent``. ``finish(actor, answer)`` adds to every
    answer what may not be kept for a replay. With ``one_moment`` all that the view reads is of one moment.

    With ``gathered`` calls that come together are done together: the view is a ``ManyView`` of calls with a body, of
    somebody signed in, and without a key; nothing of ``finish`` or ``one_moment``.
    """
    assert not gathered or (body is not None and not (key or anyone or finish or one_moment or file or query))
    SUMMARY_OF[operation_id] = summary
    # One for all requests and answers: making a schema costs more than reading or writing with it.
    schema = None if answers is None else answers()
    spec = Spec(operation_id, schema, media_type, status, key, anyone, body is not None, finish, one_moment)

    def decorate(view: View) -> View:
        OFFERED[operation_id] = Offered(spec, alone(view) if gathered else view, body, query)

        @wraps(view)
        def door(*parsed: Any, **path: Any) -> Response:
            return _answer_together(spec, view, *parsed) if gathered else _answer(spec, view, parsed, path)

        wrapped: Any = door if file is None else file.read_into(door)
        if body is not None:
            needed = not getattr(body, "may_be_left_out", False)
            wrapped = doors.arguments(body(), location="json", required=needed)(wrapped)
        if query is not None:
            wrapped = doors.arguments(query(), location="query")(wrapped)
        documented = answers or {"type": "string", "format": "binary"}
        wrapped = doors.response(
            status, documented, content_type=media_type, headers=_REPLAYED if key is not None else None
        )(wrapped)
        wrapped = doors.doc(operationId=operation_id, summary=summary, **_documented(key, anyone, file))(wrapped)
        at_the_door = _at_the_door(spec, wrapped)
        doors.route(rule, methods=[method])(at_the_door if file is None else file.allow(at_the_door))
        return view

    return decorate


def _documented(key: KeyRule | None, anyone: bool, file: FileBody | None) -> dict[str, Any]:
    said: dict[str, Any] = {"security": [] if anyone else [{"bearer": []}]}
    if key is not None:
        said["parameters"] = [
            {
                "in": "header",
                "name": "Idempotency-Key",
                "required": key == "required",
                "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY},
                "description": "同一键同一内容只办一次；重复请求得到第一次的答复。",
            }
        ]
    if file is not None:
        said["requestBody"] = file.documented()
    return said


def _at_the_door(spec: Spec, inside: View) -> View:
    """Token and key are looked at before the body is read, and while it is read no database connection waits."""

    @wraps(inside)
    def at_the_door(**path: Any) -> Any:
        g.operation_id = spec.operation_id
        g.token_login_id = None if spec.anyone else signed_in_login()
        g.given_key = read_key(spec.key) if spec.key is not None else None
        return inside(**path)

    return at_the_door


def _answer(spec: Spec, view: View, parsed: tuple[Any, ...], path: dict[str, Any]) -> Response:
    session = request_session()
    replayed = False
    with unit_of_work(session):
        if spec.one_moment:
            of_one_moment(session)
        actor = ANYONE if spec.anyone else current_actor(session, g.token_login_id)
        deed = partial(done, spec, partial(view, session, actor, *parsed, **path))
        if g.given_key is None:
            status, body = deed()
        else:
            asked = Asked(spec.operation_id, request.path, request.get_json(silent=True) if spec.has_body else None)
            status, body, replayed = once(session, actor, g.given_key, asked, deed)
    if isinstance(body, BankError):
        raise body
    if spec.finish is not None and status < 400:
        body = spec.finish(actor, body)
    response = _response(status, body, spec.media_type)
    if replayed:
        response.headers["Idempotency-Replayed"] = "true"
    return response


def _answer_together(spec: Spec, view: View, body: dict[str, Any]) -> Response:
    heard = do_together(spec.operation_id, view, Asking(g.token_login_id, body))
    if heard.actor is not None:
        known_as(heard.actor)
    # In the caller's own thread: what is written out is no part of anybody else's wait.
    _, answer = done(spec, lambda: heard.answer)
    if isinstance(answer, BankError):
        raise answer
    return _response(spec.status, answer, spec.media_type)


def done(spec: Spec, view: Callable[[], Any]) -> tuple[int, Any]:
    """Do it: the status, and what was answered in the words of the operation's schema."""
    found = view()
    # A refusal that is returned, not raised, keeps what was written beside it (a counted failure).
    if isinstance(found, BankError) or spec.answers is None:
        return spec.status, found
    return spec.status, spec.answers.dump(found)


def _response(status: int, body: Any, media_type: str) -> Response:
    if status >= 400:
        return problem_response(body)
    if isinstance(body, Sent):
        return sent_response(status, body, media_type)
    sent = body if isinstance(body, bytes) else json.dumps(body)
    return Response(sent, status=status, content_type=media_type)


def sent_response(status: int, sent: Sent, media_type: str) -> Response:
    """Bytes or an open file on their way, with the headers of their own."""
    content = sent.content
    if isinstance(content, bytes):
        return Response(content, status=status, headers=dict(sent.headers), mimetype=media_type)
    # Piece by piece: a workbook may be larger than one wants to hold in memory.
    response = Response(_pieces(content), status=status, headers=dict(sent.headers), mimetype=media_type)
    response.content_length = content.seek(0, SEEK_END)
    content.seek(0)
    # Also where nobody reads it, as for HEAD.
    response.call_on_close(content.close)
    return response


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


class Page(Answer):
    """Base of list answers; subclasses add ``items``."""

    next_cursor = marshmallow.fields.String(
        required=True, allow_none=True, metadata={"description": "null 表示没有更多"}
    )


def page(found: Any, limit: int, place: Callable[[Any], Any]) -> dict[str, Any]:
    """One page from a query asked for ``limit + 1`` rows; ``place`` is where the next page goes on after a row."""
    items = list(found[:limit])
    return {"items": items, "next_cursor": cursor_of(place(items[-1])) if len(found) > limit else None}


def page_of_all(items: Sequence[Any], query: dict[str, Any]) -> dict[str, Any]:
    """One page of a list that is short enough to be had whole; the cursor is how many came before."""
    place = numbers_in_cursor(query.get("cursor"), 1)
    before = place[0] if place else 0
    shown = items[before : before + query["limit"]]
    following = before + len(shown)
    return {"items": shown, "next_cursor": cursor_of([following]) if following < len(items) else None}


class Problem(Answer):
    """RFC 9457 problem answer; facts stand beside these fields."""

    type = marshmallow.fields.String(required=True)
    title = marshmallow.fields.String(required=True)
    status = Whole(required=True)
    detail = marshmallow.fields.String(required=True)
    code = marshmallow.fields.String(required=True)
    request_id = marshmallow.fields.String(required=True)
    errors = marshmallow.fields.Dict(
        keys=marshmallow.fields.String(),
        values=marshmallow.fields.List(marshmallow.fields.String()),
        metadata={"description": "字段名（如 scans.3.code）与说明"},
    )
