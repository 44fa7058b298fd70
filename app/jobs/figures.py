"""Jobs that keep figures: sums of days, and what stood at the end of each month."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session

from app.jobs.job import BATCH, Job
from timebank.supervision.figures import actions as figures


def _once(_session: Session) -> Iterable[Any]:
    return [None]


def figure_jobs() -> tuple[Job, ...]:
    """All of them."""
    return (
        Job("sum_up_days", "每日数字合计", 300, _once, lambda s, _: figures.sum_up_days(s)),
        Job(
            "close_bulletins",
            "月报定稿",
            600,
            lambda s: figures.months_to_close(s, limit=BATCH),
            lambda s, month: figures.close_month(s, month=month),
        ),
    )
