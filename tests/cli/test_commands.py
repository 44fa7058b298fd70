"""What the smaller commands print, wide, narrow and piped, and what they answer to a tampered bank."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.cells import cell_len
from sqlalchemy import text

from app.cli.main import _COMMANDS
from app.jobs.timetable import timetable
from tests.cli.command_line import CommandLine
from tests.conftest import SECRET
from tests.factories.minutes import save_minutes
from tests.factories.people import SHANGTIAN, add_person
from tests.story.running_bank import timebank
from timebank.core.db import Database
from timebank.policies.definitions import DEFINITIONS


@pytest.fixture
def line(tmp_path: Path, database_url: str) -> CommandLine:
    return CommandLine(tmp_path / "home", database_url)


@pytest.mark.parametrize("columns", [60, 100])
@pytest.mark.parametrize("words", [["verify"], ["policies", "show"]], ids=" ".join)
def test_tables_fit_the_terminal_and_lose_no_words(line: CommandLine, words: list[str], columns: int) -> None:
    shown = line.good(*words, COLUMNS=str(columns))
    assert max(map(cell_len, shown.splitlines())) <= columns
    assert "…" not in shown


def test_verify_says_ok_and_names_every_check(bank: Database, line: CommandLine) -> None:
    answer = json.loads(line.good("verify", "--json"))
    assert answer["ok"] is True
    assert {"books_balance", "clearing_sums_to_zero", "holds_agree", "seals_hold"} <= {
        check["name"] for check in answer["checks"] if check["ok"]
    }
    assert "全部相符" in line.good("verify")


def test_verify_names_the_first_row_that_was_tampered_with(unverified_bank: Database, line: CommandLine) -> None:
    with unverified_bank.unit_of_work() as session:
        account_id = save_minutes(session, add_person(session, SHANGTIAN), 60)
    with unverified_bank.unit_of_work() as session:
        # Whoever owns the database can switch its triggers off.
        session.execute(text("ALTER TABLE ledger_account DISABLE TRIGGER USER"))
        session.execute(text("UPDATE ledger_account SET posted = 600 WHERE id = :id"), {"id": account_id})
    done = line.run("verify", "--json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["ok"]) == (1, False)
    assert (answer["first_misfit"]["table"], answer["first_misfit"]["row"]) == ("ledger_account", str(account_id))
    shown = line.run("verify", COLUMNS="60")
    assert shown.exit_code == 1
    assert f"ledger_account {account_id}" in shown.stdout
    assert "不符" in shown.stdout


def test_policies_show_tells_every_policy_in_words_and_as_json(line: CommandLine) -> None:
    answer = json.loads(line.good("policies", "show", "--json"))
    assert set(answer["policies"]) == set(DEFINITIONS)
    assert answer["policies"]["voucher_price_minutes"]["value"] == 60
    shown = line.good("policies", "show", COLUMNS="200")
    for definition in DEFINITIONS.values():
        assert definition.label in shown


def test_run_job_lists_the_jobs_runs_one_and_knows_no_other(bank: Database, line: CommandLine) -> None:
    listed = line.good("run-job")
    assert [row.split()[0] for row in listed.splitlines()] == [job.name for job in timetable(None)] + ["send_notices"]
    with bank.unit_of_work() as session:
        save_minutes(session, add_person(session, SHANGTIAN), 60)
    # In a process of its own: it sets up the logs for good.
    done = timebank(None, "run-job", "seal", **line.settings)
    assert (done.returncode, done.stdout) == (0, "seal：完成 1 项，失败 0 项\n")
    with bank.session() as session:
        assert session.scalar(text("SELECT count(*) FROM ledger_seal")) == 1
    unknown = timebank(None, "run-job", "dance", **line.settings)
    assert (unknown.returncode, "dance" in unknown.stderr) == (1, True)
    assert SECRET not in done.stdout + done.stderr + unknown.stderr


HELP = [[], *([name] for name in _COMMANDS), ["db", "backup"], ["db", "restore"], ["db", "upgrade"]]
HELP += [
    ["staff", "add"],
    ["staff", "close"],
    ["policies", "show"],
    ["policies", "compare"],
    ["policies", "try"],
    ["policies", "propose"],
    ["phone", "login"],
]


@pytest.mark.parametrize("words", HELP, ids=lambda words: " ".join(words) or "timebank")
def test_every_command_explains_itself_in_chinese(tmp_path: Path, words: list[str]) -> None:
    done = CommandLine(tmp_path).run(*words, "--help")
    assert done.exit_code == 0
    # Below its usage line; the phone shows its help in a frame, without empty lines.
    first_words = done.stdout.split("\n\n")[:2][-1]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in first_words)
    assert "Traceback" not in done.stdout
    for name in _COMMANDS if not words else []:
        assert name in done.stdout
