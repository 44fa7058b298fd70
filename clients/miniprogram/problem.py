"""What the bank said instead of yes, and what is left when nobody knows what it said."""

from __future__ import annotations

from typing import Any

from clients.miniprogram.wx import Answer

_STANDARD = {"type", "title", "status", "detail", "code", "request_id", "instance"}


class Problem(Exception):
    """A refusal or fault that the bank answered (RFC 9457): ``facts`` are its values beside the standard ones."""

    def __init__(
        self,
        status: int,
        code: str,
        title: str,
        detail: str | None = None,
        facts: dict[str, Any] | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {title}")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.facts = facts or {}
        self.request_id = request_id


def problem_of(answer: Answer) -> Problem:
    """The problem in an answer that is no success; also from a proxy's answer that is no problem+json."""
    body = answer.data if isinstance(answer.data, dict) else {}
    request_id = body.get("request_id") or answer.header.get("X-Request-Id")
    return Problem(
        answer.status_code,
        str(body.get("code") or f"http_{answer.status_code}"),
        str(body.get("title") or "服务器没有给出说明"),
        str(body["detail"]) if body.get("detail") else None,
        {name: value for name, value in body.items() if name not in _STANDARD},
        str(request_id) if request_id else None,
    )


def is_done(answer: Answer) -> bool:
    """Whether the bank did what was asked: its yes is always a JSON object, a hotspot's login page is not."""
    return 200 <= answer.status_code < 300 and isinstance(answer.data, dict)


def is_final(status: int) -> bool:
    """Whether a refusal of this status is the bank's last word.

    Faults (5xx) and "too many" (429) leave a write open, and so does what the bank never says to one (a redirect,
    a success that is no JSON object): somebody in between said it.
    """
    return 400 <= status < 500 and status != 429
