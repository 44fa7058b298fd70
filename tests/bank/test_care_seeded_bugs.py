"""Every bug that is put into home care on purpose is caught by the machine, and none is seen where there is none."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy.exc import DBAPIError

from tests.bank.care_seeded_bugs import BUGS, Bug
from tests.bank.care_walk import walk
from timebank.core.db import Database


def test_without_a_bug_nothing_is_seen(bank: Database) -> None:
    seen: Counter[str] = Counter()
    walk(bank, seen)
    assert {"confirmed", "cancelled", "no_show", "not_home", "lapsed", "care_provider_full", "hold_ended"} <= set(seen)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_bug_is_caught(unverified_bank: Database, monkeypatch: pytest.MonkeyPatch, bug: Bug) -> None:
    bug.sow(monkeypatch)
    # The paper differs, or the books do not balance; or the database refuses to write.
    with pytest.raises((AssertionError, DBAPIError)):
        walk(unverified_bank, Counter())
