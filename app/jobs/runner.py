"""Running the timetable: each item in its own unit of work, a failure noted and the next item done."""

from __future__ import annotations

import signal
import threading

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from prometheus_client import Counter

from app.jobs.timetable import Job
from timebank.core.db import Database
from timebank.core.errors import BankError

_ITEMS = Counter("timebank_job_items_total", "Items that jobs worked on", ["job", "outcome"])

log = structlog.get_logger()


def run_job(database: Database, job: Job) -> tuple[int, int]:
    """Do everything that is due for one job; answers how many items were done and how many failed."""
    with database.session() as session:
        items = list(job.find(session))
    failed = sum(not _do_item(database, job, item) for item in items)
    if failed:
        log.warning("job_items_failed", job=job.name, failed=failed, of=len(items))
    return len(items) - failed, failed


def _do_item(database: Database, job: Job, item: object) -> bool:
    try:
        with database.unit_of_work() as session:
            job.do(session, item)
    except BankError as refusal:
        # Somebody was faster: the item is not due any more, which is what was wanted.
        log.info("job_item_passed", job=job.name, code=refusal.code)
        _ITEMS.labels(job.name, "passed").inc()
        return True
    except Exception as failure:
        log.error("job_item_failed", job=job.name, item=str(item), error=type(failure).__name__)
        _ITEMS.labels(job.name, "failed").inc()
        return False
    _ITEMS.labels(job.name, "done").inc()
    return True


def run_until_told(database: Database, jobs: tuple[Job, ...]) -> None:
    """Run the timetable until SIGTERM or SIGINT; what is under way is finished first."""
    over = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: over.set())
    scheduler = BackgroundScheduler(timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1})
    for job in jobs:
        scheduler.add_job(
            _run_and_log, "interval", args=(database, job), seconds=job.every_s, jitter=max(1, job.every_s // 10)
        )
    scheduler.start()
    log.info("jobs_started", jobs=[job.name for job in jobs])
    over.wait()
    scheduler.shutdown(wait=True)
    log.info("jobs_stopped")


def _run_and_log(database: Database, job: Job) -> None:
    try:
        run_job(database, job)
    except Exception as failure:
        # Most often the database is away for a moment; the next turn finds the same items.
        log.error("job_failed", job=job.name, error=type(failure).__name__)
        _ITEMS.labels(job.name, "failed").inc()
