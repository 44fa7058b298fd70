"""The counter's pages, all together."""

from app.web.counter import cash, rounds, scanning, selling, today, totals

ROOMS = (scanning.doors, today.doors, rounds.doors, selling.doors, cash.doors, totals.doors)
