"""Writing a week's menu: dishes, the draft whole or item by item, copies of other weeks."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.menus import an_item, drafted_menu, released_menu
from tests.factories.people import DAYAN, XIWU, district, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from timebank.canteens.menus import actions, views
from timebank.canteens.menus.actions import DishForm, ItemForm
from timebank.canteens.menus.models import Menu, MenuDish, MenuItem
from timebank.canteens.menus.queries import items_of
from timebank.canteens.network.models import Canteen
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.errors import Conflict, NotAllowed, NotFound, Refused

MONDAY = date(2026, 3, 9)
NEXT = MONDAY + timedelta(days=7)


@pytest.fixture
def canteen(bank: Database) -> Canteen:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return open_canteen(session, XIWU)


def lunch(name: str | None = "红烧肉", day: date = NEXT, **other: object) -> ItemForm:
    """An item for lunch."""
    return ItemForm(day, "lunch", name=name, **{"price_fen": 1200, **other})  # type: ignore[arg-type]


def draft(session: Session, canteen: Canteen, *items: ItemForm, week: date = NEXT) -> Menu:
    return actions.draft_menu(
        session, actor=canteen_clerk(canteen), canteen_id=canteen.id, week_starts_on=week, items=items
    )


def test_a_dish_is_entered_changed_and_archived_and_its_name_is_free_again(bank: Database, canteen: Canteen) -> None:
    clerk, form = canteen_clerk(canteen), DishForm("红烧肉", 1200, "一份", diet_tags=["低盐", "低盐"])
    with bank.unit_of_work() as session:
        dish = actions.enter_dish(session, actor=clerk, canteen_id=canteen.id, form=form)
        assert (dish.diet_tags, dish.diet_forms) == (["低盐"], ["normal"])
        fish = actions.enter_dish(session, actor=clerk, canteen_id=canteen.id, form=DishForm("鱼", 900))
        with pytest.raises(Conflict, match="dish_name_taken"):
            actions.enter_dish(session, actor=clerk, canteen_id=canteen.id, form=form)
    with bank.unit_of_work() as session, pytest.raises(Conflict, match="dish_name_taken"):
        actions.change_dish(session, actor=clerk, dish_id=fish.id, form=form)
    with bank.unit_of_work() as session:
        changed = actions.change_dish(session, actor=clerk, dish_id=dish.id, form=DishForm("红烧肉", 1300))
        assert (changed.price_fen, changed.diet_tags) == (1300, [])
        actions.archive_dish(session, actor=steward(XIWU), dish_id=dish.id)
        with pytest.raises(Conflict, match="dish_archived"):
            actions.change_dish(session, actor=clerk, dish_id=dish.id, form=form)
        again = actions.enter_dish(session, actor=clerk, canteen_id=canteen.id, form=form)
        shown = views.dishes_of(session, actor=clerk, canteen_id=canteen.id, archived=False, limit=10)
        assert {one.id for one in shown} == {fish.id, again.id}
        everything = views.dishes_of(session, actor=clerk, canteen_id=canteen.id, archived=True, limit=10)
        assert len(everything) == 3


def test_words_that_policy_does_not_know_are_named(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        form = DishForm("饼", 100, diet_tags=["低盐", "随便"])
        with pytest.raises(Refused, match="diet_word_unknown") as refused:
            actions.enter_dish(session, actor=district(), canteen_id=canteen.id, form=form)
        assert refused.value.facts == {"field": "diet_tags", "words": ["随便"]}
        with pytest.raises(Refused, match="diet_word_unknown"):
            draft(session, canteen, lunch(allergens=["灰尘"]))


def test_a_draft_is_written_whole_and_what_stays_keeps_its_id(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        menu = draft(session, canteen, lunch(), lunch("鱼", price_fen=None))
        first = {item.name: item.id for item in items_of(session, menu.id)}
    with bank.unit_of_work() as session:
        assert draft(session, canteen, lunch(price_fen=1300), lunch("汤")).id == menu.id
        second = {item.name: item for item in items_of(session, menu.id)}
        assert (set(second), second["红烧肉"].id, second["红烧肉"].price_fen) == (
            {"红烧肉", "汤"},
            first["红烧肉"],
            1300,
        )
        view = views.see_menu(session, menu)
        assert (view.menu.state, view.items, view.love_meals) == ("draft", 2, 0)


def test_a_draft_that_shall_begin_empty_leaves_what_is_there_alone(bank: Database, canteen: Canteen) -> None:
    begun = {"actor": district(), "canteen_id": canteen.id, "week_starts_on": NEXT, "items": [], "only_if_empty": True}
    with bank.unit_of_work() as session:
        menu = actions.draft_menu(session, **begun)  # type: ignore[arg-type]
        assert actions.draft_menu(session, **begun).id == menu.id  # type: ignore[arg-type]
        draft(session, canteen, lunch())
    with bank.unit_of_work() as session:
        with pytest.raises(Conflict, match="menu_has_items"):
            actions.draft_menu(session, **begun)  # type: ignore[arg-type]
        assert [item.name for item in items_of(session, menu.id)] == ["红烧肉"]


def test_an_item_takes_from_its_dish_what_it_does_not_say_itself(bank: Database, canteen: Canteen) -> None:
    form = DishForm("红烧肉", 1200, "一碗", ["minced"], ["低盐"], ["大豆"], "大堰农户")
    with bank.unit_of_work() as session:
        dish = actions.enter_dish(session, actor=district(), canteen_id=canteen.id, form=form)
        wanted = lunch(None, dish_id=dish.id, price_fen=None, allergens=[])
        (item,) = items_of(session, draft(session, canteen, wanted).id)
        assert (item.name, item.price_fen, item.portion, item.sources) == ("红烧肉", 1200, "一碗", "大堰农户")
        assert (item.diet_forms, item.diet_tags, item.allergens) == (["minced"], ["低盐"], [])
        actions.archive_dish(session, actor=district(), dish_id=dish.id)
        with pytest.raises(NotFound, match="dish_unknown"):
            draft(session, canteen, wanted)


@pytest.mark.parametrize(
    ("items", "week", "code"),
    [
        ([lunch(None)], NEXT, "dish_name_missing"),
        ([lunch(), lunch("红 烧肉")], NEXT, "dish_twice"),
        ([lunch(day=NEXT + timedelta(days=7))], NEXT, "day_outside_week"),
        ([], NEXT + timedelta(days=1), "week_not_monday"),
        ([], MONDAY - timedelta(days=7), "menu_week_over"),
    ],
)
def test_a_draft_that_cannot_be_is_refused_and_nothing_changes(
    bank: Database, canteen: Canteen, items: list[ItemForm], week: date, code: str
) -> None:
    with pytest.raises(Refused, match=code), bank.unit_of_work() as session:
        draft(session, canteen, *items, week=week)
    with bank.session() as session:
        assert session.scalars(select(Menu)).all() == []


def test_items_are_added_changed_and_removed_while_it_is_a_draft(bank: Database, canteen: Canteen) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        menu = draft(session, canteen, lunch())
        soup = actions.add_item(session, actor=clerk, menu_id=menu.id, form=lunch("汤", price_fen=None))
        with pytest.raises(Refused, match="dish_twice"):
            actions.change_item(session, actor=clerk, menu_item_id=soup.id, form=lunch("红烧肉"))
        changed = actions.change_item(session, actor=clerk, menu_item_id=soup.id, form=lunch("鱼汤", portions_limit=9))
        assert (changed.id, changed.name, changed.price_fen, changed.portions_limit) == (soup.id, "鱼汤", 1200, 9)
        actions.remove_item(session, actor=clerk, menu_item_id=soup.id)
        assert [item.name for item in items_of(session, menu.id)] == ["红烧肉"]
        with pytest.raises(NotFound, match="menu_item_unknown"):
            actions.remove_item(session, actor=clerk, menu_item_id=soup.id)


def test_once_released_the_draft_is_gone(bank: Database, canteen: Canteen) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        menu = released_menu(session, canteen.id, NEXT)
        item_id = session.scalars(select(MenuItem.id).where(MenuItem.menu_id == menu.id)).first()
        assert item_id is not None
        for attempt in (
            lambda: draft(session, canteen, lunch()),
            lambda: actions.change_item(session, actor=clerk, menu_item_id=item_id, form=lunch()),
            lambda: actions.remove_item(session, actor=clerk, menu_item_id=item_id),
            lambda: actions.release_menu(session, actor=clerk, menu_id=menu.id),
        ):
            with pytest.raises(Conflict, match="menu_released"):
                attempt()


def test_a_week_is_copied_without_what_was_withdrawn_and_then_adjusted(bank: Database, canteen: Canteen) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        dish = actions.enter_dish(session, actor=clerk, canteen_id=canteen.id, form=DishForm("汤", 300))
        source = drafted_menu(session, canteen.id, MONDAY)
        kept = an_item(session, source, MONDAY + timedelta(days=2), portions_limit=20, is_love_meal=True)
        kept.dish_id, kept.sold_out_at = dish.id, clock.now()
        gone = an_item(session, source, name="鱼")
        session.flush()
        source.state, source.released_at, source.released_by_name = "released", clock.now(), "沈师傅"
        session.flush()
        gone.withdrawn_at = clock.now()
        session.flush()
        menu = actions.copy_menu(session, actor=clerk, canteen_id=canteen.id, from_week=MONDAY, to_week=NEXT)
        (copied,) = items_of(session, menu.id)
        assert (copied.served_on, copied.name, copied.price_fen) == (NEXT + timedelta(days=2), "红烧肉", 1200)
        assert (copied.portions_limit, copied.sold_out_at, copied.is_love_meal) == (20, None, True)
        assert (menu.state, copied.dish_id) == ("draft", dish.id)
        with pytest.raises(Conflict, match="menu_has_items"):
            actions.copy_menu(session, actor=clerk, canteen_id=canteen.id, from_week=MONDAY, to_week=NEXT)


def test_a_canteen_copies_from_its_kitchen_and_from_nobody_else(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        served = open_canteen(session, DAYAN, kitchen_id=canteen.id)
        other = open_canteen(session, DAYAN)
        for place in (canteen, other):
            menu = drafted_menu(session, place.id, MONDAY)
            dish = MenuDish(
                id=menu.id, canteen_id=place.id, name="汤", portion="", price_fen=1, diet_forms=["normal"], sources="",
                entered_at=clock.now(), entered_by_name="沈师傅",
            )  # fmt: skip
            session.add(dish)
            session.flush()
            an_item(session, menu).dish_id = dish.id
            session.flush()
        how = {"canteen_id": served.id, "from_week": MONDAY, "to_week": NEXT}
        with pytest.raises(NotFound, match="menu_unknown"):
            actions.copy_menu(session, actor=steward(DAYAN), from_canteen_id=other.id, **how)  # type: ignore[arg-type]
        kitchens_clerk = canteen_clerk(canteen)
        menu = actions.copy_menu(session, actor=kitchens_clerk, from_canteen_id=canteen.id, **how)  # type: ignore[arg-type]
        (copied,) = items_of(session, menu.id)
        assert (menu.canteen_id, copied.name, copied.dish_id) == (served.id, "红烧肉", None)


def test_nobody_else_writes_menus_and_nothing_is_written(bank: Database, canteen: Canteen) -> None:
    with bank.unit_of_work() as session:
        clerk_of_another = canteen_clerk(open_canteen(session, XIWU))
        menu = draft(session, canteen, lunch())
        (item,) = items_of(session, menu.id)
    for actor in (clerk_of_another, steward(DAYAN)):
        with bank.unit_of_work() as session:
            whole = partial(actions.draft_menu, canteen_id=canteen.id, week_starts_on=NEXT, items=[])
            for attempt in (
                whole,
                partial(actions.release_menu, menu_id=menu.id),
                partial(actions.remove_item, menu_item_id=item.id),
                partial(views.dishes_of, canteen_id=canteen.id, archived=True, limit=1),
            ):
                with pytest.raises(NotAllowed, match="menus_not_yours"):
                    attempt(session, actor=actor)  # type: ignore[operator]
            with pytest.raises(NotFound, match="menu_unknown"):
                views.menu_for(session, actor=actor, menu_id=menu.id)


def test_two_clerks_who_begin_the_same_week_write_one_menu(bank: Database, canteen: Canteen) -> None:
    def begin(session: Session, number: int) -> UUID:
        return draft(session, canteen, lunch(f"菜{number}")).id

    assert len(set(at_once(bank, [partial(begin, number=number) for number in range(4)]))) == 1
    with bank.session() as session:
        assert len(session.scalars(select(Menu)).all()) == 1
        assert len(session.scalars(select(MenuItem)).all()) == 1
