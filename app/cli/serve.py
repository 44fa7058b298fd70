"""``timebank serve``: API, pages and jobs; and ``timebank jobs``, the jobs alone."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app.adapters.wechat import WeChat, WeChatError
from app.cli.bank import OpenBank, open_place, opened, secret_must_fit, settings_given
from app.cli.run_job import sender_of
from app.config import Settings
from app.demo import PASSWORD, PEOPLE, STAFF, seed_demo
from app.jobs.runner import run_until_told
from app.jobs.timetable import timetable
from app.logs import configure_logs
from app.processes import STOP_PATIENCE_S, beside, end_with_parent, kept_beside
from timebank.core.db import Database
from timebank.migrations import upgrade


@click.command("serve")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="服务进程数 server processes")
@click.option("--jobs/--no-jobs", "with_jobs", default=True, help="是否同时运行定时任务 run the jobs too")
def serve(workers: int, with_jobs: bool) -> None:
    """运行接口、网页和定时任务，按 Ctrl-C 停止。 Serve API, pages and jobs until Ctrl-C."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _leave)
    _must_be_free(settings_given())
    with ExitStack() as stack:
        place = stack.enter_context(open_place())
        settings = place.settings
        configure_logs(development=settings.development)
        environment = {"TIMEBANK_HOME": str(settings.home), "TIMEBANK_DATABASE_URL": place.database_url}
        if settings.development:
            upgrade(place.database_url)
        secret_must_fit(place)
        if settings.development:
            environment["TIMEBANK_WECHAT_BASE_URL"] = settings.wechat_base_url or stack.enter_context(_fake_wechat())
            _seed(place.database_url, environment["TIMEBANK_WECHAT_BASE_URL"], settings)
        environment["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="timebank-"))
        environment["TIMEBANK_SERVING_PID"] = str(os.getpid())
        os.environ.update(environment)
        if with_jobs:
            stack.enter_context(kept_beside([sys.executable, "-m", "app.cli.main", "jobs"]))
        _announce(place)
        serve_until_told("app.factory:create_app", address=settings.host, port=settings.port, workers=workers)
    click.echo("时间银行已停止。 The bank has stopped.")


@click.command("jobs")
def jobs() -> None:
    """只运行定时任务，按 Ctrl-C 停止。 Run the jobs alone, until Ctrl-C."""
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, _leave)
    if "TIMEBANK_SERVING_PID" in os.environ:
        end_with_parent(int(os.environ["TIMEBANK_SERVING_PID"]))
    with open_place() as place:
        configure_logs(development=place.settings.development)
        sender = sender_of(place.settings)
        if sender is None:
            click.echo("没有 TIMEBANK_WECHAT_BASE_URL，不发送通知 no WeChat is named, no notices are sent", err=True)
        with opened(place, pool_size=5) as database:
            run_until_told(database, timetable(sender))


def serve_until_told(target: str, *, address: str, port: int, workers: int) -> None:
    """Serve the application that the function ``target`` makes. Raises ClickException where its workers keep ending."""
    # Workers begin afresh: a fork would copy locks held by our threads, and metrics that count for one process only.
    multiprocessing.set_start_method("spawn", force=True)
    # Most of a worker's threads wait for the batch of one of them; granian takes all of them to be at work, and warns.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    server = Granian(
        target,
        factory=True,
        address=address,
        port=port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=settings_given().threads,
        respawn_failed_workers=True,
        workers_kill_timeout=int(STOP_PATIENCE_S),
        log_level=LogLevels.warning,
    )
    try:
        server.serve()
    except SystemExit:
        # From a terminal Ctrl-C reaches the workers too, and granian counts those that left before they were told.
        if not server.interrupt_signal:
            raise click.ClickException("服务进程反复退出，请看日志 the workers keep ending, see the log") from None


def _must_be_free(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as problem:
            raise click.ClickException(
                f"{settings.host}:{settings.port} 不能使用 cannot be used ({problem.strerror}): "
                "请用 TIMEBANK_PORT 换一个端口，或改正 TIMEBANK_HOST "
                "choose another port with TIMEBANK_PORT, or mend TIMEBANK_HOST"
            ) from None


def _seed(database_url: str, wechat_url: str, settings: Settings) -> None:
    database = Database(database_url)
    try:
        with database.unit_of_work() as session:
            seed_demo(session, WeChat(wechat_url, settings.wechat_appid, settings.wechat_secret))
    except WeChatError as refused:
        raise click.ClickException(
            f"TIMEBANK_WECHAT_BASE_URL 不认识演示人员 does not know the demo people ({refused}): "
            "开发环境请用模拟微信 in development leave it out, or name a fake WeChat"
        ) from None
    finally:
        database.close()


@contextmanager
def _fake_wechat() -> Iterator[str]:
    """A fake WeChat of our own; answers its address."""
    command = [sys.executable, "-m", "clients.fake_wechat", "--port", "0", "--with-parent", str(os.getpid())]
    with beside(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        _, found, url = said.strip().rpartition(" ")
        if not found:
            raise click.ClickException("模拟微信没有启动 the fake WeChat did not start")
        yield url


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _announce(place: OpenBank) -> None:
    settings = place.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{host}:{settings.port}"
    click.echo(f"奉化时间银行 The bank serves on {base}")
    click.echo(f"  接口 API          {base}/api/v1    说明 description  {base}/openapi.json")
    pages = "手机 phone /m/    柜台 counter /counter/    上门照护 care /care/    工作台 desk /desk/"
    click.echo(f"  网页 pages         {base}/    {pages}")
    click.echo(f"  数据 data         {settings.home}")
    if settings.development:
        click.echo(f"  微信 WeChat       {os.environ['TIMEBANK_WECHAT_BASE_URL']} （模拟 fake）")
        click.echo(f"  工作人员 staff     密码 password  {PASSWORD}")
        for username, title, _, _ in STAFF:
            click.echo(f"    {username:<14}{title}")
        click.echo("  群众 people       timebank phone login " + " | ".join(person.name for person in PEOPLE))
    click.echo("  停止 stop         Ctrl-C")
    sys.stdout.flush()
