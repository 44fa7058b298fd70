"""What may happen on a day: people live their lives, and a steward does one thing about it. Drawn by name."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

PRICES = (
    {"meal": 3000, "care": 3000, "aid": 3000},
    {"meal": 1800, "care": 3000, "aid": 900},
    {"meal": 1801, "care": 3007, "aid": 905},
    {"meal": 1801, "care": 3007},
)

people = st.integers(0, 5)
places = st.integers(0, 11)
which = st.integers(0, 99)
minutes = st.integers(1, 150)
methods = st.sampled_from(["pay", "carry"])
rarely = st.sampled_from([False, False, False, True])

LIFE = (
    ("earn", people, places, minutes, st.booleans()),
    ("earn", people, places, minutes, st.booleans()),
    ("borrow", people, places, minutes),
    ("buy", people),
    ("buy", people),
    ("eat", which, places),
    ("eat", which, places),
    ("give_back", which),
    ("reverse", which),
    ("move", people, places),
    ("tally",),
)
"""What people do, and how."""

OFFICE = (
    ("nothing",),
    ("set_prices", st.sampled_from(PRICES)),
    ("close", rarely, st.integers(1, 25)),
    ("close", rarely, st.integers(1, 25)),
    ("close", rarely, st.integers(1, 25)),
    ("object", which, which, rarely),
    ("object", which, which, rarely),
    ("object", which, which, rarely),
    ("rule", which, st.sampled_from(["moved", "moved", "stays"])),
    ("rule", which, st.sampled_from(["moved", "moved", "stays"])),
    ("agree", which, st.sampled_from(["everybody", "everybody", "one", "the district"])),
    ("settle", which, methods, st.just(False)),
    ("settle", which, methods, st.just(True)),
    ("settle", which, methods, st.just(True)),
    ("undo", which),
    ("undo", which),
    ("pay", which, st.sampled_from(["paid", "failed", "again", "all"])),
    ("pay", which, st.sampled_from(["paid", "failed", "again", "all"])),
)
"""What stewards do about it."""

_lives = st.lists(st.one_of(*(st.tuples(st.just(name), *how) for name, *how in LIFE)), max_size=5)
_offices = st.one_of(*(st.tuples(st.just(name), *how) for name, *how in OFFICE))
days = st.tuples(_lives, _offices).map(lambda found: [*found[0], found[1]])


def one_history(number: int, length: int) -> list[list[tuple[Any, ...]]]:
    """So many days, always the same ones for one number, to be lived through again and again."""
    drawn: list[list[list[tuple[Any, ...]]]] = []

    @seed(number)
    @settings(max_examples=2, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(st.lists(days, min_size=length, max_size=length))
    def draw(history: list[list[tuple[Any, ...]]]) -> None:
        drawn.append(history)

    draw()
    # The first one that is drawn is the dullest there is.
    return drawn[-1]
