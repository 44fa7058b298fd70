"""Rating a meal: by whom, until when, changed as a new revision; replies, hiding, averages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from tests.factories.orders import MORNING, a_diner, a_kitchen, at_hour, placed
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_person, district, staff, steward
from tests.factories.ratings import AFTER_LUNCH, Eaten, eaten_lunch, rated
from tests.factories.subsidies import served
from tests.factories.threads import at_once
from timebank.audit.models import AuditEntry
from timebank.canteens.counter.actions import serve_order
from timebank.canteens.ratings.actions import Rating, hide_words, rate, reply
from timebank.canteens.ratings.models import FollowUp, MealRating
from timebank.canteens.ratings.queries import rating_history, reply_history
from timebank.canteens.ratings.views import Average, RatingView, averages, ratings_of
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.core.sorting import Part
from timebank.notifications.models import Notice
from timebank.people.actions import register_proxy
from timebank.people.rules import ProxyScope


@pytest.fixture
def eaten(bank: Database) -> Eaten:
    clock.freeze(AFTER_LUNCH - timedelta(days=1))
    return eaten_lunch(bank)


def proxy_of(bank: Database, elder: Actor, *scopes: ProxyScope) -> Actor:
    with bank.unit_of_work() as session:
        proxy = add_person(session, XIWU, age=45, name="周小敏")
        papers = {"relation": "女儿", "consent_evidence": "委托书1号"}
        who = {"elder_id": elder.person(), "proxy_id": proxy.person()}
        register_proxy(session, actor=district(), **who, **papers, scopes=scopes)
    return proxy


def seen(bank: Database, eaten: Eaten, actor: Actor, part: Part | None = None) -> Sequence[RatingView]:
    with bank.session() as session:
        return ratings_of(session, actor=actor, canteen_id=eaten.place.id, part=part or Part(50)).items


def test_a_meal_ordered_and_served_is_rated(bank: Database) -> None:
    """The whole road: placed, handed over at the counter, rated."""
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        order_id = placed(session, kitchen, diner).id
    with pytest.raises(Conflict, match="order_not_served:"), bank.unit_of_work() as session:
        rate(session, actor=diner, order_id=order_id, said=Rating(5))
    clock.freeze(at_hour(11))
    with bank.unit_of_work() as session:
        serve_order(session, actor=kitchen.clerk, order_id=order_id)
    with bank.unit_of_work() as session:
        found = rate(session, actor=diner, order_id=order_id, said=Rating(4, ["味道好"], " 好吃 "))
    assert (found.revision, found.stars, found.tags, found.words) == (1, 4, ["味道好"], "好吃")
    assert (found.canteen_id, found.served_on, found.diner_id) == (kitchen.canteen.id, kitchen.day, diner.person())


def test_a_change_within_two_days_is_a_new_revision_and_nothing_is_lost(bank: Database, eaten: Eaten) -> None:
    rated(bank, eaten, 2, words="菜凉了")
    clock.freeze(AFTER_LUNCH + timedelta(hours=48))
    rated(bank, eaten, 4, words="解释清楚了")
    clock.freeze(AFTER_LUNCH + timedelta(hours=48, seconds=1))
    with pytest.raises(Refused, match="rating_final:"):
        rated(bank, eaten, 1)
    with bank.session() as session:
        history = [(one.revision, one.stars, one.words) for one in rating_history(session, eaten.order_id)]
    assert history == [(1, 2, "菜凉了"), (2, 4, "解释清楚了")]
    assert [view.rating.stars for view in seen(bank, eaten, eaten.diner)] == [4]


def test_a_week_after_the_meal_it_is_too_late(bank: Database, eaten: Eaten) -> None:
    clock.freeze(AFTER_LUNCH + timedelta(days=7))
    with pytest.raises(Refused, match="rating_too_late:"):
        rated(bank, eaten)
    with bank.session() as session:
        assert session.scalar(select(func.count()).select_from(MealRating)) == 0


def test_the_diner_and_a_proxy_for_meals_rate_and_nobody_else(bank: Database, eaten: Eaten) -> None:
    proxy, helper = proxy_of(bank, eaten.diner, ProxyScope.MEALS), proxy_of(bank, eaten.diner, ProxyScope.CARE)
    assert rated(bank, eaten, by=proxy).rated_by_name == "周小敏（代周桂芬）"
    with bank.unit_of_work() as session:
        stranger = add_person(session, DAYAN)
    for other in (stranger, eaten.clerk, steward(SHANGTIAN), district(), staff(StaffRole.AUDITOR)):
        with pytest.raises(NotAllowed, match="not_your_meal:"):
            rated(bank, eaten, by=other)
    with pytest.raises(NotAllowed, match="proxy_scope_missing:"):
        rated(bank, eaten, by=helper)
    with bank.unit_of_work() as session:
        guests = served(session, eaten.place, None)
    with pytest.raises(NotAllowed, match="not_your_meal:"), bank.unit_of_work() as session:
        rate(session, actor=eaten.diner, order_id=guests, said=Rating(5))
    with pytest.raises(NotFound, match="order_unknown:"), bank.unit_of_work() as session:
        rate(session, actor=eaten.diner, order_id=new_id(), said=Rating(5))


def test_rated_twice_at_once_there_are_two_revisions(bank: Database, eaten: Eaten) -> None:
    answers = at_once(
        bank,
        [
            lambda session, stars=stars: rate(  # type: ignore[misc]
                session, actor=eaten.diner, order_id=eaten.order_id, said=Rating(stars)
            )
            for stars in (3, 4)
        ],
    )
    assert not any(isinstance(answer, BankError) for answer in answers)
    with bank.session() as session:
        assert [one.revision for one in rating_history(session, eaten.order_id)] == [1, 2]


def test_few_stars_put_the_diner_on_the_list_of_calls_once(bank: Database, eaten: Eaten) -> None:
    rated(bank, eaten, 3)
    with bank.session() as session:
        assert session.scalars(select(FollowUp)).all() == []
    for stars in (2, 1, 5):
        rated(bank, eaten, stars)
    with bank.session() as session:
        called = session.scalars(select(FollowUp)).one()
    assert (called.order_id, called.person_id, called.reason) == (eaten.order_id, eaten.diner.person(), "low_rating")
    assert (called.month, called.township_code, called.closed_at) == (date(2026, 3, 1), SHANGTIAN, None)


def answer(bank: Database, eaten: Eaten, actor: Actor, words: str = "下次一定趁热送") -> None:
    with bank.unit_of_work() as session:
        reply(session, actor=actor, order_id=eaten.order_id, words=words)


def test_the_canteen_answers_once_and_may_change_it_and_the_diner_is_told_once(bank: Database, eaten: Eaten) -> None:
    with pytest.raises(NotFound, match="rating_unknown:"):
        answer(bank, eaten, eaten.clerk)
    rated(bank, eaten, 2)
    answer(bank, eaten, eaten.clerk)
    rated(bank, eaten, 3)
    answer(bank, eaten, steward(SHANGTIAN), "已经改进")
    with bank.session() as session:
        replies = reply_history(session, eaten.order_id)
        told = session.scalars(select(Notice.body).where(Notice.person_id == eaten.diner.person())).all()
    assert [(one.revision, one.rating_revision, one.words) for one in replies] == [
        (1, 1, "下次一定趁热送"),
        (2, 2, "已经改进"),
    ]
    assert [body for body in told if "趁热" in body or "改进" in body] == [body for body in told if "趁热" in body]
    shown = seen(bank, eaten, eaten.diner)[0].reply
    assert shown is not None
    assert shown.words == "已经改进"


def test_nobody_else_answers_for_a_canteen(bank: Database, eaten: Eaten) -> None:
    rated(bank, eaten)
    other_clerk = staff(StaffRole.CANTEEN_CLERK, SHANGTIAN, new_id())
    for actor in (eaten.diner, steward(XIWU), other_clerk, staff(StaffRole.AUDITOR)):
        with pytest.raises(NotAllowed, match="ratings_not_yours:"):
            answer(bank, eaten, actor)
    for words, code in (("  ", "reason_needed"), ("好" * 201, "words_too_long")):
        with pytest.raises(Refused, match=f"{code}:"):
            answer(bank, eaten, eaten.clerk, words)


def test_hidden_words_are_seen_by_the_diner_and_those_who_oversee_and_the_stars_count(
    bank: Database, eaten: Eaten
) -> None:
    rated(bank, eaten, 1, words="某某偷菜")
    with bank.unit_of_work() as session:
        stranger = add_person(session, DAYAN)
        hide_words(session, actor=steward(SHANGTIAN), order_id=eaten.order_id, reason="指名道姓")
    with pytest.raises(Conflict, match="rating_already_hidden:"), bank.unit_of_work() as session:
        hide_words(session, actor=district(), order_id=eaten.order_id, reason="再来")
    for actor, words in (
        *((one, "某某偷菜") for one in (eaten.diner, steward(SHANGTIAN), district(), staff(StaffRole.AUDITOR))),
        *((one, "") for one in (stranger, eaten.clerk, steward(XIWU))),
    ):
        view = seen(bank, eaten, actor)[0]
        assert (view.words, view.hidden, view.hidden_reason) == (words, True, "指名道姓" if words else None)
    with bank.session() as session:
        assert averages(session, canteen_id=eaten.place.id, months=12)[0] == Average(None, 1, 100)
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "rating_hidden")).one()
        assert noted.facts == {"reason": "指名道姓"}
        body = session.scalars(select(Notice.body).where(Notice.title == "您的评价文字已隐藏")).one()
    assert "指名道姓" in body


def test_only_stewards_of_the_canteens_township_hide(bank: Database, eaten: Eaten) -> None:
    rated(bank, eaten)
    refusals: list[tuple[Actor, str]] = [(eaten.clerk, "steward_only"), (eaten.diner, "steward_only")]
    for actor, code in (*refusals, (steward(XIWU), "other_township")):
        with pytest.raises(BankError, match=f"{code}:"), bank.unit_of_work() as session:
            hide_words(session, actor=actor, order_id=eaten.order_id, reason="不妥")
    with pytest.raises(Refused, match="reason_needed:"), bank.unit_of_work() as session:
        hide_words(session, actor=district(), order_id=eaten.order_id, reason=" ")


def test_names_and_orders_are_shown_to_whom_they_concern(bank: Database, eaten: Eaten) -> None:
    rated(bank, eaten, words="好")
    with bank.unit_of_work() as session:
        stranger = add_person(session, DAYAN)
    whole, masked = ("周桂芬", eaten.order_id), ("周**", None)
    for actor, shown in (
        *((one, whole) for one in (eaten.diner, steward(SHANGTIAN), district(), staff(StaffRole.AUDITOR))),
        *((one, masked) for one in (stranger, steward(XIWU), staff(StaffRole.CANTEEN_CLERK, XIWU, new_id()))),
        (eaten.clerk, ("周**", eaten.order_id)),
    ):
        view = seen(bank, eaten, actor)[0]
        assert (view.diner_name, view.order_id) == shown


def test_averages_are_by_the_month_of_the_meal_and_pages_follow_one_another(bank: Database, eaten: Eaten) -> None:
    orders = [eaten.order_id]
    with bank.unit_of_work() as session:
        for day in (date(2026, 2, 27), date(2026, 3, 5), date(2026, 3, 6)):
            orders.append(served(session, eaten.place, eaten.diner, on=day, at=AFTER_LUNCH - timedelta(days=1)))
    for order_id, stars in zip(orders, (5, 2, 4, 4), strict=True):
        with bank.unit_of_work() as session:
            rate(session, actor=eaten.diner, order_id=order_id, said=Rating(stars))
    with bank.session() as session:
        assert averages(session, canteen_id=eaten.place.id, months=12) == [
            Average(None, 4, 375),
            Average(date(2026, 3, 1), 3, 433),
            Average(date(2026, 2, 1), 1, 200),
        ]
        assert len(averages(session, canteen_id=eaten.place.id, months=1)) == 2
    newest_first = sorted(orders, reverse=True)
    assert [view.order_id for view in seen(bank, eaten, district(), Part(3))] == newest_first[:3]
    after = Part(50, after=(newest_first[2], newest_first[2]))
    assert [view.order_id for view in seen(bank, eaten, district(), after)] == newest_first[3:]
