"""``timebank serve``: API, pages and jobs; and ``timebank jobs``, the jobs alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app.adapters.wechat import WeChat
from app.cli.bank import OpenBank, open_place
from app.config import Settings
from app.demo import PASSWORD, PEOPLE, STAFF, seed_demo
from app.jobs.runner import run_until_told
from app.jobs.sending import Sender
from app.jobs.timetable import timetable
from app.logs import configure_logs
from app.processes import end_with_parent
from timebank.core.db import Database
from timebank.migrations import upgrade

_BLOCKING_THREADS = 8
_STOP_PATIENCE_S = 20


@click.command("serve")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="server processes")
@click.option("--jobs/--no-jobs", "with_jobs", default=True, help="run the jobs too")
def serve(workers: int, with_jobs: bool) -> None:
    """Serve API, pages and jobs until Ctrl-C."""
    signal.signal(signal.SIGTERM, _leave)
    with ExitStack() as stack:
        place = stack.enter_context(open_place())
        settings = place.settings
        _must_be_free(settings)
        environment = {"TIMEBANK_HOME": str(settings.home), "TIMEBANK_DATABASE_URL": place.database_url}
        if settings.development:
            upgrade(place.database_url)
            environment["TIMEBANK_WECHAT_BASE_URL"] = settings.wechat_base_url or stack.enter_context(_fake_wechat())
            _seed(place.database_url, environment["TIMEBANK_WECHAT_BASE_URL"], settings)
        environment["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(tempfile.TemporaryDirectory(prefix="timebank-"))
        environment["TIMEBANK_SERVING_PID"] = str(os.getpid())
        os.environ.update(environment)
        if with_jobs:
            stack.enter_context(_child("jobs", [sys.executable, "-m", "app.cli.main", "jobs"]))
        _announce(place)
        _serve_until_told(settings, workers)
    click.echo("时间银行已停止。 The bank has stopped.")


@click.command("jobs")
def jobs() -> None:
    """Run the jobs alone, until Ctrl-C."""
    if "TIMEBANK_SERVING_PID" in os.environ:
        end_with_parent(int(os.environ["TIMEBANK_SERVING_PID"]))
    with open_place() as place:
        settings = place.settings
        configure_logs(development=settings.development)
        wechat = WeChat(settings.wechat_base_url or "http://127.0.0.1:9", settings.wechat_appid, settings.wechat_secret)
        database = Database(place.database_url, pool_size=5)
        run_until_told(database, timetable(Sender(wechat, settings.wechat_template_id)))
        database.close()


def _serve_until_told(settings: Settings, workers: int) -> None:
    server = Granian(
        "app.factory:create_app",
        factory=True,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=workers,
        blocking_threads=_BLOCKING_THREADS,
        respawn_failed_workers=True,
        workers_kill_timeout=_STOP_PATIENCE_S,
        log_level=LogLevels.warning,
    )
    server.serve()


def _must_be_free(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as taken:
            raise click.ClickException(
                f"{settings.host}:{settings.port} 不能使用 cannot be used ({taken.strerror}): "
                "另有程序占用，请用 TIMEBANK_PORT 换一个端口 choose another port with TIMEBANK_PORT"
            ) from None


def _seed(database_url: str, wechat_url: str, settings: Settings) -> None:
    database = Database(database_url)
    try:
        with database.unit_of_work() as session:
            seed_demo(session, WeChat(wechat_url, settings.wechat_appid, settings.wechat_secret))
    finally:
        database.close()


@contextmanager
def _fake_wechat() -> Iterator[str]:
    """A fake WeChat of our own; answers its address."""
    command = [sys.executable, "-m", "clients.fake_wechat", "--port", "0", "--with-parent", str(os.getpid())]
    with _child("fake WeChat", command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        _, found, url = said.strip().rpartition(" ")
        if not found:
            raise click.ClickException("模拟微信没有启动 the fake WeChat did not start")
        yield url


@contextmanager
def _child(name: str, command: list[str], stdout: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """A process beside this one, in a session of its own so that Ctrl-C reaches only us, and ended by us."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(command, cwd=root, stdout=stdout, text=True, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP_PATIENCE_S)
        except subprocess.TimeoutExpired:
            click.echo(f"{name} 没有及时结束，已强制结束 did not end in time and was killed", err=True)
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _leave(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _announce(place: OpenBank) -> None:
    settings = place.settings
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    base = f"http://{host}:{settings.port}"
    click.echo(f"奉化时间银行 The bank serves on {base}")
    click.echo(f"  接口 API          {base}/api/v1    说明 description  {base}/openapi.json")
    click.echo(f"  数据 data         {settings.home}")
    if settings.development:
        click.echo(f"  微信 WeChat       {os.environ['TIMEBANK_WECHAT_BASE_URL']} （模拟 fake）")
        click.echo(f"  工作人员 staff     密码 password  {PASSWORD}")
        for username, title, _, _ in STAFF:
            click.echo(f"    {username:<14}{title}")
        click.echo("  群众 people       timebank phone login " + " | ".join(person.name for person in PEOPLE))
    click.echo("  停止 stop         Ctrl-C")
    sys.stdout.flush()
