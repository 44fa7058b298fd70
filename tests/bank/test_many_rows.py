"""Lists that the bank writes out itself for PostgreSQL arrive there as they were."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import JSON, BigInteger, Boolean, Date, LargeBinary, Text, text
from sqlalchemy.exc import StatementError

from timebank.core.clock import LOCAL
from timebank.core.crypto import SealedText
from timebank.core.db import Database, Instant, UuidColumn
from timebank.core.rows import many, writable

BIGGEST = 2**63 - 1
_texts = st.text(st.characters(blacklist_characters="\x00", blacklist_categories=("Cs",)))
_LAST = datetime(9999, 1, 1)
# Python holds a moment of an hour that came twice to be equal to none of another zone; Shanghai had such until 1991.
_moments = st.datetimes(datetime(1900, 1, 1), _LAST, timezones=st.just(UTC)) | st.datetimes(
    datetime(1992, 1, 1), _LAST, timezones=st.just(LOCAL)
)
KINDS: list[tuple[Any, st.SearchStrategy[Any]]] = [
    (Text(), _texts | st.sampled_from(["NULL", "null", "", " ", '"', "\\", "{", "}", ",", "{a,b}", '\\"', "\n\t"])),
    (UuidColumn, st.uuids()),
    (BigInteger(), st.integers(-BIGGEST - 1, BIGGEST)),
    (Boolean(), st.booleans()),
    (Instant, _moments),
]


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=lambda one: type(one).__name__)
def test_any_list_arrives_as_it_was(bank: Database, kind: Any, values: st.SearchStrategy[Any]) -> None:
    echo = text("SELECT * FROM unnest(:sent)").bindparams(many("sent", kind))

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.none() | values, max_size=12))
    def arrives(sent: list[Any]) -> None:
        with bank.session() as session:
            assert list(session.scalars(echo, {"sent": sent})) == sent

    arrives()


@pytest.mark.parametrize("kind", [Date(), LargeBinary(), JSON(), SealedText()], ids=repr)
def test_what_is_not_written_out_here_is_left_to_the_driver(kind: Any) -> None:
    assert not writable(kind)


@pytest.mark.parametrize(("kind", "wrong"), [(BigInteger(), 1.5), (BigInteger(), "1}"), (UuidColumn, "a")], ids=repr)
def test_a_value_of_another_type_never_becomes_part_of_the_list(bank: Database, kind: Any, wrong: Any) -> None:
    echo = text("SELECT * FROM unnest(:sent)").bindparams(many("sent", kind))
    with bank.session() as session, pytest.raises((StatementError, AttributeError, TypeError)):
        session.execute(echo, {"sent": [wrong]})
