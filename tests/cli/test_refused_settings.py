"""Settings that will not do: one clear sentence from every command, and nothing made, changed or given away."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import read_settings
from tests.cli.command_line import CommandLine

NOBODY = "postgresql://bank:hunter2@127.0.0.1:9/bank"
COMMANDS = {
    "serve": ["serve"],
    "jobs": ["jobs"],
    "verify": ["verify"],
    "policies": ["policies", "show"],
    "run-job": ["run-job", "seal"],
    "staff": ["staff", "close", "nobody"],
    "upgrade": ["db", "upgrade"],
    "backup": ["db", "backup", "unwritten.dump"],
    "restore": ["db", "restore", "some.dump"],
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "some.dump").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_production_without_its_secrets_names_what_is_missing(here: Path, command: list[str]) -> None:
    line = CommandLine(here / "home")
    sentence = line.refused(*command, TIMEBANK_ENV="production", TIMEBANK_SECRET_KEY=None)
    for name in ("TIMEBANK_SECRET_KEY", "TIMEBANK_WECHAT_APPID", "TIMEBANK_WECHAT_SECRET"):
        assert name in sentence
    assert [path.name for path in here.iterdir()] == ["some.dump"]


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_a_database_that_cannot_be_reached_is_one_sentence(here: Path, command: list[str]) -> None:
    sentence = CommandLine(here / "home", NOBODY, at_home=False).refused(*command)
    assert "127.0.0.1" in sentence
    assert "hunter2" not in sentence
    assert [path.name for path in here.iterdir()] == ["some.dump"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("TIMEBANK_SECRET_KEY", "short"),
        ("TIMEBANK_SECRET_KEY", "a" * 40),
        ("TIMEBANK_PORT", "abc"),
        ("TIMEBANK_PORT", "0"),
        ("TIMEBANK_PORT", "65536"),
        ("TIMEBANK_ENV", "staging"),
        ("TIMEBANK_DATABASE_URL", "mysql://root:hunter2@localhost/bank"),
        ("TIMEBANK_DATABASE_URL", "nonsense hunter2"),
        ("TIMEBANK_DATABASE_URL", "postgresql://bank:hunter2@localhost:port/bank"),
    ],
)
def test_a_setting_that_will_not_do_is_named_in_one_sentence(here: Path, setting: str, value: str) -> None:
    sentence = CommandLine(here / "home").refused("serve", **{setting: value})
    assert setting in sentence
    assert "hunter2" not in sentence
    assert [path.name for path in here.iterdir()] == ["some.dump"]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_database_url_is_taken_as_everybody_writes_it(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("TIMEBANK_DATABASE_URL", f"{scheme}://bank:p%40ss@db.example:5433/bank?sslmode=require")
    found = read_settings().database_url
    assert found == "postgresql+psycopg://bank:p%40ss@db.example:5433/bank?sslmode=require"


def test_production_speaks_to_wechat_itself_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TIMEBANK_WECHAT_BASE_URL", raising=False)
    for name, value in {"ENV": "production", "WECHAT_APPID": "wx1", "WECHAT_SECRET": "s"}.items():
        monkeypatch.setenv(f"TIMEBANK_{name}", value)
    monkeypatch.setenv("TIMEBANK_SECRET_KEY", "0123456789abcdef0123456789abcdef")
    assert read_settings().wechat_base_url == "https://api.weixin.qq.com"


def test_notices_are_not_given_up_for_want_of_a_wechat(here: Path, database_url: str) -> None:
    sentence = CommandLine(here, database_url).refused("run-job", "send_notices")
    assert "TIMEBANK_WECHAT_BASE_URL" in sentence
