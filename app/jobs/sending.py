"""Sending notices over WeChat; those without WeChat stay readable in the bank."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from app.adapters.wechat import WeChatBadMessage, WeChatError, WeChatRefusedByUser
from timebank.notifications.actions import mark_failed, mark_sent, take_notice

_THING = 20
"""WeChat's limit for a ``thing`` value, in characters."""


class Messenger(Protocol):
    """What is needed of WeChat here."""

    def send_subscribe_message(self, openid: str, template_id: str, page: str | None, data: dict[str, str]) -> None:
        """Send one message."""


class Sender:
    """Sends one notice at a time."""

    def __init__(self, messenger: Messenger, template_id: str) -> None:
        self._messenger, self._template_id = messenger, template_id

    def send(self, session: Session, notice_id: UUID) -> None:
        """Send a notice that nobody has sent; a failure is noted and tried again later, or given up."""
        taken = take_notice(session, notice_id)
        if taken is None:
            return
        notice, openid = taken
        if openid is None:
            mark_failed(notice, error="没有微信登录", final=True)
            return
        data = {"thing1": notice.title[:_THING], "thing2": _shortened(notice.body)}
        try:
            self._messenger.send_subscribe_message(openid, self._template_id, None, data)
        except (WeChatRefusedByUser, WeChatBadMessage) as final:
            mark_failed(notice, error=type(final).__name__, final=True)
        except WeChatError as passing:
            mark_failed(notice, error=type(passing).__name__, final=False)
        else:
            mark_sent(notice)


def _shortened(text: str) -> str:
    return text if len(text) <= _THING else text[: _THING - 1] + "…"
