"""Voucher codes: what a clerk mistypes is caught, what is only untidy is read."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.redemption.codes import ALPHABET, LENGTH, check_character, grouped, new_code, tidy_code

BODIES = st.text(ALPHABET, min_size=LENGTH - 1, max_size=LENGTH - 1)


def code_of(body: str) -> str:
    return body + check_character(body)


def test_the_alphabet_leaves_out_what_is_confused() -> None:
    assert not set("01OIL") & set(ALPHABET)
    assert len(set(ALPHABET)) == len(ALPHABET) == 31
    assert ALPHABET.isupper()


def test_a_fresh_code_is_eleven_characters_of_the_alphabet_and_checks() -> None:
    for _ in range(200):
        code = new_code()
        assert len(code) == 11
        assert set(code) <= set(ALPHABET)
        assert tidy_code(code) == code


def test_fresh_codes_differ() -> None:
    assert len({new_code() for _ in range(2000)}) == 2000


@pytest.mark.parametrize("body", ["2345678923", "ZZZZZZZZZZ", "2222222222", "HJK9MNPQRS"])
def test_every_single_wrong_character_is_caught(body: str) -> None:
    code = code_of(body)
    wrong = [code[:i] + c + code[i + 1 :] for i in range(LENGTH) for c in ALPHABET if c != code[i]]
    assert len(wrong) == LENGTH * 30
    assert [candidate for candidate in wrong if tidy_code(candidate) is not None] == []


def test_every_exchange_of_two_neighbours_is_caught() -> None:
    """All pairs at all places, the check character among them."""
    for place in range(LENGTH - 1):
        for first in ALPHABET:
            for second in ALPHABET:
                body = "2" * place + first + second + "2" * LENGTH
                code = code_of(body[: LENGTH - 1])
                swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
                assert swapped == code or tidy_code(swapped) is None


@given(BODIES)
def test_neighbours_exchanged_anywhere_in_any_code_are_caught(body: str) -> None:
    code = code_of(body)
    for i, (one, other) in enumerate(pairwise(code)):
        swapped = code[:i] + other + one + code[i + 2 :]
        assert one == other or tidy_code(swapped) is None


@given(BODIES)
def test_a_code_is_read_however_it_is_typed(body: str) -> None:
    code = code_of(body)
    full_width = "".join(chr(ord(c) + 0xFEE0) for c in code)
    typed = (code.lower(), grouped(code), f" {grouped(code).lower()}\n", " ".join(code), full_width)
    assert [tidy_code(text) for text in typed] == [code] * len(typed)


@pytest.mark.parametrize(
    "text", ["", " ", "ABC", "2" * 12, "O0I1L000000", "券券券券券券券券券券券", "-" * 11, "\x00" * 11]
)
def test_what_can_be_no_code_is_none(text: str) -> None:
    assert tidy_code(text) is None


def test_a_code_is_printed_in_groups() -> None:
    assert grouped("ABCDEFGHJKM") == "ABCD-EFGH-JKM"
