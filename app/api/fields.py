"""Fields of requests and answers, strict about types, with messages in Chinese."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from marshmallow import INCLUDE, RAISE, Schema, ValidationError, fields, validate

from timebank.core import clock
from timebank.core.amounts import MAX_AMOUNT
from timebank.core.crypto import keyring

_SAID = {"required": "必填", "null": "不能为空", "validator_failed": "值不合理"}
_MOMENT = "须为带时区的时间，如2026-11-21T09:00:00+08:00"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNCLEAN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def is_clean(text: str) -> bool:
    """Whether ``text`` is free of control characters and of halves of surrogate pairs."""
    return _UNCLEAN.search(text) is None


class Text(fields.String):
    """Text of bounded length, trimmed; no control characters, nothing that no database can keep."""

    default_error_messages = {**_SAID, "invalid": "须为文字", "characters": "含有不能使用的字符"}

    def __init__(self, *, longest: int = 200, shortest: int = 1, **rest: Any) -> None:
        rest.setdefault("validate", validate.Length(shortest, longest, error=f"须为{shortest}至{longest}个字"))
        super().__init__(**rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if not is_clean(value):
            raise self.make_error("characters")
        return value.strip()


class Choice(Text):
    """One of a few words."""

    def __init__(self, choices: list[str], **rest: Any) -> None:
        super().__init__(validate=validate.OneOf(choices, error="只能是其中之一：" + "、".join(choices)), **rest)


class Whole(fields.Integer):
    """A whole number in JSON; a fraction, a text or a truth value is none."""

    default_error_messages = {**_SAID, "invalid": "须为整数", "too_large": "须为整数"}

    def __init__(self, lowest: int = 1, highest: int = MAX_AMOUNT, **rest: Any) -> None:
        said = f"须在{lowest}至{highest}之间"
        super().__init__(validate=validate.Range(lowest, highest, error=said), **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid")
        return value


class QueryWhole(Whole):
    """A whole number written in a query string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 16):
            raise self.make_error("invalid")
        return int(value)


