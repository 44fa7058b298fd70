"""What a kitchen cooks 生产计划 and what goes where 分送清单: one meal of one day, from the orders placed.

Until the cut-off both are provisional. From then on they stand: what was ordered by then counts, whatever becomes of it
afterwards, and what is sold at the counter later does not. Nobody is named: a box has its pickup number.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from timebank.canteens.delivery.models import KitchenBatch
from timebank.canteens.delivery.rules import must_look_into
from timebank.canteens.diners.models import Diner
from timebank.canteens.menus.models import MenuItem
from timebank.canteens.network.models import Canteen
from timebank.canteens.network.queries import canteen_here, organisation_of
from timebank.canteens.orders.models import MealOrder, MealOrderItem
from timebank.canteens.orders.rules import OrderState, cut_off_at
from timebank.canteens.pricing.rules import DietForm, Way
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotFound, Refused
from timebank.policies.queries import in_force
from timebank.townships.models import Organisation

_FORMS = {form: place for place, form in enumerate(DietForm)}
_WAYS = {way: place for place, way in enumerate(Way)}


@dataclass(frozen=True, slots=True)
class Portions:
    """How many portions of a dish, in one form, for one canteen."""

    dish: str
    diet_form: str
    canteen_id: UUID
    canteen_name: str
    portions: int


@dataclass(frozen=True, slots=True)
class Total:
    """How many portions of a dish in one form, for all canteens together."""

    dish: str
    diet_form: str
    portions: int


@dataclass(frozen=True, slots=True)
class AllergyToMind:
    """A box for somebody with allergies; ``dishes`` are those of the box that contain one of them."""

    canteen_id: UUID
    canteen_name: str
    pickup_number: int
    diet_form: str
    allergies: tuple[str, ...]
    dishes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Boxes:
    """How many boxes go to a canteen, by form and way; a box is one order, ``portions`` are its dishes."""

    canteen_id: UUID
    canteen_name: str
    diet_form: str
    way: str
    boxes: int
    portions: int


@dataclass(frozen=True, slots=True)
class KitchenDay:
    """One meal of one kitchen: what is cooked, for whom, and what to take care of."""

    canteen_id: UUID
    canteen_name: str
    served_on: date
    meal: str
    cut_off_at: datetime
    provisional: bool
    cooked_at: datetime | None
    cooked_by_name: str | None
    boxes: int
    portions: int
    dishes: list[Portions]
    totals: list[Total]
    distribution: list[Boxes]
    allergies: list[AllergyToMind]


def kitchen_day(session: Session, *, actor: Actor, canteen_id: UUID, served_on: date, meal: str) -> KitchenDay:
    """One meal of a kitchen, for itself and all whom it serves, in a fixed number of statements.

    For the kitchen's clerks, the stewards of its township, auditors. Raises NotFound ``canteen_unknown``; NotAllowed
    ``canteen_not_yours``; Refused ``not_a_kitchen``, with the canteen that cooks.
    """
    return see_kitchen_day(session, kitchen_here(session, actor, canteen_id), served_on=served_on, meal=meal)


def see_kitchen_day(session: Session, kitchen: Canteen, *, served_on: date, meal: str) -> KitchenDay:
    """One meal of a canteen that cooks, for whoever has found it: the office that prints the lists needs no login."""
    served = _served_by(session, kitchen)
    rows = _ordered(session, list(served), served_on, meal)
    batch = batch_of(session, kitchen, served_on, meal)
    last_cut_off = _last_cut_off(session, served.values(), served_on, meal)
    boxes = {order.id: (order, allergies) for order, _, _, allergies in rows}
    return KitchenDay(
        canteen_id=kitchen.id,
        canteen_name=served[kitchen.id].name,
        served_on=served_on,
        meal=meal,
        cut_off_at=last_cut_off,
        provisional=clock.now() < last_cut_off,
        cooked_at=batch.cooked_at if batch else None,
        cooked_by_name=batch.cooked_by_name if batch else None,
        boxes=len(boxes),
        portions=sum(item.quantity for _, item, _, _ in rows),
        dishes=_dishes(rows, served),
        totals=_totals(rows),
        distribution=_distribution([order for order, _ in boxes.values()], served),
        allergies=_allergies(rows, served),
    )


def kitchen_here(session: Session, actor: Actor, canteen_id: UUID) -> Canteen:
    """A canteen that cooks, for whoever looks into it. Raises as ``kitchen_day`` does."""
    canteen, organisation = canteen_here(session, canteen_id), organisation_of(session, canteen_id)
    must_look_into(actor, canteen.id, organisation.township_code)
    return _cooking(session, canteen)


def kitchen_named(session: Session, name: str) -> Canteen:
    """The canteen of this name, which cooks. Raises NotFound ``canteen_unknown``; Refused ``not_a_kitchen``."""
    query = select(Canteen).join(Organisation, Organisation.id == Canteen.id)
    found = session.scalar(query.where(Organisation.name == name))
    if found is None:
        raise NotFound("canteen_unknown", "没有这个助餐点", name=name)
    return _cooking(session, found)


def _cooking(session: Session, canteen: Canteen) -> Canteen:
    if canteen.kitchen_id is not None:
        name = organisation_of(session, canteen.kitchen_id).name
        raise Refused(
            "not_a_kitchen", f"这里由{name}供餐，不自己做饭", kitchen_id=canteen.kitchen_id, kitchen_name=name
        )
    return canteen


def batch_of(session: Session, canteen: Canteen, served_on: date, meal: str) -> KitchenBatch | None:
    """When the meal was cooked that a canteen serves, by itself or by its kitchen; None where nobody has said so."""
    return session.get(KitchenBatch, (canteen.kitchen_id or canteen.id, served_on, meal))


Row = tuple[MealOrder, MealOrderItem, Sequence[str], Sequence[str] | None]


def _served_by(session: Session, kitchen: Canteen) -> dict[UUID, Organisation]:
    """The kitchen itself first, then those whom it serves, by name."""
    query = select(Organisation).join(Canteen, Canteen.id == Organisation.id)
    query = query.where((Canteen.id == kitchen.id) | (Canteen.kitchen_id == kitchen.id))
    found = session.scalars(query.order_by(Canteen.id != kitchen.id, Organisation.name, Organisation.id))
    return {organisation.id: organisation for organisation in found}


def _ordered(session: Session, canteen_ids: Sequence[UUID], served_on: date, meal: str) -> list[Row]:
    """Each dish of each order that stood at the cut-off, with its allergens and the diner's allergies."""
    query = (
        select(MealOrder, MealOrderItem, MenuItem.allergens, Diner.allergies)
        .join(MealOrderItem, (MealOrderItem.order_id == MealOrder.id) & (MealOrderItem.revision == MealOrder.revision))
        .join(MenuItem, MenuItem.id == MealOrderItem.menu_item_id)
        .outerjoin(Diner, Diner.person_id == MealOrder.diner_id)
        .where(MealOrder.canteen_id.in_(canteen_ids), MealOrder.served_on == served_on, MealOrder.meal == meal)
        .where(_stood_at_the_cut_off())
        .order_by(MealOrder.id, MealOrderItem.line)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)]


