"""Looking somebody up at the counter 查找用餐人: who comes without phone or card is asked for name and last four."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.audit.models import AuditEntry
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.errors import NotAllowed
from timebank.people.models import ElderFile, Person
from timebank.people.name_index import name_last4_index, read_last_four
from timebank.policies.queries import in_force
from timebank.redemption.actions.judge_scans import state_of
from timebank.redemption.models import Voucher
from timebank.redemption.rules import VoucherStatus, judge
from timebank.townships.models import Organisation, Township
from timebank.townships.queries import canteen

_LOOK_UP = "voucher_look_up"
_AN_HOUR = timedelta(hours=1)
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Diner:
    """Somebody whom a clerk may mean; where they live is shown so that the clerk can ask.

    ``next_voucher_id`` is the voucher to use here and now, or where none is good now the one that expires first.
    """

    person_id: UUID
    name: str
    township_code: str
    township_name: str
    village: str | None
    unused_vouchers: int
    next_voucher_id: UUID | None
    next_expires_at: datetime | None


def find_diners(session: Session, *, actor: Actor, name: str, id_last_four: str) -> list[Diner]:
    """People of every township with this name and these last four of the number; every look-up is written down.

    Who has left or is reported dead is left out. Raises NotAllowed ``clerk_only``, ``too_many_lookups``; NotFound
    ``canteen_unknown``; Refused ``last_four_invalid``.
    """
    if actor.staff_role is not StaffRole.CANTEEN_CLERK or actor.organisation_id is None or actor.login_id is None:
        raise NotAllowed("clerk_only", "只有助餐点工作人员可以查找用餐人")
    here = canteen(session, actor.organisation_id)
    four = read_last_four(id_last_four)
    _must_not_be_too_many(session, actor.login_id, here)
    rows = session.execute(
        select(Person, Township.name, ElderFile.village)
        .join(Township, Township.code == Person.township_code)
        .outerjoin(ElderFile, ElderFile.person_id == Person.id)
        .where(
            Person.name_last4_index == name_last4_index(name, four),
            Person.left_at.is_(None),
            Person.death_reported_at.is_(None),
        )
        .order_by(Person.township_code, Person.id)
        .limit(_MOST_SHOWN)
    ).all()
    found = [row.Person.id for row in rows]
    note_down(
        session,
        actor=actor,
        action=_LOOK_UP,
        subject=("canteen", here.id),
        people=[str(person_id) for person_id in found],
    )
    unused = _unused(session, found)
    return [_diner(row.Person, row.name, row.village, unused.get(row.Person.id, []), here) for row in rows]


def _must_not_be_too_many(session: Session, login_id: UUID, here: Organisation) -> None:
    # One look-up at a time for one clerk, or many at once would all pass before the first is counted.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"look-ups {login_id}", 0))))
    now = clock.now()
    most = in_force(session, at=now).whole("voucher_find_max_per_hour", here.township_code)
    lately = select(AuditEntry.at).where(
        AuditEntry.login_id == login_id, AuditEntry.action == _LOOK_UP, AuditEntry.at > now - _AN_HOUR
    )
    times = session.scalars(lately.order_by(AuditEntry.at.desc()).limit(most)).all()
    if len(times) == most:
        wait = int((times[-1] + _AN_HOUR - now).total_seconds()) + 1
        title = f"一小时内最多查找{most}次，请稍后再试，或请用餐人出示用餐券"
        raise NotAllowed("too_many_lookups", title, max_per_hour=most, retry_after_seconds=wait)


def _unused(session: Session, holder_ids: list[UUID]) -> dict[UUID, list[Voucher]]:
    query = select(Voucher).where(
        Voucher.holder_id.in_(holder_ids), Voucher.status == VoucherStatus.ISSUED, Voucher.expires_at > clock.now()
    )
    found: dict[UUID, list[Voucher]] = {}
    for voucher in session.scalars(query.order_by(Voucher.expires_at, Voucher.id)):
        found.setdefault(voucher.holder_id, []).append(voucher)
    return found


def _diner(
    someone: Person, township_name: str, village: str | None, unused: list[Voucher], here: Organisation
) -> Diner:
    good = (voucher for voucher in unused if _is_good(voucher, someone, here))
    following = next(good, unused[0] if unused else None)
    return Diner(
        person_id=someone.id,
        name=someone.name,
        township_code=someone.township_code,
        township_name=township_name,
        village=village,
        unused_vouchers=len(unused),
        next_voucher_id=following.id if following else None,
        next_expires_at=following.expires_at if following else None,
    )


def _is_good(voucher: Voucher, holder: Person, here: Organisation) -> bool:
    return judge(state_of(voucher, holder), here.id, clock.now(), township_code=here.township_code)[0].accepted
