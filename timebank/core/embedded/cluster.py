"""A cluster on the disk 数据库集群: the data folder, its settings, its roles and their passwords.

Two roles: ``timebank``, which owns the database ``timebank`` and is all that the bank ever is, and the superuser
``postgres`` for whoever maintains the machine. Nobody gets in without a password.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from timebank.core.embedded.homes import make_owned_folder
from timebank.core.embedded.owner import EmbeddedRefused, Owner

ROLE = "timebank"
DATABASE = "timebank"
_SUPERUSER = "postgres"

# Written into postgresql.conf once; whoever runs the bank may change them there.
_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgresql-%a.log",  # a week is kept
    "log_rotation_age": "1d",
    "log_truncate_on_rotation": "on",
    "log_timezone": "UTC",
    # Personal data stays out of the log: no statement, no parameter, no DETAIL with the offending row.
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}


class Cluster:
    """The folder ``home/postgres`` and the password file ``home/pgpass`` beside it."""

    def __init__(self, home: Path, owner: Owner) -> None:
        self.owner = owner
        self.folder = home / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.password_file = home / "pgpass"

    def make_folders(self) -> None:
        """Make the folders that are missing; raises EmbeddedRefused when they belong to another system user."""
        make_owned_folder(self.folder, self.owner)
        self.owner.must(["mkdir", "-p", self.log])

    def make_data(self, programs: Path, *, major: str, durable: bool) -> None:
        """Make the data folder when it is missing, whole or not at all.

        ``major`` is the major version of the server in ``programs``. Where not ``durable`` (tests) the disk is not
        waited for and the role may create databases. Raises EmbeddedRefused when initdb fails, or the data are
        another major version's.
        """
        if self.data.exists():
            self._check_version(major)
            return
        draft = self.folder / "data.unfinished"
        self.owner.must(["rm", "-rf", draft])
        passwords = {role: secrets.token_urlsafe(32) for role in (ROLE, _SUPERUSER)}
        self._initialise(draft, programs, passwords[_SUPERUSER], durable=durable)
        self._make_database(draft, programs, passwords[ROLE], durable=durable)
        self._write_passwords(passwords)
        self.owner.must(["mv", draft, self.data])

    def password(self) -> str:
        """The password of the role ``timebank``; raises EmbeddedRefused when the password file lacks it."""
        try:
            entries = self.password_file.read_text().splitlines()
        except FileNotFoundError:
            entries = []
        for entry in entries:
            *_, role, password = entry.split(":")
            if role == ROLE:
                return password
        raise EmbeddedRefused(
            f"The passwords of the database in {self.folder} are missing: put {self.password_file} back from a backup. "
            f"缺少数据库密码文件 {self.password_file}，请从备份恢复。"
        )

    def _check_version(self, major: str) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        if found != major:
            raise EmbeddedRefused(
                f"The data in {self.data} were written by PostgreSQL {found}, but this bank brings PostgreSQL {major}: "
                f"back them up with the bank's version that wrote them, and restore into a new TIMEBANK_HOME. "
                f"数据由 PostgreSQL {found} 写成，与当前版本 {major} 不符，请用原版本备份后恢复到新目录。"
            )

    def _initialise(self, draft: Path, programs: Path, password: str, *, durable: bool) -> None:
        password_file = self.folder / "initdb-password"
        self.owner.must(["/bin/sh", "-c", 'cat > "$1"', "sh", password_file], stdin=password)
        command: list[str | Path] = [programs / "initdb", "-D", draft, "--username", _SUPERUSER]
        command += ["--auth=scram-sha-256", "--pwfile", password_file, "--encoding=UTF8"]
        # Built in, so that sorting never changes under the indexes with the system's libraries.
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
        for name, value in _SETTINGS.items():
            command += ["--set", f"{name}={value}"]
        if not durable:
            command.append("--no-sync")
        try:
            self.owner.must(command)
        finally:
            self.owner.must(["rm", "-f", password_file])

    def _make_database(self, draft: Path, programs: Path, password: str, *, durable: bool) -> None:
        # Through the single-user server: nobody can connect before the passwords are set.
        rights = "LOGIN" if durable else "LOGIN CREATEDB"
        statements = (
            f"CREATE ROLE {ROLE} {rights} PASSWORD '{password}'",
            f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
            f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC",
        )
        command: list[str | Path] = [programs / "postgres", "--single", "-D", draft]
        command += ["-c", "exit_on_error=true", "-c", "logging_collector=off", "-c", f"fsync={durable}", _SUPERUSER]
        self.owner.must(command, stdin="".join(f"{statement}\n" for statement in statements))

    def _write_passwords(self, passwords: dict[str, str]) -> None:
        # In the form that PostgreSQL's programs read: PGPASSFILE=…/pgpass psql -h … -U timebank
        draft = self.password_file.with_name(".pgpass")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"*:*:*:{role}:{password}\n" for role, password in passwords.items())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.password_file)