def _stood_at_the_cut_off() -> ColumnElement[bool]:
    withdrawn = (MealOrder.state == OrderState.CANCELLED) & (MealOrder.ended_at < MealOrder.cut_off_at)
    return (MealOrder.placed_at < MealOrder.cut_off_at) & ~withdrawn


def _last_cut_off(session: Session, served: Collection[Organisation], served_on: date, meal: str) -> datetime:
    policies = in_force(session, at=clock.now())
    townships = {organisation.township_code for organisation in served}
    return max(cut_off_at(served_on, meal, policies.value("order_cut_offs", code)) for code in townships)


def _dishes(rows: Sequence[Row], served: dict[UUID, Organisation]) -> list[Portions]:
    counted: Counter[tuple[str, str, UUID]] = Counter()
    for order, item, _, _ in rows:
        counted[item.name, order.diet_form, order.canteen_id] += item.quantity
    places = {canteen_id: place for place, canteen_id in enumerate(served)}
    ordered = sorted(counted.items(), key=lambda one: (one[0][0], _FORMS[DietForm(one[0][1])], places[one[0][2]]))
    return [Portions(dish, form, canteen, served[canteen].name, n) for (dish, form, canteen), n in ordered]


def _totals(rows: Sequence[Row]) -> list[Total]:
    counted: Counter[tuple[str, str]] = Counter()
    for order, item, _, _ in rows:
        counted[item.name, order.diet_form] += item.quantity
    ordered = sorted(counted.items(), key=lambda one: (one[0][0], _FORMS[DietForm(one[0][1])]))
    return [Total(dish, form, portions) for (dish, form), portions in ordered]


def _distribution(orders: Sequence[MealOrder], served: dict[UUID, Organisation]) -> list[Boxes]:
    counted: dict[tuple[UUID, str, str], list[int]] = defaultdict(list)
    for order in orders:
        counted[order.canteen_id, order.diet_form, order.way].append(order.portions)
    places = {canteen_id: place for place, canteen_id in enumerate(served)}
    ordered = sorted(counted, key=lambda key: (places[key[0]], _FORMS[DietForm(key[1])], _WAYS[Way(key[2])]))
    return [
        Boxes(
            canteen, served[canteen].name, form, way, len(counted[canteen, form, way]), sum(counted[canteen, form, way])
        )
        for canteen, form, way in ordered
    ]


def _allergies(rows: Sequence[Row], served: dict[UUID, Organisation]) -> list[AllergyToMind]:
    """One line for each box whose diner has allergies, the dangerous dishes named."""
    orders = {order.id: (order, tuple(sorted(allergies))) for order, _, _, allergies in rows if allergies}
    dangerous: dict[UUID, list[str]] = defaultdict(list)
    for order, item, allergens, allergies in rows:
        if allergies and set(allergies) & set(allergens):
            dangerous[order.id].append(item.name)
    lines = [
        AllergyToMind(
            order.canteen_id,
            served[order.canteen_id].name,
            order.pickup_number,
            order.diet_form,
            allergies,
            tuple(dangerous[order.id]),
        )
        for order, allergies in orders.values()
    ]
    places = {canteen_id: place for place, canteen_id in enumerate(served)}
    return sorted(lines, key=lambda line: (places[line.canteen_id], line.pickup_number))