class Flag(fields.Boolean):
    """A truth value in JSON; a number or a text is none."""

    default_error_messages = {**_SAID, "invalid": "须为 true 或 false"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class QueryFlag(fields.Boolean):
    """A truth value written in a query string."""

    default_error_messages = {**_SAID, "invalid": "须为 true 或 false"}


class Degrees(fields.Float):
    """Latitude or longitude."""

    default_error_messages = {**_SAID, "invalid": "须为数字", "special": "须为数字", "too_large": "须为数字"}

    def __init__(self, most: float, **rest: Any) -> None:
        super().__init__(validate=validate.Range(-most, most, error=f"须在-{most}至{most}之间"), **rest)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> float:
        if isinstance(value, (bool, str)):
            raise self.make_error("invalid")
        return super()._deserialize(value, attr, data, **rest)


class Id(fields.UUID):
    """An identifier."""

    default_error_messages = {**_SAID, "invalid_uuid": "编号格式不对"}


class Moment(fields.AwareDateTime):
    """A moment as RFC 3339 with offset; answered in Beijing time."""

    default_error_messages = {
        **_SAID,
        "invalid": _MOMENT,
        "invalid_awareness": _MOMENT,
        "range": "时间超出范围",
    }

    def _serialize(self, value: Any, attr: str | None, obj: Any, **rest: Any) -> Any:
        return None if value is None else value.astimezone(clock.LOCAL).isoformat()

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> datetime:
        if not isinstance(value, str) or len(value) < 20:
            raise self.make_error("invalid")
        try:
            moment: datetime = super()._deserialize(value, attr, data, **rest)
        except (ValueError, OverflowError):
            raise self.make_error("invalid") from None
        if moment.tzinfo is None:
            raise self.make_error("invalid")
        if not EARLIEST <= moment <= LATEST:
            raise self.make_error("range")
        return moment


class Day(fields.Date):
    """A calendar day in Fenghua, as 2026-11-21."""

    default_error_messages = {**_SAID, "invalid": "须为日期，如2026-11-21", "range": "日期超出范围"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> date:
        if not isinstance(value, str) or not _DAY.fullmatch(value):
            raise self.make_error("invalid")
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise self.make_error("invalid") from None
        if not EARLIEST.date() <= day <= LATEST.date():
            raise self.make_error("range")
        return day


class Cursor(fields.Field[Any]):
    """Where a list goes on; opaque to whoever holds it."""

    default_error_messages = {**_SAID, "invalid": "翻页标记无效，请从头列出"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Any:
        try:
            place = json.loads(base64.b64decode(str(value).encode("ascii"), altchars=b"-_", validate=True))
        except (ValueError, binascii.Error, RecursionError):
            raise self.make_error("invalid") from None
        if place is None:
            # Else a forged mark would silently begin the list anew.
            raise self.make_error("invalid")
        return place


class SealedCursor(Cursor):
    """Where a list goes on that may be sorted by a name: sealed, so that an address that holds it tells nobody any."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Any:
        try:
            sealed = base64.b64decode(str(value).encode("ascii"), altchars=b"-_", validate=True)
            return json.loads(keyring().open(sealed))
        except (ValueError, binascii.Error):
            raise self.make_error("invalid") from None


def sealed_cursor_of(place: Any) -> str:
    """Write a place in a list as a sealed cursor."""
    return base64.urlsafe_b64encode(keyring().seal(json.dumps(place))).decode()


def cursor_of(place: Any) -> str:
    """Write a place in a list as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(place, default=str).encode()).decode()


def id_in_cursor(place: Any) -> UUID | None:
    """The id that a cursor stands for. Raises ValidationError where it is none."""
    if place is None:
        return None
    try:
        return UUID(place)
    except (ValueError, TypeError, AttributeError):
        raise ValidationError({"cursor": [Cursor.default_error_messages["invalid"]]}) from None


def numbers_in_cursor(place: Any, count: int) -> tuple[int, ...] | None:
    """The whole numbers that a cursor stands for. Raises ValidationError where it is none of ours."""
    if place is None:
        return None
    good = isinstance(place, list) and len(place) == count
    if not good or any(isinstance(n, bool) or not isinstance(n, int) or not 0 <= n < 2**62 for n in place):
        raise ValidationError({"cursor": [Cursor.default_error_messages["invalid"]]})
    return tuple(place)


def moment_and_key_in_cursor(place: Any) -> tuple[datetime, str] | None:
    """The moment and the key that a cursor stands for. Raises ValidationError where it is none of ours."""
    if place is None:
        return None
    try:
        moment, key = place
        read = datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        read, key = None, None
    if read is None or read.tzinfo is None or not (isinstance(key, str) and is_clean(key)):
        raise ValidationError({"cursor": [Cursor.default_error_messages["invalid"]]})
    return read, key


def name_and_id_in_cursor(place: Any) -> tuple[str, UUID] | None:
    """The name and the id that a cursor stands for. Raises ValidationError where it is none of ours."""
    if place is None:
        return None
    name, last = place if isinstance(place, list) and len(place) == 2 else (None, None)
    found = id_in_cursor(last)
    if found is None or not (isinstance(name, str) and is_clean(name)):
        raise ValidationError({"cursor": [Cursor.default_error_messages["invalid"]]})
    return name, found


class Anything(fields.Raw):
    """Any JSON value whose texts can be kept; what it has to be is decided further in."""

    default_error_messages = {**_SAID, "characters": "含有不能使用的字符"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Any:
        if not all(is_clean(text) for text in _texts(value)):
            raise self.make_error("characters")
        return value


class Several(fields.List[Any]):
    """A list of ``lowest`` to ``highest`` things."""

    default_error_messages = {**_SAID, "invalid": "须为列表"}

    def __init__(self, inner: fields.Field[Any], *, lowest: int, highest: int, **rest: Any) -> None:
        said = f"须为{lowest}至{highest}项"
        super().__init__(inner, validate=validate.Length(lowest, highest, error=said), **rest)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of a list that could not be read: what is wrong, and what was sent."""

    errors: Any
    sent: Any


class EachByItself(Several):
    """A list of which each item is read by itself; one that cannot be read comes as ``Unreadable``."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return [self._one(item) for item in value]

    def _one(self, item: Any) -> Any:
        try:
            return self.inner.deserialize(item)
        except ValidationError as wrong:
            return Unreadable(wrong.messages, item)


class Scanned(fields.String):
    """Whatever a scanner reads: any text, also one that is no code of ours, cut to what is worth keeping."""

    default_error_messages = {**_SAID, "invalid": "须为文字"}
    _LONGEST = 200

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        return "".join(c for c in value if is_clean(c)).strip()[: self._LONGEST]


class Part(fields.Nested):
    """A JSON object within another."""

    default_error_messages = {**_SAID, "type": "须为 JSON 对象"}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, held in value.items():
            yield key
            yield from _texts(held)
    elif isinstance(value, list):
        for held in value:
            yield from _texts(held)


class Body(Schema):
    """A request's body or query: unknown fields are refused."""

    error_messages = {"unknown": "没有这个字段", "type": "须为 JSON 对象"}

    may_be_left_out = False
    """Whether a request without any body is read as an empty one."""

    class Meta:
        """Nothing slips through."""

        unknown = RAISE


class Answer(Schema):
    """An answer's body; who reads one lives with fields that are added later."""

    class Meta:
        """So the description does not forbid them."""

        unknown = INCLUDE


class PageQuery(Body):
    """How much of a list, and from where."""

    cursor = Cursor(metadata={"type": "string"})
    limit = QueryWhole(1, 100, load_default=50)
