"""Every page of a statement is a walk along one index, from where the last page ended, however long the books are.

On an empty bank PostgreSQL would rather read a whole table than an index; with that way barred, what is left shows
whether an index leads straight to the place. A condition on the place that is no condition of the index, or rows that
have to be sorted before the first of them can be shown, would stand in the plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.sql.elements import TextClause

from timebank.canteens.purses import views as purses
from timebank.core.db import Database
from timebank.ledger import queries as ledger

# Their packages export functions of the modules' names.
pools = import_module("timebank.giving.queries.pools")
lines = import_module("timebank.clearing.queries.lines")
positions = import_module("timebank.clearing.queries.positions")

_BARRED = ("enable_seqscan", "enable_bitmapscan")


@pytest.mark.parametrize(
    "statement", [ledger._STATEMENT, purses._LINES, pools._STATEMENT], ids=["person", "purse", "pool"]
)
def test_a_page_goes_on_backwards_from_the_last_version(bank: Database, statement: TextClause) -> None:
    nodes = plan_of(bank, statement, account_id=1, before=100, most=51)
    walked = {node["Index Name"]: node for node in nodes if node.get("Scan Direction") == "Backward"}
    assert walked.keys() == {
        "uq_ledger_transfer_from_account_id_from_version",
        "uq_ledger_transfer_to_account_id_to_version",
    }
    for node in walked.values():
        assert "account_id = " in node["Index Cond"]
        assert "version < " in node["Index Cond"]
        assert "Filter" not in node
    assert all("Sort" not in node["Node Type"] for node in below_the_pages(nodes))


def test_a_page_of_a_window_goes_on_from_the_last_number(bank: Database) -> None:
    asked = {"number": 1, "from_seq": 0, "to_seq": 2**63 - 1, "last_leg_seq": 2**63 - 1, "after": 50, "most": 51}
    nodes = plan_of(bank, lines._LINES, township_code="330213004", **asked)
    read = {node["Index Name"]: node for node in nodes if node.get("Relation Name") == "ledger_transfer"}
    assert {"ix_ledger_transfer_from_open", "ix_ledger_transfer_to_open"} <= read.keys()
    for side in ("from", "to"):
        assert "ROW(" in read[f"ix_ledger_transfer_{side}_open"]["Index Cond"]
    # By account alone it would read and sort whatever the township ever had.
    assert not any("version" in name for name in read)
    assert all(node["Node Type"] != "Incremental Sort" for node in nodes)
    [clearing] = [node for node in nodes if node.get("Alias") == "ledger_account"]
    assert clearing["Index Name"] == "uq_ledger_account_holder"


def test_what_a_township_owes_is_found_without_reading_everybodys_accounts(bank: Database) -> None:
    nodes = plan_of(bank, positions._OWED, codes=["330213004"])
    [clearing] = [node for node in nodes if node.get("Relation Name") == "ledger_account"]
    assert clearing["Index Name"] == "uq_ledger_account_holder"


def plan_of(bank: Database, statement: TextClause, **asked: Any) -> list[dict[str, Any]]:
    """Every node of the plan, from the top down."""
    with bank.session() as session:
        for way in _BARRED:
            session.execute(text(f"SET LOCAL {way} = off"))
        found = session.execute(_explaining(statement), asked).scalar_one()
    whole = json.loads(found) if isinstance(found, str) else found
    return list(_nodes(whole[0]["Plan"]))


def _explaining(statement: TextClause) -> TextClause:
    return text(f"EXPLAIN (FORMAT JSON) {statement.text}").bindparams(*statement._bindparams.values())


def below_the_pages(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What is below the two limits: each side's page as it is read; above them two short pages are put together."""
    sides = [node for node in nodes if node["Node Type"] == "Limit"][1:]
    assert len(sides) == 2
    return [below for side in sides for below in _nodes(side)]


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", ()):
        yield from _nodes(below)
