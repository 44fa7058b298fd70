"""The signed text in a voucher's QR: short, exact, and nobody else's to make."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from timebank.core.errors import Refused
from timebank.redemption.codes import ALPHABET, check_character
from timebank.redemption.signing import (
    FIRST_FORM,
    MEALS,
    WEEKDAYS,
    PrivateKey,
    SignedVoucher,
    key_number,
    looks_signed,
    read_payload,
    signed_payload,
    text_of,
)

KEY, OTHER = PrivateKey(7, bytes(range(32))), PrivateKey(8, bytes(32))
PUBLIC = {7: KEY.public}
VOUCHER = SignedVoucher("ABCDEFGHJK" + check_character("ABCDEFGHJK"), datetime(2026, 9, 6, 4, 30, tzinfo=UTC))

codes = st.text(ALPHABET, min_size=10, max_size=10).map(lambda body: body + check_character(body))
vouchers = st.builds(
    SignedVoucher,
    codes,
    st.datetimes(datetime(2020, 1, 1), datetime(2156, 1, 1)).map(lambda at: at.replace(tzinfo=UTC, microsecond=0)),
    st.sets(st.sampled_from(WEEKDAYS)).map(lambda days: tuple(sorted(days))),
    st.sets(st.sampled_from(MEALS)).map(lambda meals: tuple(meal for meal in MEALS if meal in meals)),
    st.none() | st.sampled_from(["330213004", "330213107", "000000001"]),
)


@given(vouchers, st.integers(1, 65535))
def test_what_is_signed_is_read_again_whatever_it_says(voucher: SignedVoucher, number: int) -> None:
    key = PrivateKey(number, b"k" * 32)
    text = signed_payload(voucher, key)
    assert read_payload(text, {number: key.public}) == voucher
    assert key_number(text) == number


@given(vouchers)
def test_every_text_fits_a_qr_of_version_seven_that_a_phone_reads_at_once(voucher: SignedVoucher) -> None:
    text = signed_payload(voucher, PrivateKey(65535, bytes(32)))
    assert len(text) == 115
    assert segno.make_qr(text, error="m", boost_error=False).designator == "7-M"


@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    text = signed_payload(VOUCHER, KEY)
    place = data.draw(st.integers(len(FIRST_FORM), len(text) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda c: c != text[place]))
    with pytest.raises(Refused, match=r"qr_unreadable:|qr_forged:|qr_key_unknown:"):
        read_payload(text[:place] + other + text[place + 1 :], PUBLIC)


@given(st.text(max_size=200))
def test_any_other_text_is_refused_and_never_a_fault(text: str) -> None:
    for said in (text, FIRST_FORM + text, FIRST_FORM + text_of(text.encode("utf-8", "replace"))):
        with pytest.raises(Refused, match=r"qr_unreadable:|qr_forged:|qr_key_unknown:"):
            read_payload(said, PUBLIC)


def test_anothers_signature_under_our_number_is_forged_and_under_its_own_unknown() -> None:
    forged = signed_payload(VOUCHER, PrivateKey(7, OTHER.secret))
    with pytest.raises(Refused, match="qr_forged:"):
        read_payload(forged, PUBLIC)
    with pytest.raises(Refused, match="qr_key_unknown:") as unknown:
        read_payload(signed_payload(VOUCHER, OTHER), PUBLIC)
    assert unknown.value.facts == {"key_id": 8}


def test_a_signature_is_good_for_what_it_was_made_for_only() -> None:
    text = signed_payload(VOUCHER, KEY)
    raw = base64.urlsafe_b64decode(text.removeprefix(FIRST_FORM) + "=")
    later = signed_payload(SignedVoucher(VOUCHER.code, VOUCHER.expires_at + timedelta(days=1)), KEY)
    longer = base64.urlsafe_b64decode(later.removeprefix(FIRST_FORM) + "=")
    with pytest.raises(Refused, match="qr_forged:"):
        read_payload(FIRST_FORM + text_of(longer[:-64] + raw[-64:]), PUBLIC)


def test_an_unpadded_text_has_no_second_spelling() -> None:
    text = signed_payload(VOUCHER, KEY)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(text[-1])
    twin = text[:-1] + alphabet[place ^ 1]
    assert base64.urlsafe_b64decode(twin[4:] + "=") == base64.urlsafe_b64decode(text[4:] + "=")
    for other in (twin, text + "=", text.replace("-", "+").replace("_", "/") + " "):
        with pytest.raises(Refused, match="qr_unreadable:"):
            read_payload(other, PUBLIC)


def test_a_later_form_is_recognised_and_not_misread() -> None:
    text = signed_payload(VOUCHER, KEY).replace("TB1.", "TB2.")
    assert looks_signed(text)
    with pytest.raises(Refused, match="qr_unreadable:"):
        read_payload(text, PUBLIC)


@pytest.mark.parametrize("text", ["ABCDEFGHJKW", "TB1", "tb1.abc", "付款码", "", "https://example.test/TB1.x"])
def test_a_plain_code_and_a_foreign_text_claim_no_signature(text: str) -> None:
    assert not looks_signed(text)


def test_the_expiry_is_cut_to_the_second_and_a_mistyped_code_is_never_signed() -> None:
    exact = SignedVoucher(VOUCHER.code, VOUCHER.expires_at + timedelta(microseconds=999_999))
    assert read_payload(signed_payload(exact, KEY), PUBLIC).expires_at == VOUCHER.expires_at
    with pytest.raises(ValueError, match="not a voucher's code"):
        signed_payload(SignedVoucher("ABCDEFGHJKA", VOUCHER.expires_at), KEY)


def test_a_key_shows_its_number_and_never_its_secret() -> None:
    assert repr(KEY) == f"{KEY}" == "PrivateKey(7)"
