"""A counter's day 日结: what the orders say, what the ledger says, and whether both say the same, to the fen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.canteens.counter.rules import MISSED, SHARE_KINDS, Sums, differences
from timebank.canteens.counter.views import counter_for
from timebank.canteens.pricing.rules import Share
from timebank.canteens.purses.queries import drawer_fen
from timebank.core import clock
from timebank.core.actors import Actor


@dataclass(frozen=True, slots=True)
class Cash:
    """A day's cash in fen: taken in for meals, put into purses, paid back, handed in, given back by corrections."""

    sales_fen: int
    topped_up_fen: int
    paid_back_fen: int
    handed_in_fen: int
    corrected_fen: int


@dataclass(frozen=True, slots=True)
class MealTotal:
    """Meals of one kind that were handed over."""

    meal: str
    way: str
    meals: int
    list_fen: int


@dataclass(frozen=True, slots=True)
class DayTotals:
    """A canteen's day; ``misfits`` name what the orders and slips, and the ledger, do not agree about."""

    canteen_id: UUID
    canteen_name: str
    on_day: date
    meals: Sequence[MealTotal]
    sums: Sums
    cash: Cash
    drawer_fen: int
    misfits: Sequence[tuple[str, int, int]]


def day_totals(
    session: Session, *, actor: Actor, canteen_id: UUID | None = None, on_day: date | None = None
) -> DayTotals:
    """The totals of one day (today), each from the orders and from the ledger.

    What was corrected since is in neither. ``drawer_fen`` is what the drawer should hold now. Raises what
    ``counter_for`` raises.
    """
    place, day = counter_for(session, actor, canteen_id), on_day or clock.today()
    of_orders, of_ledger = _sums_of_orders(session, place.id, day), _sums_of_ledger(session, place.id, day)
    by_slips, by_ledger = _cash_of_slips(session, place.id, day), _cash_of_ledger(session, place.id, day)
    cash_misfits = [
        (name, getattr(by_slips, name), getattr(by_ledger, name))
        for name in ("topped_up_fen", "paid_back_fen", "handed_in_fen")
        if getattr(by_slips, name) != getattr(by_ledger, name)
    ]
    return DayTotals(
        canteen_id=place.id,
        canteen_name=place.name,
        on_day=day,
        meals=[MealTotal(*row) for row in session.execute(_MEALS, {"canteen_id": place.id, "day": day})],
        sums=of_orders,
        cash=by_ledger,
        drawer_fen=drawer_fen(session, place.id),
        misfits=[*differences(of_orders, of_ledger), *cash_misfits],
    )


_MEALS = text("""
SELECT meal, way, count(*), sum(list_fen)::bigint FROM meal_order
WHERE canteen_id = :canteen_id AND served_on = :day AND state = 'served' GROUP BY meal, way ORDER BY meal, way
""")

_SERVED_SUMS = ", ".join(
    f"coalesce(sum({name}_fen) FILTER (WHERE state = 'served'), 0)::bigint AS {name}"
    for name in ("list", "cash", *Share)
)

_OF_ORDERS = text(f"""
SELECT count(*) FILTER (WHERE state = 'served') AS meals, {_SERVED_SUMS}, coalesce(sum(m.fen), 0)::bigint AS missed
FROM meal_order o
LEFT JOIN LATERAL (SELECT sum(captured_amount) AS fen FROM ledger_hold
                   WHERE cause_id = o.id AND state = 'captured' AND o.state IN ('missed', 'undelivered')) m ON true
WHERE o.canteen_id = :canteen_id AND o.served_on = :day
""")

# The canteen's own account, entry by entry: what came in for the meals of this day and was not reversed.
_OF_LEDGER = text("""
SELECT t.kind, f.kind AS source, count(DISTINCT t.cause_id) AS meals, sum(t.amount)::bigint AS fen
FROM meal_order o
JOIN ledger_transfer t ON t.cause_id = o.id AND t.cause_kind = 'meal_order' AND t.reverses_id IS NULL
JOIN ledger_account a ON a.id = t.to_account_id AND a.kind = 'canteen' AND a.organisation_id = o.canteen_id
JOIN ledger_account f ON f.id = t.from_account_id
WHERE o.canteen_id = :canteen_id AND o.served_on = :day
  AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = t.id)
GROUP BY t.kind, f.kind
""")

