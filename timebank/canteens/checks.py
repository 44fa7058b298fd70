"""What ``timebank verify`` asks of the meal programme, piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

from timebank.canteens.counter.checks import counter_checks
from timebank.canteens.delivery.checks import delivery_checks
from timebank.canteens.network.checks import network_checks
from timebank.canteens.orders.checks import order_checks
from timebank.canteens.purses.checks import purse_checks
from timebank.canteens.subsidies.checks import subsidy_checks
from timebank.ledger.verify import Check


def canteen_checks() -> Iterator[Check]:
    """Every check of the meal programme."""
    yield from network_checks()
    yield from order_checks()
    yield from purse_checks()
    yield from counter_checks()
    yield from delivery_checks()
    yield from subsidy_checks()
