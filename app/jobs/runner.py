"""Running the timetable: each item in its own unit of work, a failure noted and the next item done."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from datetime import timedelta

import prometheus_client
import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from app.jobs.job import Job
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotFound

_ITEMS = prometheus_client.Counter("timebank_job_items_total", "Items that jobs worked on", ["job", "outcome"])

log = structlog.get_logger()


def run_job(database: Database, job: Job, over: threading.Event | None = None) -> tuple[int, int]:
    """Do everything that is due for one job; answers how many items were done and how many failed.

    Items that somebody else was faster with count as neither. When ``over`` is set, the item under way is the last.
    """
    with database.session() as session:
        items = list(job.find(session))
    outcomes: Counter[str] = Counter()
    for item in items:
        if over is not None and over.is_set():
            break
        outcome = _do_item(database, job, item)
        outcomes[outcome] += 1
        _ITEMS.labels(job.name, outcome).inc()
    if outcomes["failed"]:
        log.warning("job_items_failed", job=job.name, failed=outcomes["failed"], of=len(items))
    return outcomes["done"], outcomes["failed"]


def _do_item(database: Database, job: Job, item: object) -> str:
    try:
        with database.unit_of_work() as session:
            answer = job.do(session, item)
    except BankError as refusal:
        return _refused(job, item, refusal)
    except Exception as failure:
        log.error("job_item_failed", job=job.name, item=str(item), error=type(failure).__name__)
        return "failed"
    if answer is False:
        return "passed"
    # What works on many, or keeps what it wrote beside a refusal, answers refusals as values.
    answers = answer if isinstance(answer, list) else [answer]
    refusals = [one for one in answers if isinstance(one, BankError)]
    return _refused(job, item, refusals[0]) if refusals else "done"


def _refused(job: Job, item: object, refusal: BankError) -> str:
    if isinstance(refusal, Conflict | NotFound):
        # Somebody was faster: the item is not due any more, which is what was wanted.
        log.info("job_item_passed", job=job.name, code=refusal.code)
        return "passed"
    log.error("job_item_failed", job=job.name, item=str(item), error=refusal.code)
    return "failed"


def run_until_told(database: Database, jobs: tuple[Job, ...]) -> None:
    """Run the timetable until SIGTERM or SIGINT, every job once soon after the start; items under way are finished."""
    over = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: over.set())
    # A turn that comes late is made late, not left out: for an hourly job that would be an hour.
    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults=defaults)
    for place, job in enumerate(jobs, start=1):
        scheduler.add_job(
            _run_and_log,
            "interval",
            args=(database, job, over),
            seconds=job.every_s,
            jitter=max(1, job.every_s // 10),
            next_run_time=clock.machine_now() + timedelta(seconds=place),
        )
    scheduler.start()
    log.info("jobs_started", jobs=[job.name for job in jobs])
    over.wait()
    scheduler.shutdown(wait=True)
    log.info("jobs_stopped")


def _run_and_log(database: Database, job: Job, over: threading.Event) -> None:
    try:
        run_job(database, job, over)
    except Exception as failure:
        # Most often the database is away for a moment; the next turn finds the same items.
        log.error("job_failed", job=job.name, error=type(failure).__name__)
        _ITEMS.labels(job.name, "failed").inc()
