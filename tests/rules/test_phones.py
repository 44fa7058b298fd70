from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timebank.people.phones import masked_phone, tidy_phone


@pytest.mark.parametrize(
    "written",
    [
        "13104333853",
        13104333853,
        13104333853.0,
        "131-0433-3853",
        "+86 13104333853",
        "0086-13104333853",
        "8613104333853",
        8613104333853,
        "１３１０４３３３８５３",
        " 131 0433 3853\n",
        "131—0433—3853",
    ],
)
def test_a_mobile_is_read_however_it_is_written(written: object) -> None:
    assert tidy_phone(written) == "13104333853"


@pytest.mark.parametrize(
    "written",
    [
        "0574-88831881",
        "057488831881",
        "(0574)88831881",
        "（０５７４）８８８３１８８１",
        "+86 574 88831881",
        57488831881,
    ],
)
def test_a_landline_is_read_however_it_is_written(written: object) -> None:
    assert tidy_phone(written) == "0574-88831881"


def test_a_three_digit_area_code_stands_alone() -> None:
    assert tidy_phone("021-63212810") == "021-63212810"
    assert tidy_phone("+86 10 66553399") == "010-66553399"


@pytest.mark.parametrize("written", [None, "", "  \u3000"])
def test_no_phone_is_no_fault(written: object) -> None:
    assert tidy_phone(written) is None


@pytest.mark.parametrize(
    "written",
    [
        "1310433385",
        "12104333853",
        "131043338533",
        "无",
        "88831881",
        True,
        131.5,
        float("nan"),
        "13104333853/0574",
        ["1"],
    ],
)
def test_what_is_no_phone_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="联系电话"):
        tidy_phone(written)


def test_a_mask_shows_enough_to_recognise_the_phone() -> None:
    assert masked_phone("13104333853") == "131****3853"
    assert masked_phone("0574-88831881") == "0574-****1881"
    assert masked_phone("88831881") == "********"


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans(), st.binary()))
def test_a_phone_once_tidied_is_tidy(written: object) -> None:
    try:
        found = tidy_phone(written)
    except ValueError:
        return
    assert tidy_phone(found) == found
