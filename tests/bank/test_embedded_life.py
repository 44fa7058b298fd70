"""How the embedded PostgreSQL is started, shared, found again after a crash, and stopped."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bank.embedded_places import am_root, ask, connect, other_bank, postmaster_of, reachable_folder
from timebank.core.embedded import EmbeddedPostgres, EmbeddedRefused
from timebank.core.embedded.owner import Owner, database_owner


@pytest.fixture(scope="module")
def made_home() -> Iterator[Path]:
    """A home with a whole cluster in it, not running; making one takes a second, copying it a moment."""
    with reachable_folder() as folder:
        start(folder / "home").close()
        yield folder / "home"


@pytest.fixture
def home(made_home: Path) -> Iterator[Path]:
    with reachable_folder() as folder:
        subprocess.run(["cp", "-a", made_home, folder], check=True)
        yield folder / "home"


@pytest.fixture
def owner() -> Owner:
    return database_owner()


def start(home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres.start(home, durable=False)


def pid_of(home: Path) -> int:
    postmaster = postmaster_of(home)
    assert postmaster is not None
    return postmaster.pid


def test_the_last_one_out_stops_the_server(home: Path) -> None:
    first = start(home)
    with other_bank(home) as second:
        pid = pid_of(home)
        first.close()
        assert pid_of(home) == pid
        second.close()
    assert postmaster_of(home) is None


def test_one_who_leaves_early_disturbs_nobody(home: Path) -> None:
    with start(home) as server, connect(server) as connection:
        with other_bank(home) as second:
            second.close()
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_two_banks_side_by_side_do_not_meet(home: Path) -> None:
    with start(home) as one, start(home.with_name("neighbour")) as two:
        assert one.url != two.url
        with connect(one) as connection:
            connection.execute("CREATE TABLE only_here ()")
        assert ask(one, "SELECT to_regclass('only_here')::text") == "only_here"
        assert ask(two, "SELECT to_regclass('only_here')::text") is None


def test_the_data_are_there_after_a_restart(home: Path) -> None:
    with start(home) as server, connect(server) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS hours")
    with start(home) as server:
        assert ask(server, "SELECT hours FROM kept") == 7


def test_a_stale_server_is_taken_over(home: Path) -> None:
    with other_bank(home) as crashed:
        crashed.kill()
    pid = pid_of(home)
    with start(home) as server:
        assert pid_of(home) == pid
        assert ask(server, "SELECT 1") == 1
    assert postmaster_of(home) is None


def test_a_killed_server_is_started_anew_with_its_data(home: Path) -> None:
    with other_bank(home) as crashed:
        with start(home) as server, connect(server) as connection:
            connection.execute("SET synchronous_commit = on")
            connection.execute("CREATE TABLE kept AS SELECT 7 AS hours")
        crashed.kill()
    os.kill(pid_of(home), signal.SIGKILL)
    with start(home) as server:
        assert ask(server, "SELECT hours FROM kept") == 7
    assert postmaster_of(home) is None


def test_a_stale_file_that_names_a_living_stranger_confuses_nobody(home: Path, owner: Owner) -> None:
    identity = {"user": owner.uid, "extra_groups": []} if owner.is_another else {}
    data = home / "postgres" / "data"
    # It even names the folder and works in it.
    looker = ["tail", "-f", "/dev/null", data]
    with subprocess.Popen(looker, cwd=data, stderr=subprocess.DEVNULL, **identity) as stranger:
        try:
            file = data / "postmaster.pid"
            file.write_text(f"{stranger.pid}\n{file.parent}\n1700000000\n5432\n/nowhere\n\n  12345  67\nready\n")
            os.chown(file, owner.uid, owner.gid)
            with start(home) as server:
                assert ask(server, "SELECT 1") == 1
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_half_made_data_folder_is_made_anew(home: Path, owner: Owner) -> None:
    cluster = home / "postgres"
    owner.must(["mv", cluster / "data", cluster / "data.unfinished"])
    owner.must(["rm", cluster / "data.unfinished" / "global" / "pg_control"])
    with start(home) as server:
        assert ask(server, "SELECT 1") == 1
    assert sorted(path.name for path in cluster.iterdir()) == ["data", "log", "socket"]


def test_ctrl_c_for_the_whole_terminal_reaches_the_bank_but_not_its_database(home: Path) -> None:
    with other_bank(home) as bank:
        pid = pid_of(home)
        assert bank.tell("wait_for_ctrl_c()") == "waiting"
        os.killpg(bank.process.pid, signal.SIGINT)
        assert bank.line() == "interrupted"
        with start(home) as server:
            assert pid_of(home) == pid
            assert ask(server, "SELECT 1") == 1
        bank.close()
    assert postmaster_of(home) is None


def test_a_forked_child_does_not_stop_the_server(home: Path) -> None:
    with other_bank(home) as bank:
        assert bank.tell("fork_a_child_that_closes()") == "0"
        pid = pid_of(home)
        start(home).close()
        assert pid_of(home) == pid
        bank.close()


def test_a_forked_child_that_lives_on_does_not_keep_the_server(home: Path) -> None:
    with other_bank(home) as bank:
        child = int(bank.tell("fork_a_child_that_stays()"))
        try:
            bank.kill()
            assert postmaster_of(home) is not None
            start(home).close()
            assert postmaster_of(home) is None
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_start_that_is_interrupted_leaves_no_server(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ctrl_c(*_: object) -> Path:
        assert postmaster_of(home) is not None
        raise KeyboardInterrupt

    monkeypatch.setattr(EmbeddedPostgres, "_trusted", ctrl_c)
    with pytest.raises(KeyboardInterrupt):
        start(home)
    assert postmaster_of(home) is None


def test_closing_twice_is_closing_once(home: Path) -> None:
    server = start(home)
    server.close()
    with start(home):
        server.close()
        assert postmaster_of(home) is not None


def test_data_of_another_major_version_are_refused(home: Path) -> None:
    version = home / "postgres" / "data" / "PG_VERSION"
    version.write_text("17\n")
    with pytest.raises(EmbeddedRefused, match=r"PostgreSQL 17, but this bank brings PostgreSQL 18"):
        start(home)
    assert version.read_text() == "17\n"


def test_a_lost_password_file_is_named_and_no_server_is_left_running(home: Path) -> None:
    (home / "pgpass").unlink()
    with pytest.raises(EmbeddedRefused, match="pgpass"):
        start(home)
    assert postmaster_of(home) is None


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    conf = home / "postgres" / "data" / "postgresql.conf"
    conf.write_text(conf.read_text() + "\nno_such_setting = 1\n")
    with pytest.raises(EmbeddedRefused, match="configuration file"):
        start(home)


@pytest.mark.parametrize("name", ["long-" * 20, "时间 银行,尚田:'西坞'"], ids=["long", "odd"])
def test_a_home_no_socket_fits_into_gets_a_private_folder_elsewhere(home: Path, name: str) -> None:
    home = home.with_name(name) / "home"
    with other_bank(home) as crashed:
        left_behind = postmaster_of(home).socket_folder
        crashed.kill()
    os.kill(pid_of(home), signal.SIGKILL)
    with start(home) as server:
        folder = postmaster_of(home).socket_folder
        assert str(folder).startswith("/tmp/timebank-sockets-")
        assert folder.stat().st_mode & 0o777 == 0o700
        assert ask(server, "SELECT 1") == 1
    assert not folder.exists()
    assert not left_behind.exists()


def test_a_socket_folder_that_was_opened_is_not_trusted(home: Path) -> None:
    with start(home):
        (home / "postgres" / "socket").chmod(0o777)
        with pytest.raises(EmbeddedRefused, match="open to others"):
            start(home)


def test_a_lost_socket_folder_is_told_and_cured_by_the_last_one_out(home: Path, owner: Owner) -> None:
    socket = home / "postgres" / "socket"
    with start(home):
        owner.must(["rm", "-r", socket])
        with pytest.raises(EmbeddedRefused, match=f"lost its socket folder {socket}"):
            start(home)
    with start(home) as server:
        assert ask(server, "SELECT 1") == 1


@pytest.mark.skipif(not am_root, reason="only root runs the server as somebody else")
def test_as_root_the_server_runs_as_a_system_user_without_a_login(home: Path, owner: Owner) -> None:
    with start(home):
        status = Path(f"/proc/{pid_of(home)}/status").read_text()
    assert f"Uid:\t{owner.uid}\t{owner.uid}\t{owner.uid}\t{owner.uid}\n" in status
    assert f"Groups:\t{owner.gid} \n" in status or "Groups:\t \n" in status
    entry = subprocess.run(["getent", "passwd", owner.name], capture_output=True, text=True, check=True).stdout
    assert entry.strip().endswith(":/nonexistent:/usr/sbin/nologin")
