"""What a diner wants and needs 餐食档案: read against policy, written into the file field by field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.rules import must_be_known
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import canteen_here
from timebank.canteens.network.rules import NUMBERED, must_be_a_place, not_open
from timebank.canteens.pricing.rules import DIET_FORM_NAMES, DietForm
from timebank.policies.rules import PolicyBook

PLAIN: Mapping[str, Any] = {
    "diet_form": DietForm.NORMAL,
    "allergies": [],
    "religious_diet": None,
    "usual_canteen_id": None,
    "delivery_address": "",
    "delivery_note": "",
    "latitude": None,
    "longitude": None,
}
"""A file's fields that the diner says, as they are where nothing is said."""


def write_wishes(
    session: Session, diner: Diner, wishes: Mapping[str, Any], *, policies: PolicyBook, township_code: str
) -> list[str]:
    """Write those of the fields of ``PLAIN`` that ``wishes`` has; answers the names of those that changed, sorted.

    Raises Refused ``diet_form_unknown``, ``allergen_unknown``, ``religious_diet_unknown``, ``place_incomplete``,
    ``place_far_away``, ``canteen_not_open``; NotFound ``canteen_unknown``.
    """
    wanted = {name: wishes[name] for name in PLAIN if name in wishes}
    _must_be_known(wanted, policies, township_code)
    must_be_a_place(*(wanted.get(name, getattr(diner, name)) for name in ("latitude", "longitude")))
    canteen_id = wanted.get("usual_canteen_id")
    if canteen_id is not None and canteen_id != diner.usual_canteen_id:
        _must_be_eaten_at(canteen_here(session, canteen_id))
    if "allergies" in wanted:
        wanted["allergies"] = sorted(set(wanted["allergies"]))
    changed = [name for name, value in wanted.items() if value != getattr(diner, name)]
    for name in changed:
        setattr(diner, name, wanted[name])
    return sorted(changed)


def _must_be_known(wanted: Mapping[str, Any], policies: PolicyBook, township_code: str) -> None:
    if "diet_form" in wanted:
        title = "没有这种餐食形态"
        forms = [str(form) for form in DIET_FORM_NAMES]
        must_be_known([wanted["diet_form"]], forms, code="diet_form_unknown", title=title, field="diet_form")
    known = policies.value("allergens", township_code)
    title = "过敏原请从清单中选择，其他写在送餐备注里"
    must_be_known(wanted.get("allergies", []), known, code="allergen_unknown", title=title, field="allergies")
    diets = [wanted["religious_diet"]] if wanted.get("religious_diet") is not None else []
    known = policies.value("religious_diets", township_code)
    title = "饮食习惯请从清单中选择"
    must_be_known(diets, known, code="religious_diet_unknown", title=title, field="religious_diet")


def _must_be_eaten_at(canteen: Canteen) -> None:
    # Also where it has not opened yet, or rests for a while.
    if canteen.state not in NUMBERED:
        raise not_open(canteen.state, canteen_id=canteen.id)
