"""Lists that may be sorted: what a query may ask for, and the cursor, which is good for its own order only."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields

from app.api.fields import Choice, Cursor, Day, PageQuery, QueryFlag, SealedCursor, sealed_cursor_of
from app.api.operation import Page
from timebank.core.sorting import MOST_COUNTED, Orders, Part, Slice


class Sort(Choice):
    """By which column a list is sorted."""

    def __init__(self, orders: Orders) -> None:
        self.usual = orders.usual
        said = f"按哪一列排列，前加 - 为倒序，空值总在最后；默认 {orders.usual}"
        super().__init__(orders.names, metadata={"description": said})


class SortedQuery(PageQuery):
    """How much of a sorted list, and from where; subclasses add ``sort``."""

    cursor = SealedCursor(metadata={"type": "string", "description": "须与它来自的排序一致"})
    count = QueryFlag(load_default=False, metadata={"description": "是否数出总数"})


class DatedQuery(SortedQuery):
    """Between two days as well, both included."""

    since = Day(metadata={"description": "从这一天起"})
    until = Day(metadata={"description": "到这一天为止"})


class SortedPage(Page):
    """Base of answers of sorted lists; subclasses add ``items``."""

    total = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": f"count=true 时的总数；没有问，或超过 {MOST_COUNTED} 时为 null"},
    )


def part_of(query: dict[str, Any], orders: Orders) -> Part:
    """Which part a query asks for. Raises ValidationError for a cursor of another list or another order."""
    sort, cursor = query.get("sort"), query.get("cursor")
    after = None
    if cursor is not None:
        try:
            of, sorted_by, value, last = cursor
            after = (_unpacked(value), _unpacked(last))
        except (ValueError, TypeError):
            of = sorted_by = None
        if (of, sorted_by) != (orders.of, sort or orders.usual):
            raise ValidationError({"cursor": [Cursor.default_error_messages["invalid"]]})
    return Part(query["limit"], sort, after, query["count"])


def listed(found: Slice[Any], orders: Orders) -> dict[str, Any]:
    """One part of a list as it is answered."""
    cursor = None
    if found.following is not None:
        value, last = found.following
        place = [orders.of, found.sort, _packed(value), _packed(last)]
        cursor = sealed_cursor_of(place)
    return {"items": found.items, "next_cursor": cursor, "total": found.total}


def _packed(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, datetime | date):
        return {type(value).__name__: value.isoformat()}
    return {"id": str(value)} if isinstance(value, UUID) else value


_UNPACK = {
    "bytes": bytes.fromhex,
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "id": UUID,
}


def _unpacked(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    [(kind, said)] = value.items()
    return _UNPACK[kind](said)
