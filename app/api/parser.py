"""Reading requests strictly: what cannot be read is refused before anybody thinks about it."""

from __future__ import annotations

from collections import deque
from typing import Any

import marshmallow
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser, abort
from werkzeug.routing import BaseConverter

DEEPEST_BODY = 32
"""How many levels of objects and lists a body may have; nothing here needs more than four."""


class StrictParser(FlaskParser):
    """Reads bodies and queries; unknown names are for the schemas to refuse, wherever they stand."""

    DEFAULT_UNKNOWN_BY_LOCATION: dict[str, str | None] = {}  # noqa: RUF012 - webargs fixes the attribute

    def load_json(self, req: Any, schema: marshmallow.Schema) -> Any:
        """The body; aborts with 415 where it is no JSON by its label and 400 where it cannot be read."""
        if getattr(schema, "may_be_left_out", False) and not req.content_type and not req.content_length:
            return {}
        if not req.is_json:
            abort(415)
        try:
            body = super().load_json(req, schema)
        except (ValueError, RecursionError):
            body = None, "unreadable"
        if isinstance(body, tuple) or _too_deep(body):
            abort(400, messages={"json": ["不是有效的 JSON"]})
        return body

    def load_querystring(self, req: Any, schema: marshmallow.Schema) -> Any:
        """The query. Raises ValidationError for a name given twice: which of the two counts would be a guess."""
        repeated = [name for name, values in req.args.lists() if len(values) > 1]
        if repeated:
            raise marshmallow.ValidationError({name: ["只能给一次"] for name in repeated})
        return super().load_querystring(req, schema)


class WindowName(BaseConverter):
    """The name of a clearing window in an address: its month, and which of the month it is if not the first."""

    pattern = "20[0-9]{2}-(?:0[1-9]|1[0-2])(?:-[1-9][0-9]{0,2})?"
    regex = pattern


class Doors(Blueprint):  # type: ignore[misc]  # flask-smorest ships no types
    """A domain's blueprint."""

    ARGUMENTS_PARSER = StrictParser()


def _too_deep(body: Any) -> bool:
    """Whether ``body`` has more than ``DEEPEST_BODY`` levels; looked at level by level, so that nothing recurses."""
    waiting = deque([(body, 1)])
    while waiting:
        value, level = waiting.popleft()
        held = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        if held and level > DEEPEST_BODY:
            return True
        waiting.extend((inner, level + 1) for inner in held if isinstance(inner, (dict, list)))
    return False
