"""The counter's pages, all together."""

from app.web.counter import cash, kitchen, menus, rounds, scanning, selling, today, totals
from app.web.menus.rooms import COUNTER as WEEKS

ROOMS = (
    scanning.doors,
    today.doors,
    kitchen.doors,
    rounds.doors,
    selling.doors,
    menus.doors,
    WEEKS,
    cash.doors,
    totals.doors,
)
