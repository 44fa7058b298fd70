"""What the database refuses about ratings and follow-ups, tried by raw SQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.diners import approved_diner
from tests.factories.people import SHANGTIAN, district
from tests.factories.ratings import AFTER_LUNCH, Eaten, corrected, eaten_lunch, rated
from tests.factories.subsidies import served
from timebank.canteens.ratings.actions import draw_follow_ups, hide_words, record_call, reply
from timebank.canteens.ratings.models import FollowUp
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id

RATE = """INSERT INTO meal_rating (order_id, revision, canteen_id, diner_id, served_on, stars, words, rated_at,
    rated_by, rated_by_name)
SELECT id, :revision, coalesce(:canteen, canteen_id), coalesce(:diner, diner_id), served_on + :later, :stars, :words,
    now(), id, '某人' FROM meal_order WHERE id = :order"""
REPLY = """INSERT INTO meal_rating_reply (order_id, revision, rating_revision, words, replied_at, replied_by,
    replied_by_name) VALUES (:order, :revision, :of, :words, now(), :order, '某人')"""
HIDE = """INSERT INTO meal_rating_hiding (order_id, rating_revision, reason, hidden_at, hidden_by, hidden_by_name)
VALUES (:order, :of, :reason, now(), :order, '某人')"""
FOLLOW = """INSERT INTO follow_up (id, month, township_code, person_id, order_id, reason, opened_at, closed_at)
VALUES (:id, CAST(:month AS date), '330213007', :person, :order, :reason, now(), :closed)"""
CALL = """INSERT INTO follow_up_call (follow_up_id, number, reached, satisfied, words, called_at, called_by,
    called_by_name) VALUES (:follow_up, :number, :reached, :satisfied, '', now(), :follow_up, '某人')"""
DRAW = """INSERT INTO follow_up_draw (month, township_code, served_diners, percent, drawn, policy_version, drawn_at)
VALUES (CAST(:month AS date), '330213004', 10, :percent, :drawn, 1, now())"""


def refused(session: Session, statement: str, **values: Any) -> str:
    """The constraint or the SQLSTATE that refuses the statement."""
    with pytest.raises(DBAPIError) as raised:
        session.execute(text(statement), values)
    session.rollback()
    diagnosis = raised.value.orig.diag  # type: ignore[union-attr]
    return str(diagnosis.constraint_name or diagnosis.sqlstate)


@pytest.fixture
def eaten(bank: Database) -> Eaten:
    clock.freeze(AFTER_LUNCH)
    return eaten_lunch(bank)


@pytest.fixture
def follow_up_id(bank: Database, eaten: Eaten) -> UUID:
    rated(bank, eaten, 1)
    with bank.session() as session:
        return session.scalars(select(FollowUp.id)).one()


def test_only_a_served_meal_is_rated_as_what_it_was(bank: Database, eaten: Eaten) -> None:
    usual = {
        "order": eaten.order_id,
        "revision": 1,
        "stars": 5,
        "words": "",
        "later": 0,
        "canteen": None,
        "diner": None,
    }
    with bank.unit_of_work() as session:
        other = approved_diner(session, SHANGTIAN)
        wrong = served(session, eaten.place, other)
    corrected(bank, wrong)
    with bank.session() as session:
        for said in ({"order": wrong}, {"later": 1}, {"diner": other.person()}, {"revision": 2}):
            assert refused(session, RATE, **{**usual, **said}) == "TB001"
        assert refused(session, RATE, **{**usual, "stars": 6}) == "ck_meal_rating_stars_range"
        assert refused(session, RATE, **{**usual, "words": "好" * 201}) == "ck_meal_rating_words_short"
        session.execute(text(RATE), usual)
        assert refused(session, RATE, **{**usual, "revision": 3}) == "TB001"


def test_a_reply_and_a_hiding_are_about_a_revision_that_there_is(bank: Database, eaten: Eaten) -> None:
    rated(bank, eaten)
    about = {"order": eaten.order_id, "of": 1}
    with bank.session() as session:
        assert refused(session, REPLY, **about, revision=2, words="谢谢") == "TB001"
        assert refused(session, REPLY, **{**about, "of": 2}, revision=1, words="谢谢") == "fk_meal_rating_reply_rating"
        assert refused(session, REPLY, **about, revision=1, words="") == "ck_meal_rating_reply_words_short"
        assert refused(session, HIDE, **{**about, "of": 2}, reason="不妥") == "fk_meal_rating_hiding_rating"
        assert refused(session, HIDE, **about, reason="") == "ck_meal_rating_hiding_reasoned"
        session.execute(text(HIDE), {**about, "reason": "不妥"})
        assert refused(session, HIDE, **about, reason="不妥") == "pk_meal_rating_hiding"


@pytest.mark.parametrize(
    "statement",
    [
        *("UPDATE meal_rating SET stars = 5", "DELETE FROM meal_rating", "TRUNCATE meal_rating CASCADE"),
        *("UPDATE meal_rating_reply SET words = '改'", "DELETE FROM meal_rating_reply", "TRUNCATE meal_rating_reply"),
        *("UPDATE meal_rating_hiding SET reason = '改'", "DELETE FROM meal_rating_hiding"),
        *("TRUNCATE meal_rating_hiding", "UPDATE follow_up_draw SET drawn = 0", "DELETE FROM follow_up_draw"),
        *("TRUNCATE follow_up_draw", "DELETE FROM follow_up", "TRUNCATE follow_up CASCADE"),
        *("UPDATE follow_up_call SET satisfied = 5", "DELETE FROM follow_up_call", "TRUNCATE follow_up_call"),
    ],
)
def test_what_was_said_stays(bank: Database, eaten: Eaten, follow_up_id: UUID, statement: str) -> None:
    with bank.unit_of_work() as session:
        reply(session, actor=eaten.clerk, order_id=eaten.order_id, words="谢谢")
        hide_words(session, actor=district(), order_id=eaten.order_id, reason="不妥")
        record_call(session, actor=district(), follow_up_id=follow_up_id, reached=False)
        draw_follow_ups(session, month=AFTER_LUNCH.date().replace(day=1), township_code=SHANGTIAN)
    with bank.session() as session:
        assert refused(session, statement) == "TB001"


def test_a_follow_up_is_about_a_meal_of_the_diner_once_and_drawn_once_a_month(
    bank: Database, eaten: Eaten, follow_up_id: UUID
) -> None:
    with bank.unit_of_work() as session:
        other = approved_diner(session, SHANGTIAN)
        second = served(session, eaten.place, eaten.diner, meal="supper")
    mine = {"person": eaten.diner.person(), "order": eaten.order_id}
    usual = {"id": new_id(), **mine, "month": "2026-03-01", "reason": "sample", "closed": None}
    with bank.session() as session:
        assert refused(session, FOLLOW, **{**usual, "person": other.person()}) == "TB001"
        assert refused(session, FOLLOW, **{**usual, "closed": AFTER_LUNCH}) == "TB001"
        assert refused(session, FOLLOW, **{**usual, "month": "2026-03-02"}) == "ck_follow_up_month_begins"
        assert refused(session, FOLLOW, **{**usual, "reason": "whim"}) == "ck_follow_up_reason_known"
        assert refused(session, FOLLOW, **{**usual, "reason": "low_rating"}) == "uq_follow_up_order"
        session.execute(text(FOLLOW), usual)
        assert refused(session, FOLLOW, **{**usual, "id": new_id(), "order": second}) == "uq_follow_up_sample"


@pytest.mark.parametrize(
    "change",
    ["closed_at = now()", "month = '2026-04-01'", "township_code = '330213004'", "reason = 'sample'", "id = order_id"],
)
def test_a_follow_up_stays_what_it_is_and_is_not_closed_without_a_call(
    bank: Database, follow_up_id: UUID, change: str
) -> None:
    with bank.session() as session:
        assert refused(session, f"UPDATE follow_up SET {change}") == "TB001"


def test_a_closed_follow_up_is_not_opened_again(bank: Database, follow_up_id: UUID) -> None:
    with bank.unit_of_work() as session:
        record_call(session, actor=district(), follow_up_id=follow_up_id, reached=True, satisfied=3)
    with bank.session() as session:
        assert refused(session, "UPDATE follow_up SET closed_at = NULL") == "TB001"
        said = {"follow_up": follow_up_id, "number": 2, "reached": False, "satisfied": None}
        assert refused(session, CALL, **said) == "TB001"


def test_calls_are_numbered_whole_and_none_follows_an_answer(bank: Database, follow_up_id: UUID) -> None:
    usual = {"follow_up": follow_up_id, "number": 1, "reached": True, "satisfied": 4}
    with bank.session() as session:
        assert refused(session, CALL, **{**usual, "number": 2}) == "TB001"
        assert refused(session, CALL, **{**usual, "satisfied": None}) == "ck_follow_up_call_outcome_whole"
        assert refused(session, CALL, **{**usual, "reached": False}) == "ck_follow_up_call_outcome_whole"
        assert refused(session, CALL, **{**usual, "satisfied": 6}) == "ck_follow_up_call_satisfied_range"
        session.execute(text(CALL), usual)
        assert refused(session, CALL, **{**usual, "number": 2}) == "TB001"


def test_a_draw_is_of_a_month_and_says_how_many_its_percentage_makes(bank: Database) -> None:
    with bank.session() as session:
        assert refused(session, DRAW, month="2026-03-02", percent=15, drawn=2) == "ck_follow_up_draw_month_begins"
        assert refused(session, DRAW, month="2026-03-01", percent=15, drawn=1) == "ck_follow_up_draw_drawn_fits"
        assert refused(session, DRAW, month="2026-03-01", percent=101, drawn=11) == "ck_follow_up_draw_percent_range"
        session.execute(text(DRAW), {"month": "2026-03-01", "percent": 15, "drawn": 2})
        assert refused(session, DRAW, month="2026-03-01", percent=15, drawn=2) == "pk_follow_up_draw"
