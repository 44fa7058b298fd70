"""What the dead have left in their purses: paid by two stewards on evidence, once, and never to anybody else."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.leaving_meals import ask_for_estate, die, ordered, with_heir
from tests.factories.orders import MORNING, a_diner, purse_of
from tests.factories.people import DAYAN, XIWU, add_person, district, staff, steward
from tests.factories.purses import balance, served
from timebank.canteens.counter.actions import correct
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.purses.actions import pay_back
from timebank.canteens.purses.models import PurseEstate
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.models import Transfer
from timebank.notifications.models import Notice
from timebank.supervision.verify import verify

XIWUS = steward(XIWU)
"""The same person whenever asked for."""


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def test_an_heir_who_does_not_dine_gets_the_money_in_cash_by_two_stewards_on_evidence(bank: Database) -> None:
    kitchen, diner, _ = ordered(bank)
    with bank.unit_of_work() as session:
        with_heir(session, diner, add_person(session, XIWU, name="周小敏"))
    assert code_of_estate(bank, diner) == "death_not_settled"
    die(bank, diner)
    with bank.unit_of_work() as session:
        assert purse_of(session, diner) == (5000, 0)
        how = {"actor": kitchen.clerk, "person_id": diner.person(), "amount_fen": 100}
        assert code(session, pay_back, **how) == "estate_at_the_office"
        titles = session.scalars(select(Notice.title).where(Notice.township_code == XIWU)).all()
        assert "有餐费余额待继承" in titles
    one = steward(XIWU)
    assert code_of_estate(bank, diner, by=steward(DAYAN)) == "other_township"
    assert code_of_estate(bank, diner, by=staff(StaffRole.AUDITOR)) == "steward_only"
    assert code_of_estate(bank, diner, by=one, evidence=" ") == "evidence_missing"
    assert code_of_estate(bank, diner, by=one, receiver_name=" ") == "receiver_missing"
    first = ask_for_estate(bank, diner, by=one)
    assert (first.status, first.amount_fen) == ("awaiting_second_person", None)
    assert code_of_estate(bank, diner, by=one) == "second_person_needed"
    assert code_of_estate(bank, diner, receiver_name="周大明") == "estate_differs"
    anew = ask_for_estate(bank, diner, by=one, evidence="法院判决书第3号")
    assert code_of_estate(bank, diner) == "estate_differs"
    paid = ask_for_estate(bank, diner, evidence="法院判决书第3号")
    assert (paid.id, paid.status, paid.amount_fen) == (anew.id, "paid", 5000)
    with bank.session() as session:
        assert (purse_of(session, diner), session.get_one(PurseEstate, first.id).status) == ((0, 0), "withdrawn")
        moved = session.get_one(Transfer, paid.transfer_id)
        assert (moved.kind, moved.amount, moved.cause_id) == ("purse_estate_paid", 5000, paid.id)
        assert balance(session, "cash") == 5000
    assert code_of_estate(bank, diner, evidence="法院判决书第3号") == "estate_empty"


def code(session: Session, deed: object, **how: object) -> str:
    with pytest.raises(BankError) as raised, session.begin_nested():
        deed(session, **how)  # type: ignore[operator]
    return raised.value.code


def code_of_estate(bank: Database, dead: Actor, **how: object) -> str:
    with pytest.raises(BankError) as raised:
        ask_for_estate(bank, dead, **how)  # type: ignore[arg-type]
    return raised.value.code


def test_a_meal_corrected_after_the_death_comes_to_the_heirs_as_well(bank: Database) -> None:
    kitchen, diner, order = ordered(bank)
    with bank.unit_of_work() as session:
        served(session, kitchen, session.get_one(MealOrder, order.id))
    die(bank, diner)
    ask_for_estate(bank, diner, by=steward(XIWU))
    ask_for_estate(bank, diner)
    for actor in (steward(XIWU), district()):
        with bank.unit_of_work() as session:
            correct(session, actor=actor, order_id=order.id, reason="刷错了人")
    ask_for_estate(bank, diner, by=steward(XIWU))
    assert ask_for_estate(bank, diner).amount_fen == order.elder_fen


ESTATE = """
INSERT INTO purse_estate (id, person_id, receiver_name, evidence, requested_at, requested_by, requested_by_name {names})
SELECT gen_random_uuid(), person_id, receiver_name, evidence, now(), requested_by, 'x' {values} FROM purse_estate
"""


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE purse_estate SET receiver_name = '别人'", "as it was asked for"),
        ("UPDATE purse_estate SET requested_by = gen_random_uuid()", "as it was asked for"),
        ("UPDATE purse_estate SET withdrawn_at = NULL WHERE withdrawn_at IS NOT NULL", "as it was asked for"),
        ("DELETE FROM purse_estate", "never changed or removed"),
        ("TRUNCATE purse_estate", "never changed or removed"),
        ("UPDATE purse_estate SET amount_fen = 5 WHERE withdrawn_at IS NULL", "approved_whole"),
        (ESTATE.format(names="", values=""), "uq_purse_estate_waiting"),
        (ESTATE.format(names=", withdrawn_at", values=", now()"), "asked for before it is paid"),
        (
            "UPDATE purse_estate SET approved_at = now(), approved_by = requested_by, approved_by_name = 'x',"
            " amount_fen = 1, transfer_id = gen_random_uuid() WHERE withdrawn_at IS NULL",
            "second_person",
        ),
    ],
)
def test_what_was_asked_for_an_estate_is_answered_once_and_never_changed(
    bank: Database, statement: str, said: str
) -> None:
    _, diner, _ = ordered(bank)
    die(bank, diner)
    for evidence in ("公证书", "判决书"):
        ask_for_estate(bank, diner, by=XIWUS, evidence=evidence)
    with pytest.raises(DBAPIError, match=said), bank.unit_of_work() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("check", "table", "broken"),
    [
        ("estates_paid", "purse_estate", "DELETE FROM purse_estate"),
        ("purses_inherited", "leaving", "UPDATE leaving SET to_person_id = '{other}' WHERE to_person_id IS NOT NULL"),
        ("leavers_settled", "diner", "UPDATE diner SET state = 'approved', ended_at = NULL WHERE state = 'ended'"),
    ],
)
def test_verify_notices_money_of_the_dead_that_went_astray(
    unverified_bank: Database, check: str, table: str, broken: str
) -> None:
    bank = unverified_bank
    _, diner, _ = ordered(bank)
    _, other, _ = ordered(bank)
    with bank.unit_of_work() as session:
        with_heir(session, other, a_diner(session, 0))
    die(bank, diner)
    die(bank, other)
    ask_for_estate(bank, diner, by=XIWUS)
    ask_for_estate(bank, diner)
    with bank.session() as session:
        assert [one.check.name for one in verify(session) if one.misfit is not None] == []
    with bank.unit_of_work() as session:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(broken.format(other=diner.person())))
    with bank.session() as session:
        assert check in [one.check.name for one in verify(session) if one.misfit is not None]
