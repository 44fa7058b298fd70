"""Commands run inside the test's own process, against the test's own database: quick, and with everything tidied up."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from click.testing import CliRunner, Result

from app.cli.main import main
from app.config import Settings
from tests.conftest import SECRET
from tests.day import write_down


class CommandLine:
    """``timebank …`` for one home and one database; ``at_home`` where the home is there, with the tests' clock."""

    def __init__(self, home: Path, database_url: str | None = None, *, at_home: bool = True) -> None:
        self.settings = {"TIMEBANK_HOME": str(home), "TIMEBANK_SECRET_KEY": SECRET}
        if database_url is not None:
            self.settings["TIMEBANK_DATABASE_URL"] = database_url
        if database_url is not None and at_home:
            write_down(Settings(home=home).clock_file)

    def run(self, *words: str, stdin: str = "", **more: str | None) -> Result:
        """Run one command; none of the caller's own settings reach it, and a setting given as None is left out."""
        others = {name: None for name in os.environ if name.startswith("TIMEBANK_")}
        with _signals_kept():
            return CliRunner().invoke(main, words, input=stdin, env={**others, **self.settings, **more})

    def good(self, *words: str, stdin: str = "", **more: str | None) -> str:
        """What a command prints that must end well."""
        done = self.run(*words, stdin=stdin, **more)
        assert done.exit_code == 0, done.output
        return done.stdout

    def refused(self, *words: str, stdin: str = "", **more: str | None) -> str:
        """The one sentence of a command that must refuse."""
        done = self.run(*words, stdin=stdin, **more)
        assert done.exit_code == 1, done.output
        assert isinstance(done.exception, SystemExit), done.exception
        [sentence] = [line for line in done.stderr.splitlines() if line]
        return sentence


@contextmanager
def _signals_kept() -> Iterator[None]:
    kept = {sign: signal.getsignal(sign) for sign in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sign, handler in kept.items():
            signal.signal(sign, handler)
