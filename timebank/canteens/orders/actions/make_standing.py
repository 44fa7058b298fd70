"""Making orders of standing orders, a while before the cut-off: the same action as everybody's, in batches.

A day of a standing order is done once, whatever comes of it. What it could not become is kept, and the diner and those
who act for the diner are told, so that there is still time to do something about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Date,
    SmallInteger,
    Text,
    and_,
    any_,
    cast,
    column,
    extract,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from timebank.canteens.diners.models import Diner
from timebank.canteens.menus.models import MenuItem
from timebank.canteens.menus.queries import items_on
from timebank.canteens.orders.actions.judge_orders import why_unfitting
from timebank.canteens.orders.actions.lay_table import lock_households
from timebank.canteens.orders.actions.place_orders import Placed, place_orders
from timebank.canteens.orders.models import StandingOrder, StandingOrderDay
from timebank.canteens.orders.rules import (
    Offer,
    OrderSource,
    OrderWanted,
    StandingChoice,
    choose,
    cut_off_at,
    must_be_before,
    nothing_suitable,
)
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.core import clock
from timebank.core.actors import SYSTEM
from timebank.core.db import Instant, UuidColumn
from timebank.core.errors import BankError
from timebank.notifications.actions import notify_person
from timebank.people.queries import proxies_of_each
from timebank.people.rules import ProxyScope
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.townships.models import Organisation

MOST_AT_ONCE = 200
"""Orders made in one unit of work."""

DAYS_LOOKED_BACK = 31
"""Days past for which is caught up that nothing was ordered, where nothing ran before their cut-offs."""

_MEAL_COLUMNS: dict[str, TypeEngine[Any]] = {
    "canteen_id": UuidColumn,
    "served_on": Date(),
    "meal": Text(),
    "cut_off_at": Instant,
}


@dataclass(frozen=True, slots=True)
class StandingDue:
    """One meal of one day at one canteen for which standing orders are to become orders."""

    canteen_id: UUID
    served_on: date
    meal: str
    standing_order_ids: tuple[UUID, ...]


def standing_orders_due(session: Session, *, limit: int) -> list[StandingDue]:
    """Meals whose time to be ordered has come, with the standing orders that want them; at most ``limit``."""
    now = clock.now()
    policies = in_force(session, at=now)
    places = select(StandingOrder.canteen_id, StandingOrder.meal, Organisation.township_code)
    places = places.join(Organisation, Organisation.id == StandingOrder.canteen_id)
    wanted = session.execute(places.where(StandingOrder.ended_at.is_(None)).distinct()).all()
    meals = [
        (canteen_id, day, meal, cut_off)
        for canteen_id, meal, township_code in sorted(wanted)
        for day, cut_off in _days(policies, meal, township_code, now)
    ]
    return _wanted_at(session, meals, limit) if meals else []


def make_standing_orders(session: Session, *, due: StandingDue) -> int:
    """Make the orders of one meal; answers how many were placed. What another process has done is left out."""
    chosen = select(StandingOrder).where(StandingOrder.id.in_(due.standing_order_ids))
    diner_ids = set(session.scalars(chosen.with_only_columns(StandingOrder.diner_id)))
    diners = lock_households(session, diner_ids)
    # Whoever ended or paused it, or made this day's order, while we waited for the diners' rows.
    cut_off = due_cut_off(session, due)
    still = chosen.where(*_wanted_on(due.served_on, cut_off)).order_by(StandingOrder.id).with_for_update()
    standing = session.scalars(still.execution_options(populate_existing=True)).all()
    answers = _too_late(standing, cut_off) or _place(session, due, standing, diners)
    session.add_all(_day(due, one, answer) for one, answer in zip(standing, answers, strict=True))
    session.flush()
    refused = [(one, a) for one, a in zip(standing, answers, strict=True) if isinstance(a, BankError)]
    _tell(session, due, refused)
    return sum(not isinstance(answer, BankError) for answer in answers)


def due_cut_off(session: Session, due: StandingDue) -> datetime:
    """Until when this meal is ordered, by the policies of now."""
    code = session.get_one(Organisation, due.canteen_id).township_code
    policies = in_force(session, at=clock.now())
    return cut_off_at(due.served_on, due.meal, policies.value("order_cut_offs", code))


def _wanted_at(session: Session, meals: Sequence[tuple[UUID, date, str, datetime]], limit: int) -> list[StandingDue]:
    """Of these meals, with their cut-offs, those that standing orders want; all in one statement."""
    arrays = zip(zip(*meals, strict=True), _MEAL_COLUMNS.values(), strict=True)
    unnested = func.unnest(*(literal(list(values), ARRAY(of)) for values, of in arrays))
    columns = (column(name, of) for name, of in _MEAL_COLUMNS.items())
    meal = unnested.table_valued(*columns, name="meal").render_derived()
    of_it = (StandingOrder.canteen_id == meal.c.canteen_id, StandingOrder.meal == meal.c.meal)
    ids = select(StandingOrder.id).where(*of_it, *_wanted_on(meal.c.served_on, meal.c.cut_off_at))
    wanting = ids.order_by(StandingOrder.id).limit(MOST_AT_ONCE).lateral("wanting")
    key = (meal.c.canteen_id, meal.c.meal, meal.c.served_on)
    found = select(*key, func.array_agg(aggregate_order_by(wanting.c.id, wanting.c.id)))
    found = found.select_from(meal).join(wanting, true()).group_by(*key).order_by(*key).limit(limit)
    return [StandingDue(row[0], row[2], row[1], tuple(row[3])) for row in session.execute(found)]


def _days(policies: PolicyBook, meal: str, township_code: str, now: datetime) -> list[tuple[date, datetime]]:
    """Days of which this meal is to be ordered by now, with their cut-offs.

    Also those whose cut-off has passed while nothing ran, days ago or just now: then the diner is at least told.
    """
    ahead = timedelta(hours=policies.whole("standing_order_hours_before", township_code))
    cut_offs = policies.value("order_cut_offs", township_code)
    today = clock.local_date(now)
    latest = ahead.days + 2 - int(cut_offs[meal][0])
    days = [today + timedelta(days=n) for n in range(-DAYS_LOOKED_BACK, latest + 1)]
    found = [(day, cut_off_at(day, meal, cut_offs)) for day in days]
    return [(day, cut_off) for day, cut_off in found if cut_off - ahead <= now]


def _wanted_on(
    day: date | ColumnElement[date], cut_off: datetime | ColumnElement[datetime]
) -> tuple[ColumnElement[bool], ...]:
    done = select(StandingOrderDay.order_id).where(
        StandingOrderDay.standing_order_id == StandingOrder.id,
        # Of days past only those after the last one done were missed; the earlier ones were not wanted then.
        or_(
            StandingOrderDay.served_on == day,
            and_(literal(clock.today()) > day, StandingOrderDay.served_on > day),
        ),
    )
    return (
        StandingOrder.ended_at.is_(None),
        StandingOrder.made_at < cut_off,
        StandingOrder.starts_on <= day,
        or_(StandingOrder.ends_on.is_(None), StandingOrder.ends_on >= day),
        or_(StandingOrder.paused_from.is_(None), StandingOrder.paused_from > day, StandingOrder.paused_until < day),
        cast(extract("isodow", cast(day, Date)), SmallInteger) == any_(StandingOrder.weekdays),
        ~done.correlate_except(StandingOrderDay).exists(),
    )


def _too_late(standing: Sequence[StandingOrder], cut_off: datetime) -> list[Placed]:
    """The same refusal for all where the cut-off has passed, whatever the menu says; nothing before that."""
    try:
        must_be_before(cut_off, clock.now())
    except BankError as refusal:
        return [refusal for _ in standing]
    return []


def _place(
    session: Session,
    due: StandingDue,
    standing: Sequence[StandingOrder],
    diners: dict[UUID, Diner],
) -> list[Placed]:
    """The orders, or why there are none; who would pay with a voucher and has none pays from the purse."""
    menu = items_on(session, due.canteen_id, due.served_on, due.meal)
    left = {item.id: _left(item) for item in menu}
    wanted: list[tuple[int, OrderWanted]] = []
    answers: list[Placed] = []
    for place, one in enumerate(standing):
        item_id = choose([_offer(item, diners[one.diner_id], left[item.id]) for item in menu], one.choice)
        answers.append(nothing_suitable(StandingChoice(one.choice)))
        if item_id is not None:
            known = left[item_id]
            left[item_id] = None if known is None else known - 1
            wanted.append((place, _wanted(due, one, item_id)))
    for use_vouchers in (True, False):
        found = place_orders(session, actor=SYSTEM, wanted=[order for _, order in wanted])
        for (place, _), answer in zip(wanted, found, strict=True):
            answers[place] = answer
        wanted = [
            (place, replace(order, use_voucher=False))
            for (place, order), answer in zip(wanted, found, strict=True)
            if use_vouchers and isinstance(answer, BankError) and answer.code == "no_voucher"
        ]
    return answers


def _left(item: MenuItem) -> int | None:
    if item.sold_out_at is not None:
        return 0
    return None if item.portions_limit is None else item.portions_limit - item.portions_ordered


def _offer(item: MenuItem, diner: Diner, left: int | None) -> Offer:
    suits = item.price_fen is not None and not why_unfitting(item, diner)
    return Offer(item.id, item.price_fen or 0, item.is_love_meal, left, suits)


def _wanted(due: StandingDue, one: StandingOrder, item_id: UUID) -> OrderWanted:
    return OrderWanted(
        diner_id=one.diner_id,
        canteen_id=due.canteen_id,
        served_on=due.served_on,
        meal=due.meal,
        way=one.way,
        items=((item_id, 1),),
        use_voucher=one.use_vouchers,
        source=OrderSource.STANDING,
        standing_order_id=one.id,
    )


def _day(due: StandingDue, one: StandingOrder, answer: Placed) -> StandingOrderDay:
    refusal = answer if isinstance(answer, BankError) else None
    return StandingOrderDay(
        standing_order_id=one.id,
        served_on=due.served_on,
        order_id=None if isinstance(answer, BankError) else answer.id,
        refusal_code=refusal.code if refusal is not None else None,
        refusal_title=refusal.title if refusal is not None else None,
        done_at=clock.now(),
    )


def _tell(session: Session, due: StandingDue, refused: Sequence[tuple[StandingOrder, BankError]]) -> None:
    meal = f"{due.served_on:%m月%d日}{MEAL_NAMES[Meal(due.meal)]}"
    is_over = due.served_on < clock.today()
    after = "以后各餐照常办理。" if is_over else "需要用餐的话请在截止时间前另订，或到助餐点办理。"
    acting = proxies_of_each(session, {one.diner_id for one, _ in refused}, ProxyScope.MEALS)
    for one, refusal in refused:
        body = f"长期订餐没有订成{meal}：{refusal.title}。{after}"
        for person_id in sorted({one.diner_id} | acting.get(one.diner_id, set())):
            notify_person(session, person_id=person_id, title="长期订餐没有订成", body=body)
