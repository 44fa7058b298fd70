"""The pages of menus and dishes, put up at the counter and at the desk."""

from __future__ import annotations

from functools import wraps
from typing import Any
from uuid import UUID

from flask import Blueprint

from app.web.asking import Asker
from app.web.doors import View, page
from app.web.menus import dishes, items, weeks
from app.web.menus.where import AT_THE_COUNTER, AT_THE_DESK, Book, Where


def _doors(where: Where) -> Blueprint:
    doors = Blueprint(where.name, __name__)
    for part, pages in (("weeks", weeks.PAGES), ("items", items.PAGES), ("dishes", dishes.PAGES)):
        for method, rule, view in pages:
            address = f"{where.root}/<uuid:canteen_id>/menus{rule}"
            page(doors, address, who=where.who, method=method)(_opened(view, f"{part}_{view.__name__}", where))
    return doors


def _opened(view: View, name: str, where: Where) -> View:
    @wraps(view)
    def opened(ask: Asker, canteen_id: UUID, **path: Any) -> Any:
        return view(Book(ask, where, canteen_id), **path)

    opened.__name__ = name
    return opened


COUNTER = _doors(AT_THE_COUNTER)
DESK = _doors(AT_THE_DESK)
