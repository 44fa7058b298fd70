"""Finding people by name and the last four characters of their number, while both lie sealed or unindexed."""

from __future__ import annotations

import re

from timebank.core.crypto import keyring
from timebank.core.errors import Refused
from timebank.people.id_numbers import tidy
from timebank.people.rules import tidy_name

_LAST_FOUR = re.compile(r"[0-9]{3}[0-9X]")


def name_last4_index(name: str, id_number: str) -> bytes:
    """The blind index of a name together with the last four of a number; of the whole number or of the four alone."""
    return keyring().blind_index(f"name and last four: {tidy_name(name)} {tidy(id_number)[-4:]}")


def read_last_four(text: str) -> str:
    """The last four as they are kept, three digits and a digit or X. Raises Refused ``last_four_invalid``."""
    four = tidy(text)
    if not _LAST_FOUR.fullmatch(four):
        raise Refused("last_four_invalid", "请输入身份证号的最后四位", field="id_last_four")
    return four
