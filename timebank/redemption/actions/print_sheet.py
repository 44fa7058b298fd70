"""Printing vouchers for people without phones: what a sheet of coupons says, and who had it made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import Refused
from timebank.people.queries import people_by_ids
from timebank.redemption.actions.choosing import (
    MOST_AT_ONCE,
    must_be_unused,
    named_vouchers,
    one_choice,
    unused_vouchers,
)
from timebank.redemption.codes import grouped
from timebank.redemption.models import Voucher
from timebank.redemption.offline_queries import qr_texts
from timebank.townships.queries import township_names


@dataclass(frozen=True, slots=True)
class Coupon:
    """What is printed for one voucher; ``place_text`` and ``times_text`` say where and when it is good, in words."""

    qr_text: str
    code_grouped: str
    holder_name: str
    price_minutes: int
    expires_at: datetime
    place_text: str
    times_text: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """Coupons to be printed and cut out; ``more`` where the holder has others that found no place."""

    coupons: Sequence[Coupon]
    made_at: datetime
    made_by_name: str
    more: bool


def print_sheet(
    session: Session, *, actor: Actor, voucher_ids: Sequence[UUID] | None = None, for_person_id: UUID | None = None
) -> Sheet:
    """The vouchers named, or all that a person has unused, as coupons; what others print is written down.

    Raises NotAllowed ``not_your_elder``, ``proxy_scope_missing``; NotFound ``voucher_unknown``, ``person_unknown``;
    Conflict ``voucher_not_issued``; Refused ``choice_unclear``, ``no_unused_vouchers``.
    """
    one_choice(voucher_ids, for_person_id)
    if voucher_ids is not None:
        chosen = named_vouchers(session, actor=actor, voucher_ids=voucher_ids)
    else:
        assert for_person_id is not None
        chosen = unused_vouchers(session, actor=actor, holder_id=for_person_id, limit=MOST_AT_ONCE + 1)
    if not chosen:
        raise Refused("no_unused_vouchers", "没有可用的用餐券")
    for voucher in chosen:
        must_be_unused(voucher)
    shown = chosen[:MOST_AT_ONCE]
    _note(session, actor, shown)
    return Sheet(_coupons(session, shown), clock.now(), actor.name, more=len(chosen) > len(shown))


def _note(session: Session, actor: Actor, vouchers: Sequence[Voucher]) -> None:
    for holder_id in sorted({voucher.holder_id for voucher in vouchers} - {actor.person_id}):
        printed = [str(voucher.id) for voucher in vouchers if voucher.holder_id == holder_id]
        note_down(session, actor=actor, action="vouchers_printed", subject=("person", holder_id), vouchers=printed)


def _coupons(session: Session, vouchers: Sequence[Voucher]) -> list[Coupon]:
    holders = people_by_ids(session, {voucher.holder_id for voucher in vouchers})
    places = township_names(session)
    return [
        Coupon(
            qr_text=qr_text,
            code_grouped=grouped(voucher.code),
            holder_name=holders[voucher.holder_id].name,
            price_minutes=voucher.price_minutes,
            expires_at=voucher.expires_at,
            place_text=f"限{places[only]}助餐点" if (only := voucher.only_township_code) else "全区助餐点通用",
            times_text=voucher.good_times.text(),
        )
        for voucher, qr_text in zip(vouchers, qr_texts(session, vouchers), strict=True)
    ]
