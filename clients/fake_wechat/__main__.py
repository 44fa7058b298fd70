"""``python -m clients.fake_wechat``: the fake WeChat as a process of its own."""

from __future__ import annotations

import signal
import threading

import click

from clients.fake_wechat.parent import call_when_gone
from clients.fake_wechat.server import FakeWeChat


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 picks a free port")
@click.option("--appid", envvar="TIMEBANK_WECHAT_APPID", help="checked when given")
@click.option("--secret", envvar="TIMEBANK_WECHAT_SECRET", help="checked when given")
@click.option("--with-parent", type=int, metavar="PID", help="end when this process ends")
def main(port: int, appid: str | None, secret: str | None, with_parent: int | None) -> None:
    """Answers as WeChat's server does, on 127.0.0.1, until SIGTERM or SIGINT."""
    over = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: over.set())
    try:
        fake = FakeWeChat(port=port, appid=appid or None, secret=secret or None)
    except OSError as taken:
        raise click.ClickException(f"cannot listen on 127.0.0.1:{port}: {taken.strerror}") from None
    if with_parent is not None:
        call_when_gone(with_parent, over.set)
    with fake:
        click.echo(f"fake WeChat on {fake.url}")
        over.wait()


if __name__ == "__main__":
    main()
