"""Signing in and registering."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session

from app.adapters.wechat import (
    WeChat,
    WeChatBlocked,
    WeChatCodeInvalid,
    WeChatError,
    WeChatTooOften,
)
from app.api.auth.schemas import (
    RegisterBody,
    RegisteredAnswer,
    StaffLoginBody,
    TokenAnswer,
    WeChatLoginBody,
    WeChatTokenAnswer,
)
from app.api.operation import operation
from app.api.parser import Doors
from app.auth.tokens import LIFETIME, issue_token
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import BankError, NotAllowed
from timebank.people import actions
from timebank.people.actions import Enrolment

_LIFETIME_S = int(LIFETIME.total_seconds())

doors = Doors("auth", __name__, url_prefix="/api/v1/auth", description="登录与登记")


@operation(
    doors, "/wechat-login", "auth.wechat_login", "微信登录",
    method="POST", body=WeChatLoginBody, answers=WeChatTokenAnswer, anyone=True,
)  # fmt: skip
def wechat_login(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any] | BankError:
    wechat: WeChat = current_app.extensions["wechat"]
    try:
        openid = wechat.session_of(body["code"]).openid
    except WeChatError as failure:
        return _refusal_of(failure)
    login = actions.wechat_login(session, openid=openid)
    return {**_token(login.id), "registered": login.person_id is not None}


@operation(
    doors, "/staff-login", "auth.staff_login", "工作人员登录",
    method="POST", body=StaffLoginBody, answers=TokenAnswer, anyone=True,
)  # fmt: skip
def staff_login(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any] | BankError:
    login = actions.try_password(session, username=body["username"], password=body["password"])
    return login if isinstance(login, BankError) else _token(login.id)


def _with_token(actor: Actor, answer: dict[str, Any]) -> dict[str, Any]:
    assert actor.login_id is not None
    return {**answer, "access_token": issue_token(actor.login_id, datetime.fromisoformat(answer["issued_at"]))}


@operation(
    doors, "/register", "auth.register", "实名登记",
    method="POST", body=RegisterBody, answers=RegisteredAnswer, status=201, key="optional", finish=_with_token,
)  # fmt: skip
def register(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    person = actions.register(session, actor=actor, form=Enrolment(**body))
    return {"person_id": person.id, "expires_in": _LIFETIME_S, "issued_at": clock.machine_now()}


def _token(login_id: UUID) -> dict[str, Any]:
    return {"access_token": issue_token(login_id), "expires_in": _LIFETIME_S}


def _refusal_of(failure: WeChatError) -> BankError:
    """What the phone is told; WeChat's own words stay here."""
    if isinstance(failure, WeChatCodeInvalid):
        return NotAllowed("wechat_code_invalid", "微信登录已失效，请重新打开小程序")
    if isinstance(failure, WeChatTooOften):
        return NotAllowed("wechat_too_often", "登录太频繁，请一分钟后再试", retry_after_seconds=60)
    if isinstance(failure, WeChatBlocked):
        return NotAllowed("wechat_blocked", "微信限制了这个账号登录，请到镇街办理")
    return NotAllowed("wechat_unavailable", "微信暂时没有回应，请稍后再试", retry_after_seconds=5)
