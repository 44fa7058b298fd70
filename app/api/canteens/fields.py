"""Fields that canteens need beyond the usual ones."""

from __future__ import annotations

import re
from datetime import time
from typing import Any

from marshmallow import fields, validate

from app.api.fields import Degrees

_CLOCK_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
_DEGREES = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,12})?")


class ClockTime(fields.String):
    """A time of day in Fenghua to the minute, as 10:30."""

    default_error_messages = {
        "required": "必填",
        "null": "不能为空",
        "validator_failed": "值不合理",
        "invalid": "须为时间，如10:30",
    }

    def __init__(self, **rest: Any) -> None:
        super().__init__(metadata={"pattern": f"^{_CLOCK_TIME.pattern}$", "example": "10:30"}, **rest)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **rest: Any) -> Any:
        return None if value is None else f"{value:%H:%M}"

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Any:
        if not (isinstance(value, str) and _CLOCK_TIME.fullmatch(value)):
            raise self.make_error("invalid")
        return time.fromisoformat(value)


class QueryDegrees(Degrees):
    """Latitude or longitude written in a query string."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> float:
        if not (isinstance(value, str) and _DEGREES.fullmatch(value)):
            raise self.make_error("invalid")
        return float(value)


class Checklist(fields.Dict):
    """Points of an inspection, each in order or not."""

    default_error_messages = {"required": "必填", "null": "不能为空", "invalid": "须为 JSON 对象"}

    def __init__(self, keys: fields.Field[Any], values: fields.Field[Any], **rest: Any) -> None:
        said = validate.Length(max=50, error="最多50项")
        super().__init__(keys=keys, values=values, validate=said, **rest)
