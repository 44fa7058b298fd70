"""Villages as people write them, against the official names."""

from __future__ import annotations

import pytest

from timebank.people.villages import village_called

NAMES = ["西坞居委会", "西坞村委会", "白杜村委会", "奉中社区", "西坞林场生活区"]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("白杜村委会", "白杜村"),
        ("白杜村", "白杜村"),
        (" 白 杜 ", "白杜村"),
        ("白杜村村民委员会", None),
        ("白杜村民委员会", "白杜村"),
        ("奉中社区", "奉中社区"),
        ("奉中", "奉中社区"),
        ("西坞村", "西坞村"),
        ("西坞居民委员会", "西坞居委会"),
        ("西坞林场生活区", "西坞林场生活区"),
        ("西坞", None),
        ("蒋家池头村", None),
        ("", None),
        ("村", None),
    ],
)
def test_a_village_is_known_by_what_people_call_it(written: str, found: str | None) -> None:
    assert village_called(written, NAMES) == found
