"""Signing in: a WeChat openid finds or makes its login; a staff name needs its password and patience."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.errors import NotAllowed
from timebank.core.ids import new_id
from timebank.people.login_models import Login, LoginAttempt
from timebank.people.models import Person
from timebank.people.passwords import hash_password, password_fits
from timebank.people.rules import block_after

MAX_PASSWORD_LENGTH = 200
ATTEMPTS_KEPT_FOR = timedelta(days=1)


class LoginRefused(NotAllowed):
    """Wrong name or wrong password; which of them is not said."""

    def __init__(self) -> None:
        super().__init__("login_refused", "用户名或密码不对")


class TooManyAttempts(NotAllowed):
    """Too many failures in a row for this name; ``retry_after_seconds`` says how long to wait."""

    def __init__(self, seconds: int) -> None:
        super().__init__("too_many_attempts", "尝试次数太多，请稍后再试", retry_after_seconds=seconds)


def wechat_login(session: Session, *, openid: str) -> Login:
    """The login of this openid, made at its first visit.

    Raises NotAllowed ``login_closed`` for whoever has left, ``holder_died`` where its person has died.
    """
    session.execute(
        insert(Login)
        .values(id=new_id(), openid=openid, display_name="微信用户", created_at=clock.now())
        .on_conflict_do_nothing(index_elements=["openid"])
    )
    login = session.scalars(select(Login).where(Login.openid == openid)).one()
    if login.disabled_at is not None:
        behind = session.get(Person, login.person_id) if login.person_id is not None else None
        if behind is not None and behind.death_reported_at is not None:
            raise NotAllowed("holder_died", "账户持有人已登记身故，时间账户已办结。家属如有疑问，请联系镇街")
        raise NotAllowed("login_closed", "您已退出时间银行，如要重新加入请到镇街办理")
    return login


def try_password(session: Session, *, username: str, password: str) -> Login | LoginRefused | TooManyAttempts:
    """The login, or the refusal as a value: a failure must be counted, so it may not undo its unit of work."""
    username = username[:100]
    # One guess at a time for one name, or many at once would all pass before the first is counted.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"sign in {username}", 0))))
    now = clock.machine_now()
    attempt = session.get(LoginAttempt, username)
    if attempt is not None and attempt.blocked_until > now:
        return TooManyAttempts(int((attempt.blocked_until - now).total_seconds()) + 1)
    login = session.scalar(select(Login).where(Login.username == username, Login.disabled_at.is_(None)))
    if password_fits(login.password_hash if login else None, password[:MAX_PASSWORD_LENGTH]):
        # By statement: of two who sign in at once, one finds the count gone already.
        session.execute(delete(LoginAttempt).where(LoginAttempt.username == username))
        if login is not None:
            return login
    _count_failure(session, username)
    return LoginRefused()


def _count_failure(session: Session, username: str) -> None:
    now = clock.machine_now()
    counted = insert(LoginAttempt).values(username=username, failures=1, blocked_until=now)
    failures = session.scalar(
        counted.on_conflict_do_update(
            index_elements=["username"], set_={"failures": LoginAttempt.failures + 1}
        ).returning(LoginAttempt.failures)
    )
    attempt = session.get_one(LoginAttempt, username, populate_existing=True)
    attempt.blocked_until = now + block_after(failures or 1)
    session.flush()


def forget_old_attempts(session: Session, *, limit: int) -> int:
    """Remove failures that nobody has added to for ``ATTEMPTS_KEPT_FOR``; answers how many names."""
    old = select(LoginAttempt.username).where(LoginAttempt.blocked_until < clock.machine_now() - ATTEMPTS_KEPT_FOR)
    some = old.limit(limit).with_for_update(skip_locked=True).scalar_subquery()
    gone = session.scalars(delete(LoginAttempt).where(LoginAttempt.username.in_(some)).returning(LoginAttempt.username))
    return len(gone.all())


def create_staff_login(
    session: Session,
    *,
    username: str,
    password: str,
    display_name: str,
    role: StaffRole,
    township_code: str | None = None,
    organisation_id: UUID | None = None,
) -> Login:
    """Make a staff login; one that exists under this name is given back as it stands."""
    found = session.scalar(select(Login).where(Login.username == username))
    if found is not None:
        return found
    login = Login(
        id=new_id(),
        username=username,
        password_hash=hash_password(password),
        display_name=display_name,
        staff_role=role,
        township_code=township_code,
        organisation_id=organisation_id,
        created_at=clock.now(),
    )
    session.add(login)
    session.flush()
    return login
