"""Every bug that is put into clearing on purpose is caught by the twelve books on paper."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy.exc import DBAPIError

from tests.bank.clearing_machine import ClearingMachine
from tests.bank.clearing_scene import Scene, scene_of_clearing
from tests.bank.clearing_seeded_bugs import BUGS, Bug
from tests.postgres import ThrowawayPostgres

BRIEF = settings(
    max_examples=6,
    stateful_step_count=40,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def caught(scene: Scene, bug: Bug) -> str:
    """Who caught the bug: the database, which refused to write, or the paper; '' where nobody did."""
    with pytest.MonkeyPatch.context() as patch:
        bug.sow(patch)
        try:
            # The seed of a history in which much happens early.
            run_state_machine_as_test(seed(12)(partial(ClearingMachine, scene, Counter())), settings=BRIEF)
        except DBAPIError:
            return "the database"
        except (AssertionError, ValueError):
            return "the paper"
    return ""


def test_every_seeded_bug_is_caught(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    by: dict[str, str] = {}
    with scene_of_clearing(postgres, migrated_template, "clearing_bugs") as scene:
        for bug in BUGS:
            by[bug.name] = caught(scene, bug)
            print(f"{bug.name}: {by[bug.name] or 'NOT caught'}")
    print(f"{sum(map(bool, by.values()))} of {len(BUGS)}")
    assert [name for name, who in by.items() if not who] == []


def test_where_there_is_no_bug_none_is_seen(postgres: ThrowawayPostgres, migrated_template: str) -> None:
    with scene_of_clearing(postgres, migrated_template, "clearing_no_bug") as scene:
        assert caught(scene, Bug("none", lambda _patch: None)) == ""
