"""The counter's pages, all together."""

from app.web.counter import cash, menus, rounds, scanning, selling, today, totals

ROOMS = (scanning.doors, today.doors, rounds.doors, selling.doors, menus.doors, cash.doors, totals.doors)
