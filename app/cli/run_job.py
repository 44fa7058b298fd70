"""``timebank run-job``: one job now, as the timetable would run it."""

from __future__ import annotations

import sys

import click

from app.adapters.wechat import WeChat
from app.cli.bank import open_place
from app.jobs.runner import run_job
from app.jobs.sending import Sender
from app.jobs.timetable import timetable
from app.logs import configure_logs
from timebank.core.db import Database


@click.command("run-job")
@click.argument("name", required=False)
def run_job_command(name: str | None) -> None:
    """立即运行一项定时任务；不写名称则列出全部。 Run the job NAME now; without a name, list them."""
    with open_place() as place:
        settings = place.settings
        configure_logs(development=settings.development)
        wechat = WeChat(settings.wechat_base_url or "http://127.0.0.1:9", settings.wechat_appid, settings.wechat_secret)
        jobs = {job.name: job for job in timetable(Sender(wechat, settings.wechat_template_id))}
        if name is None:
            for job in jobs.values():
                click.echo(f"{job.name:<20}{job.title}（每{job.every_s}秒）")
            return
        if name not in jobs:
            raise click.ClickException(f"没有这项定时任务 no such job: {name}")
        database = Database(place.database_url)
        done, failed = run_job(database, jobs[name])
        database.close()
    click.echo(f"{name}：完成 {done} 项，失败 {failed} 项")
    sys.exit(1 if failed else 0)
