"""Taking a list out, through HTTP: written down whose, which and how much; too much is refused."""

from __future__ import annotations

from tests.api.caller import Caller
from timebank.audit.rules import MOST_EXPORTED


def take_lists_out(people: dict[str, Caller]) -> None:
    """An auditor takes a list out; more than a file holds is refused, as is a list that nobody knows."""
    auditor = people["auditor"]
    taken = {"name": "services", "rows": 12, "filters": "status=recorded&sort=-starts_at"}
    first, second = (auditor.ok("exports.note", taken)["export_number"] for _ in range(2))
    assert second > first
    for rows in (None, MOST_EXPORTED + 1):
        refused = auditor.refused("exports.note", {**taken, "rows": rows})
        assert (refused["code"], refused["most"]) == ("export_too_large", MOST_EXPORTED)
    assert auditor.refused("exports.note", {**taken, "name": "people"})["code"] == "invalid_input"
