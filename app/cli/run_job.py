"""``timebank run-job``: one job now, as the timetable would run it."""

from __future__ import annotations

import sys

import click

from app.adapters.wechat import WeChat
from app.cli.bank import open_place, opened
from app.config import Settings
from app.jobs.runner import run_job
from app.jobs.sending import Sender
from app.jobs.timetable import timetable
from app.logs import configure_logs

_FAKE_TEMPLATE = "timebank-notice"


@click.command("run-job")
@click.argument("name", required=False)
def run_job_command(name: str | None) -> None:
    """立即运行一项定时任务；不写名称则列出全部。 Run the job NAME now; without a name, list them."""
    if name is None:
        _list_jobs()
        return
    with open_place() as place:
        configure_logs(development=place.settings.development)
        jobs = {job.name: job for job in timetable(sender_of(place.settings))}
        if name == "send_notices" and name not in jobs:
            raise click.ClickException(
                "没有微信可用 there is no WeChat: set TIMEBANK_WECHAT_BASE_URL and TIMEBANK_WECHAT_TEMPLATE_ID"
            )
        if name not in jobs:
            raise click.ClickException(f"没有这项定时任务 no such job: {name}")
        with opened(place) as database:
            done, failed = run_job(database, jobs[name])
    click.echo(f"{name}：完成 {done} 项，失败 {failed} 项")
    sys.exit(1 if failed else 0)


def sender_of(settings: Settings) -> Sender | None:
    """The sender of notices.

    None in development where no WeChat, real or fake, was named, and in production before the office has a template:
    notices then wait, readable in the bank, instead of being tried in vain and given up.
    """
    template_id = settings.wechat_template_id or (_FAKE_TEMPLATE if settings.development else None)
    if settings.wechat_base_url is None or template_id is None:
        return None
    wechat = WeChat(settings.wechat_base_url, settings.wechat_appid, settings.wechat_secret)
    return Sender(wechat, template_id)


def _list_jobs() -> None:
    # Nothing is sent by listing; the address is never called.
    jobs = timetable(Sender(WeChat("http://127.0.0.1:9", "", ""), ""))
    widest = max(len(job.name) for job in jobs)
    for job in jobs:
        click.echo(f"{job.name:<{widest}}  {job.title}（每{job.every_s}秒）")
