"""How pages ask the bank: by the operations of the API, within the process, so that both follow the same rules.

What a form sends is read by the operation's own schema; what moves value is done once under the form's key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from flask import json
from marshmallow import Schema, ValidationError, fields
from sqlalchemy.orm import Session

from app.api.fields import Flag, Whole
from app.api.operation import OFFERED, Offered, done
from app.idempotency import Asked, once
from app.problems import field_errors, problem_of
from timebank.core.actors import Actor
from timebank.core.db import of_one_moment, unit_of_work
from timebank.core.errors import BankError

Values = Mapping[str, Any]

_BITE = 1000
"""Items of a list that is read whole: ten times what anybody outside may ask for at once."""

NOTHING = object()
"""In a body: null, where a field that is left out would say something else."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A no, for the page to show: in words, by its code, and beside the fields that are wrong."""

    title: str
    code: str
    facts: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)

    @property
    def beside_no_field(self) -> list[str]:
        """What is wrong with the form as a whole, or within something that it does not draw as one field."""
        return [one for name, said in self.errors.items() if name == "_" or "." in name for one in said]


def wrong(field_name: str, words: str) -> Refusal:
    """One field of a form cannot be read, or what it says leads nowhere."""
    return _invalid({field_name: [words]})


class Asker:
    """Asks on behalf of whoever is signed in."""

    def __init__(self, session: Session, actor: Actor) -> None:
        self._session, self.actor = session, actor

    def read(self, operation_id: str, query: Values | None = None, **path: Any) -> Any:
        """What an operation answers, as the API would say it. Raises BankError, ValidationError."""
        offered = OFFERED[operation_id]
        parsed = () if offered.query is None else (offered.query().load(_as_query(query)),)
        with unit_of_work(self._session):
            if offered.spec.one_moment:
                of_one_moment(self._session)
            _, answer = done(offered.spec, partial(offered.view, self._session, self.actor, *parsed, **path))
        if isinstance(answer, BankError):
            raise answer
        return answer

    def everything(self, operation_id: str, query: Values | None = None, *, most: int = 500, **path: Any) -> list[Any]:
        """The items of a list, page by page, ``most`` at most. Raises what ``read`` raises."""
        items: list[Any] = []
        asked = {**(query or {}), "limit": 100}
        while len(items) < most:
            page = self.read(operation_id, asked, **path)
            items += page["items"]
            if page["next_cursor"] is None:
                break
            asked["cursor"] = page["next_cursor"]
        return items[:most]

    def every_item(self, operation_id: str, query: Values | None = None, **path: Any) -> Iterator[Any]:
        """All items of a list as they are at one moment, taken in large bites and never held together.

        Nothing else may be asked until it is through. Raises what ``read`` raises.
        """
        offered = OFFERED[operation_id]
        assert offered.query is not None
        wanted = _as_query(query)
        with unit_of_work(self._session):
            of_one_moment(self._session)
            while True:
                parsed = {**offered.query().load(wanted), "limit": _BITE}
                _, answer = done(offered.spec, partial(offered.view, self._session, self.actor, parsed, **path))
                yield from answer["items"]
                if answer["next_cursor"] is None:
                    return
                wanted["cursor"] = answer["next_cursor"]

    def unreadable(self, operation_id: str, body: Values | None = None) -> Refusal | None:
        """What is wrong with a form, before anybody is asked whether they are sure; nothing is done."""
        try:
            _loaded(OFFERED[operation_id], body)
        except ValidationError as invalid:
            return _invalid(field_errors(invalid.messages))
        return None

    def write(self, operation_id: str, body: Values | None = None, *, key: str, **path: Any) -> Any:
        """Do an operation once under ``key``; the answer, or a ``Refusal``, after which nothing has changed."""
        offered = OFFERED[operation_id]
        try:
            given, parsed = _loaded(offered, body)
        except ValidationError as invalid:
            return _invalid(field_errors(invalid.messages))
        try:
            return self._done_once(offered, key, parsed, given, path)
        except BankError as refusal:
            return _refused(problem_of(refusal))

    def hand_in(self, operation_id: str, query: Values, content: bytes, **path: Any) -> Any:
        """Hand a file in; the answer, or a ``Refusal``, after which nothing has changed."""
        offered = OFFERED[operation_id]
        assert offered.query is not None
        try:
            parsed = offered.query().load(_as_query(query))
        except ValidationError as invalid:
            return _invalid(field_errors(invalid.messages))
        try:
            return self._done_once(offered, "", (parsed, content), {}, path)
        except BankError as refusal:
            return _refused(problem_of(refusal))

    def _done_once(self, offered: Offered, key: str, parsed: tuple[Any, ...], given: Values, path: Values) -> Any:
        spec = offered.spec
        with unit_of_work(self._session):
            deed = partial(done, spec, partial(offered.view, self._session, self.actor, *parsed, **path))
            if spec.key is None:
                status, answer = deed()
            else:
                where = json.dumps(["page", *sorted((name, str(value)) for name, value in path.items())])
                asked = Asked(spec.operation_id, where, given if offered.body is not None else None)
                status, answer, _ = once(self._session, self.actor, key, asked, deed)
        if isinstance(answer, BankError):
            raise answer
        return _refused(answer) if status >= 400 else answer


def _loaded(offered: Offered, body: Values | None) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """What was sent, as JSON would say it, and what the operation's view is called with. Raises ValidationError."""
    given = _given(body)
    if offered.body is None:
        return given, ()
    schema = offered.body()
    given = _as_json(schema, given)
    return given, (schema.load(given),)


def _given(values: Values | None) -> dict[str, Any]:
    """What was filled in; a field left empty is one that was not sent."""
    told = {name: value for name, value in (values or {}).items() if value not in (None, "")}
    return {name: None if value is NOTHING else value for name, value in told.items()}


def _as_query(values: Values | None) -> dict[str, str]:
    """As a query string would say it."""
    return {name: str(value) for name, value in _given(values).items()}


def _as_json(schema: Schema, values: Values) -> dict[str, Any]:
    """As JSON would say what a form can only say in text: whole numbers and truth values."""
    return {name: _typed(schema.fields.get(name), value) for name, value in values.items()}


def _typed(field_: fields.Field[Any] | None, value: Any) -> Any:
    if isinstance(field_, Whole) and isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    if isinstance(field_, Flag) and isinstance(value, str):
        return {"1": True, "0": False}.get(value, value)
    return value


def _refused(problem: Values) -> Refusal:
    said = {"type", "title", "status", "detail", "code", "request_id", "errors"}
    facts = {name: fact for name, fact in problem.items() if name not in said}
    field_of = {str(facts["field"]): [str(problem["title"])]} if "field" in facts else {}
    return Refusal(str(problem["detail"]), str(problem["code"]), facts, field_of)


def _invalid(errors: dict[str, list[str]]) -> Refusal:
    return Refusal("填写有误，请检查标出的地方", "invalid_input", {}, errors)
