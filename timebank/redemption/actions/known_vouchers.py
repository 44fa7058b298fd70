"""What a batch of scans needs to know, as plain rows: vouchers under lock, canteens, and what was scanned before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Select, Text, any_, bindparam, select, text
from sqlalchemy.orm import Session

from timebank.core.db import UuidColumn
from timebank.core.rows import many
from timebank.people.models import Person
from timebank.redemption.good_times import GoodTimes
from timebank.redemption.models import Voucher
from timebank.townships.models import Organisation

# In the order of the keys, which is that of the canteens' ids: of two batches one waits, and neither for the other.
_LOCK_CANTEENS = text("""
SELECT pg_advisory_xact_lock(hashtextextended('scans ' || wanted.id, 0))
FROM unnest(:canteen_ids) WITH ORDINALITY AS wanted (id, place) ORDER BY wanted.place
""").bindparams(many("canteen_ids", UuidColumn))

_EARLIER = text("""
SELECT s.id, s.canteen_id, s.nonce, s.code, s.accepted, s.reason, s.voucher_id, s.redeemed_at, s.redeemed_canteen_id
FROM unnest(:canteen_ids, :nonces) AS sent (canteen_id, nonce)
JOIN voucher_scan s ON s.canteen_id = sent.canteen_id AND s.nonce = sent.nonce
""").bindparams(many("canteen_ids", UuidColumn), many("nonces", Text()))

_VOUCHERS: Select[*tuple[Any, ...]] = (
    select(
        *(Voucher.id, Voucher.code, Voucher.holder_id, Voucher.account_id, Voucher.price_minutes),
        *(Voucher.policy_version, Voucher.status, Voucher.issued_at, Voucher.expires_at, Voucher.ended_at),
        *(Voucher.canteen_id, Voucher.only_township_code, Voucher.weekdays, Voucher.meals, Voucher.on_expiry),
        *(Voucher.void_reason, Voucher.set_aside_for),
    )
    .where(Voucher.code == any_(bindparam("codes", type_=ARRAY(Text))))
    .order_by(Voucher.id)
    .with_for_update(key_share=True)
)

_HOLDERS = select(Person.id, Person.name, Person.left_at, Person.death_reported_at).where(
    Person.id == any_(bindparam("ids", type_=ARRAY(UuidColumn)))
)

_CANTEENS = select(
    Organisation.id, Organisation.name, Organisation.township_code, Organisation.not_serving_since
).where(Organisation.id == any_(bindparam("ids", type_=ARRAY(UuidColumn))), Organisation.kind == "canteen")


@dataclass(frozen=True, slots=True)
class KnownVoucher:
    """A voucher as it stood when it was locked; the names are those of its table."""

    id: UUID
    code: str
    holder_id: UUID
    account_id: int
    price_minutes: int
    policy_version: int
    status: str
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    canteen_id: UUID | None
    only_township_code: str | None
    weekdays: list[int] | None
    meals: dict[str, list[str]] | None
    on_expiry: str
    void_reason: str | None
    set_aside_for: UUID | None

    @property
    def good_times(self) -> GoodTimes:
        """On which days and at which meals it is good."""
        return GoodTimes(tuple(self.weekdays) if self.weekdays is not None else None, self.meals)


@dataclass(frozen=True, slots=True)
class Holder:
    """Whose voucher it is, and since when nothing of theirs may be used."""

    id: UUID
    name: str
    left_at: datetime | None
    death_reported_at: datetime | None


@dataclass(frozen=True, slots=True)
class Canteen:
    """Where vouchers are scanned; ``not_serving_since`` is since when it serves nobody."""

    id: UUID
    name: str
    township_code: str
    not_serving_since: datetime | None


def canteens_by_id(session: Session, ids: Collection[UUID]) -> dict[UUID, Canteen]:
    """Canteens by id; an id that is none of a canteen is left out."""
    return {row.id: Canteen(*row) for row in session.execute(_CANTEENS, {"ids": list(ids)})}


def lock_canteens(session: Session, ids: Collection[UUID]) -> None:
    """Let nobody else scan at these canteens until the unit of work ends."""
    session.execute(_LOCK_CANTEENS, {"canteen_ids": sorted(ids)})


def earlier_scans(session: Session, sent: Collection[tuple[UUID, str]]) -> Sequence[Row[Any]]:
    """Scans that came before under the same canteen and nonce."""
    canteen_ids, nonces = [one[0] for one in sent], [one[1] for one in sent]
    return session.execute(_EARLIER, {"canteen_ids": canteen_ids, "nonces": nonces}).all()


def lock_vouchers(session: Session, codes: Collection[str]) -> dict[str, KnownVoucher]:
    """The vouchers of these codes by code, locked by id; unknown codes are left out."""
    return {row.code: KnownVoucher(*row) for row in session.execute(_VOUCHERS, {"codes": list(codes)})}


def holders_of(session: Session, vouchers: Collection[KnownVoucher]) -> dict[UUID, Holder]:
    """Whose vouchers these are, by id, as they stand now that the vouchers are locked."""
    ids = {voucher.holder_id for voucher in vouchers}
    return {row.id: Holder(*row) for row in session.execute(_HOLDERS, {"ids": list(ids)})}


def canteen_names(session: Session, ids: Collection[UUID]) -> dict[UUID, str]:
    """Names by id, of canteens that have closed for good too."""
    if not ids:
        return {}
    named = select(Organisation.id, Organisation.name).where(Organisation.id.in_(ids))
    return {row.id: row.name for row in session.execute(named)}
