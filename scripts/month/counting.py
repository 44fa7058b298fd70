"""Counting everything again: each receipt line by line over HTTP, and the ledger, the orders and the claims in SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text

from scripts.month.living import Month
from timebank.core.embedded import EmbeddedPostgres

SHARES = ("elder", "government", "donation", "garden", "volunteers")


@dataclass
class Counted:
    """What the receipts say, in fen, and everything that does not add up."""

    orders: Counter[str] = field(default_factory=Counter)
    fen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def take(self, order: dict[str, Any]) -> None:
        """Count one order; its lines must explain every fen of it."""
        self.orders[order["state"]] += 1
        listed = sum(line["fen"] for line in order["lines"] if line["share"] is None)
        borne = Counter[str]()
        for line in order["lines"]:
            if line["share"] is not None:
                borne[line["share"]] += line["fen"]
        said = {share: order[f"{share}_fen"] for share in SHARES}
        unnamed = [line for line in order["lines"] if not line["rule_key"] or not line["policy_version"]]
        fits = listed == order["list_fen"] == sum(said.values()) and all(borne[s] == said[s] for s in SHARES)
        if not fits or unnamed:
            self.wrong.append(f"order {order['order_id']}: the lines do not explain it")
        if order["state"] == "served":
            self.fen["list"] += order["list_fen"]
            self.fen.update(said)


def read_all_receipts(month: Month) -> Counted:
    """Every order of every canteen, as its clerk sees it."""
    counted = Counted()
    for canteen in month.canteens:
        for order in month.bank.all_of("orders.list", canteen.clerk, canteen_id=canteen.canteen_id, limit=100):
            counted.take(order)
    return counted


# Orders against their transfers, by share; a missed meal's charge is no share of a meal.
_ORDERS_AGAINST_LEDGER = """
WITH moved AS (
    SELECT cause_id AS id,
        sum(amount) FILTER (WHERE kind = 'meal_elder') AS elder,
        sum(amount) FILTER (WHERE kind = 'meal_government') AS government,
        sum(amount) FILTER (WHERE kind = 'meal_donation') AS donation,
        sum(amount) FILTER (WHERE kind = 'meal_garden') AS garden,
        sum(amount) FILTER (WHERE kind = 'meal_volunteers') AS volunteers
    FROM ledger_transfer WHERE cause_kind = 'meal_order' AND unit = 'fen' GROUP BY cause_id)
SELECT count(*) FROM (SELECT *, (state = 'served')::int AS served FROM meal_order) o FULL JOIN moved m ON m.id = o.id
WHERE o.id IS NULL
   OR coalesce(m.elder, 0) <> o.served * o.elder_fen OR coalesce(m.government, 0) <> o.served * o.government_fen
   OR coalesce(m.donation, 0) <> o.served * o.donation_fen OR coalesce(m.garden, 0) <> o.served * o.garden_fen
   OR coalesce(m.volunteers, 0) <> o.served * o.volunteers_fen
"""
_MEALS_IN_LEDGER = """
SELECT a.organisation_id, sum(t.amount) FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_account_id
WHERE a.kind = 'canteen' AND t.kind IN ('meal_elder', 'meal_government', 'meal_donation', 'meal_garden',
    'meal_volunteers') GROUP BY a.organisation_id
"""
# What was charged for meals that nobody collected is claimed too, and is no list price.
_MISSED_IN_LEDGER = """
SELECT a.organisation_id, sum(t.amount) FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_account_id
WHERE a.kind = 'canteen' AND t.kind = 'meal_missed' GROUP BY a.organisation_id
"""
_LEFT_WITH_CANTEENS = """
SELECT coalesce(sum(CASE WHEN t.to_account_id = a.id THEN t.amount ELSE -t.amount END), 0) FROM ledger_account a
JOIN ledger_transfer t ON a.id IN (t.from_account_id, t.to_account_id) WHERE a.kind = 'canteen'
"""


def count_in_sql(home: Path, claims: Iterable[dict[str, Any]]) -> tuple[dict[str, int], list[str]]:
    """Figures of the database, and everything that does not tie."""
    figures: dict[str, int] = {}
    wrong: list[str] = []
    with EmbeddedPostgres.start(home) as server:
        engine = create_engine(server.url)
        with engine.connect() as connection:
            untied = connection.scalar(text(_ORDERS_AGAINST_LEDGER))
            if untied:
                wrong.append(f"{untied} orders differ from their transfers")
            in_ledger = {str(row[0]): int(row[1]) for row in connection.execute(text(_MEALS_IN_LEDGER))}
            missed = {str(row[0]): int(row[1]) for row in connection.execute(text(_MISSED_IN_LEDGER))}
            for one in claims:
                earned = in_ledger.get(one["canteen_id"], 0) + missed.get(one["canteen_id"], 0)
                if earned != one["list_fen"]:
                    wrong.append(f"claim of {one['canteen_name']}: {one['list_fen']} fen, {earned} in the ledger")
            figures["left with canteens"] = int(connection.scalar(text(_LEFT_WITH_CANTEENS)) or 0)
            for table in ("ledger_transfer", "meal_order", "meal_order_line"):
                figures[table] = int(connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)
            figures["bytes"] = int(connection.scalar(text("SELECT pg_database_size(current_database())")) or 0)
            figures["meals in the ledger"] = sum(in_ledger.values())
            figures["missed in the ledger"] = sum(missed.values())
        engine.dispose()
    return figures, wrong
