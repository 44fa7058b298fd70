"""What a canteen has earned and nobody has claimed yet, from the ledger's raw rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import TextClause, any_, bindparam, cast, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.types import Text

from timebank.canteens.delivery.queries.rounds import brought_by_courier
from timebank.canteens.orders.models import MealOrder, MealOrderLine
from timebank.canteens.subsidies.bookkeeping import Earned, OrderLine
from timebank.canteens.subsidies.rules import SHARE_OF_KIND, Shares
from timebank.core.db import UuidColumn

_SHARES = ("elder", "government", "donation", "garden", "volunteers")
_SUMS = ", ".join(
    f"coalesce(sum(t.amount) FILTER (WHERE t.kind IN ({kinds})), 0)::bigint AS {share}"
    for share in _SHARES
    for kinds in [", ".join(f"'{kind}'" for kind, of in SHARE_OF_KIND.items() if of == share)]
)
_CLAIMED = ", ".join(f"sum(m.{share}_fen)::bigint AS {share}" for share in _SHARES)
_FIVE = ", ".join(f"coalesce({{0}}.{share}, 0) AS {{0}}_{share}" for share in _SHARES)

# One statement, so that the ledger, the claims and the orders are seen at one moment. A transfer that was reversed
# counts for nothing, whenever that was; a meal claimed before and undone since comes out as less than was claimed.
_EARNED: TextClause = text(f"""
WITH e AS (
    SELECT t.cause_id AS order_id, {_SUMS}
    FROM ledger_transfer t
    WHERE t.to_account_id = :account_id AND t.to_version IS NULL AND t.kind = ANY(:kinds) AND t.effective_at < :before
      AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = t.id)
    GROUP BY t.cause_id),
c AS (
    SELECT m.order_id, sum(m.meals)::bigint AS meals, {_CLAIMED}
    FROM subsidy_claim_meal m JOIN subsidy_claim s ON s.id = m.claim_id
    WHERE s.canteen_id = :canteen_id AND s.state <> 'returned'
    GROUP BY m.order_id),
both_sides AS (
    SELECT coalesce(e.order_id, c.order_id) AS order_id, coalesce(c.meals, 0) AS claimed_meals,
           {_FIVE.format("e")}, {_FIVE.format("c")}
    FROM e FULL JOIN c ON c.order_id = e.order_id)
SELECT b.*, o.state, o.canteen_id, o.diner_id, o.served_on, o.meal, o.revision, o.elder_fen, o.government_fen,
       o.donation_fen, o.garden_fen, o.volunteers_fen, o.pickup_number, n.name AS canteen_name
FROM both_sides b LEFT JOIN meal_order o ON o.id = b.order_id LEFT JOIN organisation n ON n.id = o.canteen_id
WHERE (b.e_elder, b.e_government, b.e_donation, b.e_garden, b.e_volunteers)
   <> (b.c_elder, b.c_government, b.c_donation, b.c_garden, b.c_volunteers)
ORDER BY o.served_on, b.order_id
""").bindparams(bindparam("kinds", type_=ARRAY(Text)))

# Grants for a canteen's grade that lie in its account, less what claims have taken of them.
_OPERATING: TextClause = text("""
SELECT (SELECT coalesce(sum(t.amount), 0) FROM ledger_transfer t
        WHERE t.to_account_id = :account_id AND t.to_version IS NULL AND t.kind = 'operating_subsidy'
          AND t.effective_at < :before AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = t.id))
     - (SELECT coalesce(sum(operating_fen), 0) FROM subsidy_claim
        WHERE canteen_id = :canteen_id AND state <> 'returned')
""")


def unclaimed(session: Session, *, canteen_id: UUID, account_id: int, before: datetime) -> list[Earned]:
    """Orders whose meals before this moment are not claimed as they stand in the ledger, in order of their days."""
    wanted = {"account_id": account_id, "canteen_id": canteen_id, "before": before, "kinds": list(SHARE_OF_KIND)}
    return [
        Earned(
            row.order_id,
            row.state,
            row.canteen_id,
            row.diner_id,
            row.served_on,
            row.meal,
            Shares(*(getattr(row, f"{share}_fen") or 0 for share in _SHARES)),
            Shares(*(getattr(row, f"e_{share}") for share in _SHARES)),
            Shares(*(getattr(row, f"c_{share}") for share in _SHARES)),
            row.claimed_meals,
            row.canteen_name,
            row.pickup_number,
        )
        for row in session.execute(_EARNED, wanted)
    ]


def unclaimed_operating_fen(session: Session, *, canteen_id: UUID, account_id: int, before: datetime) -> int:
    """Operating subsidies that lie in a canteen's account and no claim has taken, in fen."""
    wanted = {"account_id": account_id, "canteen_id": canteen_id, "before": before}
    return int(session.execute(_OPERATING, wanted).scalar_one())


def lines_of(session: Session, order_ids: Collection[UUID]) -> Mapping[UUID, list[OrderLine]]:
    """Of each order the lines of its last revision that have a share, deliveries as they were made in the end."""
    query = (
        select(
            MealOrderLine.order_id,
            MealOrderLine.share,
            MealOrderLine.rule_key,
            MealOrderLine.label,
            MealOrderLine.fen,
        )
        .join(MealOrder, (MealOrder.id == MealOrderLine.order_id) & (MealOrder.revision == MealOrderLine.revision))
        .where(MealOrderLine.share.is_not(None), MealOrder.id == any_(cast(list(order_ids), ARRAY(UuidColumn))))
        .order_by(MealOrderLine.order_id, MealOrderLine.line)
    )
    by_courier = brought_by_courier(session, order_ids)
    found: dict[UUID, list[OrderLine]] = defaultdict(list)
    for order_id, share, rule_key, label, fen in session.execute(query):
        line = OrderLine(str(share), rule_key, label, fen)
        found[order_id].append(line.by_courier() if order_id in by_courier else line)
    return found
