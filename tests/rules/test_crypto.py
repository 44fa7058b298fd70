"""What lies sealed opens with the same secret, and with no other."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.core import crypto
from timebank.core.crypto import Keyring, keyring, use_secret

SECRET, OTHER = "a secret for tests that is long enough", "another secret for tests, long enough too"


@given(st.text())
def test_whatever_is_sealed_opens_again(text: str) -> None:
    assert keyring().open(keyring().seal(text)) == text


def test_the_same_text_is_never_sealed_the_same_way_twice() -> None:
    assert len({keyring().seal("330224196001011230") for _ in range(50)}) == 50


def test_a_sealed_value_shows_nothing_of_its_text() -> None:
    sealed = keyring().seal("330224196001011230")
    assert b"3302241960" not in sealed
    assert len(sealed) == 1 + 12 + 16 + 18


def test_another_secret_opens_nothing_and_finds_nothing() -> None:
    mine, others = Keyring(SECRET), Keyring(OTHER)
    with pytest.raises(ValueError, match="altered, or the secret is another one"):
        others.open(mine.seal("13812345678"))
    assert mine.blind_index("13812345678") != others.blind_index("13812345678")


def test_a_bit_changed_anywhere_is_noticed() -> None:
    sealed = keyring().seal("13812345678")
    for place in range(len(sealed)):
        broken = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(ValueError, match="sealed value"):
            keyring().open(broken)


@pytest.mark.parametrize("sealed", [b"", b"\x01", b"\x01" + bytes(20), b"13812345678"])
def test_what_was_never_sealed_is_no_sealed_value(sealed: bytes) -> None:
    with pytest.raises(ValueError, match="not a sealed value"):
        keyring().open(sealed)


def test_a_blind_index_is_the_same_for_equal_values_and_no_others() -> None:
    ring = Keyring(SECRET)
    assert ring.blind_index("13812345678") == Keyring(SECRET).blind_index("13812345678")
    assert ring.blind_index("13812345678") != ring.blind_index("13812345679")
    assert len(ring.blind_index("")) == 32


def test_each_purpose_has_its_own_key() -> None:
    ring = Keyring(SECRET)
    assert ring.derive("one thing", 32) != ring.derive("another thing", 32)
    assert ring.derive("one thing", 32) == Keyring(SECRET).derive("one thing", 32)


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 32 characters"):
        use_secret("x" * 31)
    use_secret("x" * 32)


def test_without_a_secret_there_are_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "_keyring", [])
    with pytest.raises(RuntimeError, match="no secret"):
        keyring()
