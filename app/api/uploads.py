"""Operations whose body is a file: what they take, how it is documented, and how much of it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import current_app, request

from timebank.core.errors import Refused

View = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class FileBody:
    """A body that is one file of this media type, at most so many bytes."""

    media_type: str
    most_bytes: int

    def documented(self) -> dict[str, Any]:
        """The request body as OpenAPI says it."""
        schema = {"type": "string", "format": "binary", "maxLength": self.most_bytes}
        return {"required": True, "content": {self.media_type: {"schema": schema}}}

    def read_into(self, inside: View) -> View:
        """Give ``inside`` the file as its last positional argument.

        Raises Refused ``file_type_not_taken``; aborts with 413 where more is sent than is taken.
        """

        @wraps(inside)
        def with_file(*parsed: Any, **path: Any) -> Any:
            if request.mimetype != self.media_type:
                raise Refused("file_type_not_taken", f"请求内容须为 {self.media_type} 文件", media_type=self.media_type)
            return inside(*parsed, request.get_data(cache=False), **path)

        return with_file

    def allow(self, view: View) -> View:
        """Mark the registered ``view`` as one that may be sent more than other operations."""
        return allow_bytes(view, self.most_bytes)


def allow_bytes(view: View, most_bytes: int) -> View:
    """Mark the registered ``view`` as one that may be sent so many bytes."""
    view.most_body_bytes = most_bytes  # type: ignore[attr-defined]
    return view


def most_body_bytes(usual: int) -> int:
    """How long the body of this request may be; ``usual`` where its operation takes no file."""
    view = current_app.view_functions.get(request.endpoint or "")
    return int(getattr(view, "most_body_bytes", usual))
