"""What can be seen of giving: gifts, donations, pools, requests for hardship help."""

from timebank.giving.queries.gifts import DonationSeen, GiftSeen, donation_seen, donations_of, gift_seen, gifts_of
from timebank.giving.queries.hardship import (
    HARDSHIP_ORDERS,
    HardshipFilter,
    HardshipSeen,
    hardship_requests,
    hardship_seen,
)
from timebank.giving.queries.pools import PoolLine, PoolSeen, pool_statement, pools

__all__ = [
    "HARDSHIP_ORDERS",
    "DonationSeen",
    "GiftSeen",
    "HardshipFilter",
    "HardshipSeen",
    "PoolLine",
    "PoolSeen",
    "donation_seen",
    "donations_of",
    "gift_seen",
    "gifts_of",
    "hardship_requests",
    "hardship_seen",
    "pool_statement",
    "pools",
]
