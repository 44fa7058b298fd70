"""Sending a workbook: written to a file that is closed once it is sent, saved under its Chinese name."""

from __future__ import annotations

from collections.abc import Callable
from tempfile import TemporaryFile
from typing import BinaryIO
from urllib.parse import quote

from app.api.operation import Sent

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def workbook_sent(write: Callable[[BinaryIO], None], *, plain: str, named: str) -> Sent:
    """What ``write`` writes, named ``named`` (RFC 5987) or, for programs that cannot read that, ``plain``.

    Both names are without their ending.
    """
    file = TemporaryFile()  # noqa: SIM115 - closed once it is sent
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    name = f"attachment; filename=\"{plain}.xlsx\"; filename*=UTF-8''{quote(named + '.xlsx')}"
    return Sent(file, {"Content-Disposition": name})
