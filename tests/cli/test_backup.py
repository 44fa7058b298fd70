"""``timebank db backup`` and ``restore``: everything comes back, nothing half written stays, nothing is overwritten."""

from __future__ import annotations

import json
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.command_line import CommandLine
from tests.conftest import SECRET
from tests.factories.minutes import save_minutes
from tests.factories.people import SHANGTIAN, add_person
from tests.postgres import ThrowawayPostgres
from tests.story.running_bank import reachable_home, timebank
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.people.models import Person
from timebank.redemption.actions import buy_vouchers


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.fixture
def saver(bank: Database) -> Actor:
    with bank.unit_of_work() as session:
        person = add_person(session, SHANGTIAN, name="王梅")
        save_minutes(session, person, 6000)
    return person


@pytest.fixture
def empty_url(postgres: ThrowawayPostgres) -> Iterator[str]:
    yield postgres.create("restored")
    postgres.drop("restored")


class Buyer(threading.Thread):
    """Somebody who buys one voucher after another until told to stop."""

    def __init__(self, bank: Database, person: Actor) -> None:
        super().__init__()
        self.over, self.bought, self._bank, self._person = threading.Event(), 0, bank, person
        self.begun = threading.Event()

    def run(self) -> None:
        while not self.over.is_set() and self.bought < 100:
            with self._bank.unit_of_work() as session:
                buy_vouchers(session, actor=self._person, quantity=1)
            self.bought += 1
            self.begun.set()


def test_a_backup_made_while_people_write_is_restored_into_another_home_and_verifies(
    bank: Database, line: CommandLine, saver: Actor, tmp_path: Path, empty_url: str
) -> None:
    file = tmp_path / "bank.dump"
    buyer = Buyer(bank, saver)
    buyer.start()
    try:
        assert buyer.begun.wait(30)
        bought_before = buyer.bought
        assert "TIMEBANK_SECRET_KEY" in line.good("db", "backup", str(file))
    finally:
        buyer.over.set()
        buyer.join()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with reachable_home() as home:
        secret = {"TIMEBANK_SECRET_KEY": SECRET}
        restored = timebank(home, "db", "restore", str(file), **secret)
        assert restored.returncode == 0, restored.stderr
        verified = timebank(home, "verify", "--json", **secret)
        assert json.loads(verified.stdout)["ok"] is True
        again = timebank(home, "db", "restore", str(file), **secret)
        assert (again.returncode, "nothing was restored" in again.stderr) == (1, True)
        copy = tmp_path / "copy.dump"
        assert timebank(home, "db", "backup", str(copy), **secret).returncode == 0
    # What that home holds in its turn: every voucher bought before the first backup began, and perhaps later ones.
    CommandLine(tmp_path / "third", empty_url).good("db", "restore", str(copy))
    third = Database(empty_url)
    with third.session() as session:
        found = session.scalar(text("SELECT count(*) FROM voucher"))
    third.close()
    assert 1 <= bought_before <= (found or 0) <= buyer.bought


def test_balances_names_and_guards_are_the_same_after_a_restore(
    bank: Database, line: CommandLine, saver: Actor, tmp_path: Path, empty_url: str
) -> None:
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=saver, quantity=3)
    line.good("verify")
    file = tmp_path / "bank.dump"
    line.good("db", "backup", str(file))
    target = CommandLine(tmp_path / "other", empty_url)
    target.good("db", "restore", str(file))
    restored = Database(empty_url)
    try:
        assert everything_in(restored) == everything_in(bank)
        with restored.session() as session:
            assert session.get_one(Person, saver.person_id).name == "王梅"
            with pytest.raises(Exception, match="ledger_transfer"):
                session.execute(text("UPDATE ledger_transfer SET amount = amount + 1"))
    finally:
        restored.close()
    assert "not empty" in target.refused("db", "restore", str(file))


def test_a_restore_under_another_secret_is_told_and_nothing_works_on_it(
    bank: Database, line: CommandLine, saver: Actor, tmp_path: Path, empty_url: str
) -> None:
    line.good("verify")
    file = tmp_path / "bank.dump"
    line.good("db", "backup", str(file))
    target = CommandLine(tmp_path / "other", empty_url)
    target.settings["TIMEBANK_SECRET_KEY"] = "another secret of quite sufficient length"
    assert "not the secret" in target.refused("db", "restore", str(file))
    assert "not the secret" in target.refused("verify")


def everything_in(bank: Database) -> dict[str, list[str]]:
    """All rows of all tables."""
    with bank.session() as session:
        names = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1"
        tables = list(session.scalars(text(names)))
        assert len(tables) > 10
        return {name: sorted(session.scalars(text(f'SELECT t::text FROM "{name}" t'))) for name in tables}


def test_a_backup_that_fails_leaves_the_earlier_one_and_no_draft(
    line: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bank.dump"
    file.write_text("the earlier backup")
    broken = tmp_path / "pg_dump"
    broken.write_text("#!/bin/sh\necho half a backup\necho the disk is gone >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr("app.cli.db.binary", lambda _name: broken)
    assert "the disk is gone" in line.refused("db", "backup", str(file))
    assert file.read_text() == "the earlier backup"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["bank.dump", "pg_dump"]


def test_a_backup_into_a_folder_that_is_not_there_is_one_sentence(line: CommandLine, tmp_path: Path) -> None:
    assert "cannot be written" in line.refused("db", "backup", str(tmp_path / "missing" / "bank.dump"))


@pytest.mark.parametrize("spoilt", [b"no backup at all", None], ids=["another file", "cut short"])
def test_a_file_that_is_no_whole_backup_restores_nothing(
    bank: Database, line: CommandLine, saver: Actor, tmp_path: Path, empty_url: str, spoilt: bytes | None
) -> None:
    file = tmp_path / "bank.dump"
    line.good("db", "backup", str(file))
    whole = file.read_bytes()
    file.write_bytes(spoilt or whole[: len(whole) // 2])
    assert "pg_restore" in CommandLine(tmp_path / "other", empty_url).refused("db", "restore", str(file))
    restored = Database(empty_url)
    with restored.session() as session:
        found = session.scalar(text("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"))
    restored.close()
    assert found == 0