_LEDGER_MEALS = text("""
SELECT count(DISTINCT o.id) FROM meal_order o
JOIN ledger_transfer t ON t.cause_id = o.id AND t.cause_kind = 'meal_order' AND t.kind <> 'meal_missed'
WHERE o.canteen_id = :canteen_id AND o.served_on = :day AND t.reverses_id IS NULL
  AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = t.id)
""")


def _sums_of_orders(session: Session, canteen_id: UUID, day: date) -> Sums:
    row = session.execute(_OF_ORDERS, {"canteen_id": canteen_id, "day": day}).mappings().one()
    return Sums(row["meals"], row["list"], {share: row[share] for share in Share}, row["cash"], row["missed"])


def _sums_of_ledger(session: Session, canteen_id: UUID, day: date) -> Sums:
    wanted = {"canteen_id": canteen_id, "day": day}
    rows = session.execute(_OF_LEDGER, wanted).all()
    share_of = {kind: share for share, kind in SHARE_KINDS.items()}
    shares: dict[str, int] = dict.fromkeys(Share, 0)
    for row in rows:
        if row.kind in share_of:
            shares[share_of[row.kind]] += row.fen
    return Sums(
        meals=session.execute(_LEDGER_MEALS, wanted).scalar_one(),
        list_fen=sum(shares.values()),
        shares=shares,
        cash_fen=sum(row.fen for row in rows if row.source == "till"),
        missed_fen=sum(row.fen for row in rows if row.kind == MISSED),
    )


_SLIPS = text("""
SELECT coalesce((SELECT sum(amount_fen) FROM purse_slip
                 WHERE canteen_id = :canteen_id AND on_day = :day AND kind = 'top_up'), 0)::bigint AS topped_up,
       coalesce((SELECT sum(amount_fen) FROM purse_slip
                 WHERE canteen_id = :canteen_id AND on_day = :day AND kind = 'pay_back'), 0)::bigint AS paid_back,
       coalesce((SELECT sum(amount_fen) FROM till_hand_in
                 WHERE canteen_id = :canteen_id
                   AND (received_at AT TIME ZONE 'Asia/Shanghai')::date = :day), 0)::bigint AS handed_in
""")

# What moved through the drawer's account on the day; by the kinds and the missing versions two small indexes serve it.
OF_TILL = text("""
WITH drawer AS (SELECT id FROM ledger_account WHERE kind = 'till' AND organisation_id = :canteen_id),
     moved AS (
    SELECT t.kind, t.amount FROM drawer JOIN ledger_transfer t ON t.from_account_id = drawer.id
    WHERE t.from_version IS NULL AND t.kind IN ('meal_elder', 'purse_top_up')
      AND t.effective_at >= :begins AND t.effective_at < :ends
    UNION ALL
    SELECT t.kind, t.amount FROM drawer JOIN ledger_transfer t ON t.to_account_id = drawer.id
    WHERE t.to_version IS NULL AND t.kind IN ('purse_pay_back', 'till_handed_in', 'reversal')
      AND t.effective_at >= :begins AND t.effective_at < :ends)
SELECT coalesce(sum(amount) FILTER (WHERE kind = 'meal_elder'), 0)::bigint AS sales,
       coalesce(sum(amount) FILTER (WHERE kind = 'purse_top_up'), 0)::bigint AS topped_up,
       coalesce(sum(amount) FILTER (WHERE kind = 'purse_pay_back'), 0)::bigint AS paid_back,
       coalesce(sum(amount) FILTER (WHERE kind = 'till_handed_in'), 0)::bigint AS handed_in,
       coalesce(sum(amount) FILTER (WHERE kind = 'reversal'), 0)::bigint AS corrected
FROM moved
""")


def _cash_of_slips(session: Session, canteen_id: UUID, day: date) -> Cash:
    row = session.execute(_SLIPS, {"canteen_id": canteen_id, "day": day}).one()
    return Cash(0, row.topped_up, row.paid_back, row.handed_in, 0)


def _cash_of_ledger(session: Session, canteen_id: UUID, day: date) -> Cash:
    span = {"begins": clock.day_start(day), "ends": clock.day_start(day + timedelta(days=1))}
    row = session.execute(OF_TILL, {"canteen_id": canteen_id, **span}).one()
    return Cash(row.sales, row.topped_up, row.paid_back, row.handed_in, row.corrected)
