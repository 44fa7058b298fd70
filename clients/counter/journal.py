"""Scans that wait for the line, and what became of each: one line a fact in a file that survives a power cut.

A line is on the disk before the clerk is told. What was torn by a power cut in the middle of a line was never told to
anybody, and is left out; a line that is broken otherwise stops the counter, since nothing is dropped silently.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


class JournalBroken(Exception):
    """The file says something that this program never wrote."""


@dataclass(frozen=True)
class Kept:
    """One scan that got a yes: what the scanner read, and when by the bank's clock."""

    nonce: str
    text: str
    scanned_at: str
    code: str


class Journal:
    """All scans made without a line, oldest first, in ``file``."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.scans: dict[str, Kept] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        if file.exists():
            self._read()

    @property
    def waiting(self) -> list[Kept]:
        """Scans that have no final answer yet."""
        return [scan for nonce, scan in self.scans.items() if nonce not in self.answers]

    @property
    def let_through(self) -> set[str]:
        """Codes that got a yes here."""
        return {scan.code for scan in self.scans.values()}

    @property
    def differing(self) -> list[tuple[Kept, dict[str, Any]]]:
        """Scans that the bank answered otherwise than the clerk was told, with its answer."""
        settled = ((self.scans[nonce], answer) for nonce, answer in self.answers.items() if nonce in self.scans)
        return [(scan, answer) for scan, answer in settled if answer.get("result") != "accepted"]

    def keep(self, scan: Kept) -> None:
        """Write a scan down for good."""
        self._append([{"scan": scan.__dict__}])
        self.scans[scan.nonce] = scan

    def settle(self, answers: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Write down the bank's final answers."""
        self._append([{"answer": answer, "nonce": nonce} for nonce, answer in answers])
        self.answers.update(answers)

    def _append(self, entries: Sequence[dict[str, Any]]) -> None:
        is_new = not self._file.exists()
        with os.fdopen(
            os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8"
        ) as out:
            out.write("".join(json.dumps(entry, ensure_ascii=False) + "\n" for entry in entries))
            out.flush()
            os.fsync(out.fileno())
        if is_new:
            _sync_folder(self._file.parent)

    def _read(self) -> None:
        content = self._file.read_bytes()
        whole, _, torn = content.rpartition(b"\n")
        if torn:
            # Else the next line would go on where this one broke off.
            with self._file.open("r+b") as out:
                out.truncate(len(content) - len(torn))
                os.fsync(out.fileno())
        for number, line in enumerate(whole.splitlines(), start=1):
            try:
                entry = json.loads(line)
                if "scan" in entry:
                    self.scans[entry["scan"]["nonce"]] = Kept(**entry["scan"])
                else:
                    self.answers[entry["nonce"]] = entry["answer"]
            except (ValueError, KeyError, TypeError):
                raise JournalBroken(f"{self._file.name}, line {number}") from None


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
