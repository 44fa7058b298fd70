"""Every bug that is put into clearing on purpose is caught by the twelve books on paper."""

from __future__ import annotations

from collections import Counter

import pytest
from sqlalchemy.exc import DBAPIError

from tests.bank.clearing_days import one_history
from tests.bank.clearing_machine import ClearingMachine
from tests.bank.clearing_scene import Scene, scene_of_clearing
from tests.bank.clearing_seeded_bugs import BUGS, Bug
from tests.postgres import ThrowawayPostgres
from tests.thorough import length

HISTORIES, DAYS = (56, 3, 11), 40
"""Which histories are lived through with a bug until it is caught; in the first much happens early.

Ids are new in every run, and with them the order in which townships are asked, so one history may pass a bug by.
"""


def caught(scene: Scene, bug: Bug) -> str:
    """Who caught the bug: the database, which refused to write, or the paper; '' where nobody did."""
    return next(filter(None, (caught_in(history, scene, bug) for history in HISTORIES)), "")


def caught_in(history: int, scene: Scene, bug: Bug) -> str:
    machine = ClearingMachine(scene, Counter())
    with pytest.MonkeyPatch.context() as patch:
        bug.sow(patch)
        try:
            for day in one_history(history, DAYS):
                machine.a_day_passes(day)
                machine.the_bank_says_what_the_paper_says()
            machine.recompute()
        except DBAPIError:
            return "the database"
        except (AssertionError, ValueError):
            return "the paper"
        finally:
            machine.closing.close()
    return ""


def test_every_seeded_bug_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    by: dict[str, str] = {}
    with scene_of_clearing(postgres, migrated_template, "clearing_bugs") as scene:
        for bug in BUGS[: length(7, len(BUGS))]:
            by[bug.name] = caught(scene, bug)
            print(f"{bug.name}: {by[bug.name] or 'NOT caught'}")
    print(f"{sum(map(bool, by.values()))} of {len(by)}")
    assert [name for name, who in by.items() if not who] == []


def test_where_there_is_no_bug_none_is_seen(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    with scene_of_clearing(postgres, migrated_template, "clearing_no_bug") as scene:
        assert caught(scene, Bug("none", lambda _patch: None)) == ""
