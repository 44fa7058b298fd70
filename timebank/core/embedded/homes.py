"""The bank's data folder 数据目录: reachable for the database's user, and nothing opened that was closed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from timebank.core.embedded.owner import EmbeddedRefused, Owner, database_owner

SYSTEM_HOMES = Path("/var/lib/timebank")


def reachable_home(wanted: Path, *, explicit: bool) -> Path:
    """The absolute data folder to use: ``wanted``, or for root in a closed place a folder in /var/lib/timebank.

    ``explicit`` says that a person named ``wanted``; then nothing else is ever used instead. The caller should
    tell the person which folder it became. As root this makes the system user ``timebank-db`` when missing.
    Raises EmbeddedRefused when ``wanted`` is closed to the database's user and was explicit or already holds a bank.
    """
    wanted = wanted.resolve()
    if os.geteuid() != 0:
        return wanted
    owner = database_owner()
    if owner.first_closed(wanted) is None:
        return wanted
    if explicit or (wanted / "postgres").exists():
        # An empty bank elsewhere, in place of the one that lies here, would be the worst of answers.
        refuse_closed(wanted, owner)
    label = re.sub(r"[^A-Za-z0-9-]+", "-", wanted.parent.name).strip("-") or "bank"
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:8]
    home = SYSTEM_HOMES / f"{label[:32]}-{digest}"
    make_home(home, owner)
    return home


def refuse_closed(home: Path, owner: Owner) -> None:
    """Raise EmbeddedRefused when ``owner`` cannot enter ``home`` or, where it is yet to be made, its parents."""
    closed = owner.first_closed(home)
    if closed is not None:
        raise EmbeddedRefused(
            f"The data folder {home} cannot be used, because the database's user {owner.name} may not enter {closed}: "
            "name a folder that it can reach in TIMEBANK_HOME. "
            f"数据库用户 {owner.name} 无法进入 {closed}，请用 TIMEBANK_HOME 指定其他数据目录。"
        )


def make_home(home: Path, owner: Owner) -> None:
    """Make ``home`` and its missing parents, enterable for ``owner`` and readable for nobody else.

    What already exists keeps its mode and its owner. Raises EmbeddedRefused when the folder is closed to
    ``owner`` or cannot be made.
    """
    refuse_closed(home, owner)
    mode = 0o711 if owner.is_another else 0o700
    try:
        for folder in (*reversed(home.parents), home):
            if not folder.exists():
                _make_folder(folder, mode)
    except OSError as problem:
        raise EmbeddedRefused(
            f"The data folder {home} cannot be made ({problem.strerror}): name another in TIMEBANK_HOME. "
            "无法建立数据目录，请用 TIMEBANK_HOME 指定其他目录。"
        ) from problem


def make_owned_folder(folder: Path, owner: Owner) -> None:
    """Make ``folder`` with mode 0700 for ``owner``, at once or not at all; its parent must exist.

    Raises EmbeddedRefused when it is there and belongs to another user.
    """
    if not folder.exists():
        draft = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        if owner.is_another:
            os.chown(draft, owner.uid, owner.gid)
        draft.rename(folder)
    found = folder.stat()
    if found.st_uid != owner.uid:
        raise EmbeddedRefused(
            f"The database in {folder} belongs to the system user number {found.st_uid}, but the server would run as "
            f"{owner.name}: start the bank as the user who started it first, or name another TIMEBANK_HOME. "
            "数据库属于另一个系统用户，请用原来的用户启动，或更换 TIMEBANK_HOME。"
        )


def _make_folder(folder: Path, mode: int) -> None:
    try:
        folder.mkdir(mode)
    except FileExistsError:  # made by another process of the same bank a moment ago
        return
    folder.chmod(mode)  # mkdir's own mode is cut down by the umask
