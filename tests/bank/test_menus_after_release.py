"""What may still change in a released menu, and who sees what of menus."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.menus import an_item, drafted_menu, item_named, released_menu
from tests.factories.people import DAYAN, XIWU, add_elder, district, staff, steward
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from timebank.canteens.menus import actions, views
from timebank.canteens.menus.models import Menu, MenuItem
from timebank.canteens.menus.views import ItemView
from timebank.canteens.network.models import Canteen
from timebank.core import clock
from timebank.core.actors import StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused

MONDAY, TUESDAY = date(2026, 3, 9), date(2026, 3, 10)


@pytest.fixture
def canteen(bank: Database) -> Canteen:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        return open_canteen(session, XIWU, name="西坞食堂")


@pytest.fixture
def menu(bank: Database, canteen: Canteen) -> Menu:
    with bank.unit_of_work() as session:
        return released_menu(session, canteen.id)


def on_tuesday(session: Session, menu: Menu, name: str = "红烧肉") -> UUID:
    return item_named(session, menu, name, TUESDAY)


def ordered(session: Session, item_id: UUID, portions: int) -> None:
    """As orders do it; to be taken back, because every counted portion must have its order in the end."""
    session.execute(update(MenuItem).where(MenuItem.id == item_id).values(portions_ordered=portions))


def test_a_price_changes_with_a_reason_and_its_history_is_kept(bank: Database, canteen: Canteen, menu: Menu) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        item_id = on_tuesday(session, menu)
    for price_fen, reason in ((1300, "肉价上涨"), (1200, "肉价回落"), (1300, "又涨")):
        with bank.unit_of_work() as session:
            changed = actions.change_price(
                session, actor=clerk, menu_item_id=item_id, price_fen=price_fen, reason=reason
            )
            assert changed.price_fen == price_fen
    with bank.session() as session:
        history = views.price_changes(session, actor=clerk, menu_item_id=item_id, limit=10)
        assert [(one.number, one.old_price_fen, one.new_price_fen, one.reason) for one in history] == [
            (3, 1200, 1300, "又涨"),
            (2, 1300, 1200, "肉价回落"),
            (1, 1200, 1300, "肉价上涨"),
        ]
        assert views.price_changes(session, actor=clerk, menu_item_id=item_id, limit=1, before=2)[0].number == 1


@pytest.mark.parametrize(
    ("name", "price_fen", "reason", "code"),
    [
        ("家常爱心饭", 801, "涨价", "love_meal_too_dear"),
        ("红烧肉", 1200, "涨价", "price_unchanged"),
        ("红烧肉", 1300, " ", "reason_needed"),
    ],
)
def test_a_price_that_may_not_be_is_refused(
    bank: Database, canteen: Canteen, menu: Menu, name: str, price_fen: int, reason: str, code: str
) -> None:
    how = {"actor": canteen_clerk(canteen), "price_fen": price_fen, "reason": reason}
    with bank.unit_of_work() as session, pytest.raises(Refused, match=code):
        actions.change_price(session, menu_item_id=on_tuesday(session, menu, name), **how)  # type: ignore[arg-type]


def test_a_limit_is_never_below_what_was_ordered(bank: Database, canteen: Canteen, menu: Menu) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        item_id = on_tuesday(session, menu)
        ordered(session, item_id, 12)
        with pytest.raises(Refused, match="limit_below_ordered"):
            actions.limit_portions(session, actor=clerk, menu_item_id=item_id, limit=11)
        item = actions.limit_portions(session, actor=clerk, menu_item_id=item_id, limit=12)
        assert views.see_item(session, item).portions_left == 0
        item = actions.limit_portions(session, actor=clerk, menu_item_id=item_id, limit=None)
        assert views.see_item(session, item).portions_left is None
        ordered(session, item_id, 0)


def test_sold_out_and_back_on_sale(bank: Database, canteen: Canteen, menu: Menu) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        item_id = on_tuesday(session, menu)
        for _ in range(2):
            item = actions.mark_sold_out(session, actor=clerk, menu_item_id=item_id)
            assert (item.sold_out_at, views.see_item(session, item).portions_left) == (NINE, 0)
            clock.freeze(NINE + timedelta(minutes=5))
        item = actions.put_on_sale(session, actor=clerk, menu_item_id=item_id)
        assert views.see_item(session, item).on_offer


def test_what_nobody_ordered_is_withdrawn_for_good(bank: Database, canteen: Canteen, menu: Menu) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        gone, kept = on_tuesday(session, menu, "清蒸鱼"), on_tuesday(session, menu)
        ordered(session, kept, 1)
        with pytest.raises(Conflict, match="item_ordered"):
            actions.withdraw_item(session, actor=clerk, menu_item_id=kept, reason="缺货")
        assert actions.withdraw_item(session, actor=clerk, menu_item_id=gone, reason="缺货").withdrawn_at == NINE
        for again in (actions.mark_sold_out, actions.put_on_sale, partial(actions.limit_portions, limit=1)):
            with pytest.raises(Conflict, match="item_withdrawn"):
                again(session, actor=clerk, menu_item_id=gone)
        ordered(session, kept, 0)


def test_enough_love_meals_remain_on_the_day(bank: Database, canteen: Canteen, menu: Menu) -> None:
    """Of the four a day, two at lunch and two at supper, two may go: of those who try at once, two."""
    with bank.unit_of_work() as session:
        ids = [
            item_named(session, menu, name, TUESDAY, meal)
            for name in ("爱心套餐", "家常爱心饭")
            for meal in ("lunch", "supper")
        ]
    withdraw = partial(actions.withdraw_item, actor=district(), reason="缺货")
    answers = at_once(bank, [partial(withdraw, menu_item_id=item_id) for item_id in ids])
    refused = [answer.code for answer in answers if isinstance(answer, BankError)]
    assert refused == ["love_meals_too_few"] * 2


def test_days_that_have_passed_and_drafts_are_not_changed_so(bank: Database, canteen: Canteen, menu: Menu) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        with pytest.raises(Refused, match="menu_day_over"):
            actions.mark_sold_out(session, actor=clerk, menu_item_id=item_named(session, menu, "红烧肉", MONDAY))
        draft = drafted_menu(session, canteen.id, date(2026, 3, 16))
        item = an_item(session, draft)
        with pytest.raises(Conflict, match="menu_not_released"):
            actions.mark_sold_out(session, actor=clerk, menu_item_id=item.id)
        for actor in (steward(DAYAN), staff(StaffRole.AUDITOR), canteen_clerk(open_canteen(session, XIWU))):
            with pytest.raises(NotAllowed, match="menus_not_yours"):
                actions.mark_sold_out(session, actor=actor, menu_item_id=on_tuesday(session, menu))


def test_drafts_and_withdrawn_items_are_shown_to_those_who_write_menus(
    bank: Database, canteen: Canteen, menu: Menu
) -> None:
    clerk = canteen_clerk(canteen)
    with bank.unit_of_work() as session:
        elder = add_elder(session, DAYAN)
        draft = drafted_menu(session, canteen.id, date(2026, 3, 16))
        hidden = an_item(session, draft)
        gone = on_tuesday(session, menu)
        actions.withdraw_item(session, actor=clerk, menu_item_id=gone, reason="缺货")

    def seen(actor: object) -> tuple[set[UUID], int]:
        with bank.session() as session:
            items = views.items_between(
                session,
                actor=actor,
                canteen_id=canteen.id,
                first=TUESDAY,
                last=date(2026, 3, 16),
                limit=1000,  # type: ignore[arg-type]
            )
            weeks = views.menus_of(session, actor=actor, canteen_id=canteen.id, limit=10)  # type: ignore[arg-type]
            return {view.item.id for view in items}, len(weeks)

    for actor in (clerk, steward(XIWU), district(), staff(StaffRole.AUDITOR)):
        items, weeks = seen(actor)
        assert {hidden.id, gone} <= items
        assert weeks == 2
    for actor in (elder, steward(DAYAN)):
        items, weeks = seen(actor)
        assert (len(items), items & {hidden.id, gone}, weeks) == (6 * 10 - 1, set(), 1)
        with bank.session() as session, pytest.raises(NotFound, match="menu_item_unknown"):
            views.price_changes(session, actor=actor, menu_item_id=hidden.id, limit=1)


def test_pages_of_items_follow_one_another_without_a_gap(bank: Database, canteen: Canteen, menu: Menu) -> None:
    def pages(limit: int) -> list[ItemView]:
        found: list[ItemView] = []
        with bank.session() as session:
            how = partial(
                views.items_between, session, actor=district(), canteen_id=canteen.id, first=MONDAY, last=TUESDAY
            )
            while page := how(limit=limit, after=found[-1].place if found else None):
                found += page
        return found

    whole = [view.item.id for view in pages(1000)]
    assert len(whole) == 20
    assert [view.item.id for view in pages(3)] == whole
    assert [view.item.meal for view in pages(1000)][:10] == ["lunch"] * 5 + ["supper"] * 5


def test_what_is_offered_today_is_listed_from_the_nearest_canteen_on(
    bank: Database, canteen: Canteen, menu: Menu
) -> None:
    with bank.unit_of_work() as session:
        near = open_canteen(session, DAYAN, name="大堰食堂", place=(29.5, 121.3))
        released_menu(session, near.id)
        drafted = open_canteen(session, XIWU, name="没有菜单的食堂")
        an_item(session, drafted_menu(session, drafted.id), TUESDAY)
    with bank.session() as session:
        found = views.offered_on(session, day=TUESDAY, near=(29.5, 121.3), meal="lunch")
        assert [(view.canteen_name, view.distance_m == 0) for view in found] == [
            ("大堰食堂", True),
            ("西坞食堂", False),
        ]
        assert {view.item.meal for view in found[0].items} == {"lunch"}
        assert len(found[0].items) == 5
        assert [view.canteen_id for view in views.offered_on(session, day=TUESDAY, township_code=XIWU)] == [canteen.id]
        assert views.offered_on(session, day=TUESDAY + timedelta(days=14)) == []
