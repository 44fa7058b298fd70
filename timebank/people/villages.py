"""Villages 村社 as people write them, found among the official names, which are those of committees. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from timebank.people.widths import half_width, without_blanks

_COMMITTEE = re.compile(r"(?<=[村居])民委员会$")
_KIND = re.compile(r"(?:社区居委会|居委会|社区|村)$")


def spoken_village(name: str) -> str:
    """What people call it: ``蒋家池头村委会`` is ``蒋家池头村``; other names stay as they are, without blanks."""
    short = _COMMITTEE.sub("委会", without_blanks(half_width(name)))
    return short.removesuffix("委会") if short.endswith("村委会") else short


def village_called(written: str, names: Iterable[str]) -> str | None:
    """The one of a township's villages that is meant, as people call it; None where none is, or more than one.

    ``西坞`` may be 西坞村 or 西坞居委会, so it is neither; ``白杜`` can only be 白杜村.
    """
    wanted, known = spoken_village(written), [spoken_village(name) for name in names]
    if wanted in known:
        return wanted
    meant = [name for name in known if _KIND.sub("", name) == _KIND.sub("", wanted)] if wanted else []
    return meant[0] if len(meant) == 1 else None
