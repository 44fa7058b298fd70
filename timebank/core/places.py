"""Distances on the earth, reckoned by the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, func

_EARTH_M = 6_371_008.8
"""The mean radius of the earth in metres."""


def metres_from(latitude: float, longitude: float, *, north: Any, east: Any) -> ColumnElement[int]:
    """Whole metres from a place to another, ``north`` and ``east`` being its columns, over the ball of the earth.

    By the haversine formula; NULL where a column is.
    """
    up = func.sin(func.radians(north - latitude) / 2)
    across = func.sin(func.radians(east - longitude) / 2)
    squared = func.power(up, 2) + func.cos(func.radians(latitude)) * func.cos(func.radians(north)) * func.power(
        across, 2
    )
    # Rounding may carry it a hair beyond 1 at the other end of the world, where asin is not defined.
    return cast(func.round(2 * _EARTH_M * func.asin(func.sqrt(func.least(1.0, squared)))), Integer)
