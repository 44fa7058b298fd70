"""All rooms of the desk."""

from __future__ import annotations

from app.web.desk import (
    canteens,
    claims,
    clearing,
    diners,
    hardship,
    ledger,
    life,
    people,
    policies,
    services,
    settling,
    today,
)

ROOMS = (
    today.doors,
    people.doors,
    life.doors,
    services.doors,
    clearing.doors,
    settling.doors,
    claims.doors,
    canteens.doors,
    diners.doors,
    hardship.doors,
    policies.doors,
    ledger.doors,
)
