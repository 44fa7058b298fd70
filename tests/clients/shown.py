"""What the scripted bank shows in every test of the phone, and how a phone is dialled."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from click.testing import Result

if TYPE_CHECKING:
    from tests.clients.conftest import ScriptedBank

TOWNSHIPS = [{"code": "330213004", "name": "西坞街道"}, {"code": "330213007", "name": "尚田街道"}]
TYPES = [
    {"code": "clean", "name": "打扫卫生"},
    {"code": "chat", "name": "陪伴聊天"},
    {"code": "chef", "name": "陪伴做饭"},
]
BALANCE = {
    "savings_minutes": 600,
    "granted_minutes": 120,
    "held_minutes": 0,
    "available_minutes": 720,
    "as_of": "2026-11-21T16:05:00Z",
}

Phone = Callable[..., Result]


def listed(bank: ScriptedBank, path: str, *items: dict[str, Any]) -> None:
    bank.on("GET", path, bank.reply(200, {"items": list(items), "next_cursor": None}))
