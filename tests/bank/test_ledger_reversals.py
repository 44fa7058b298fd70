"""A reversal undoes a whole movement, once, when one steward has asked for it and another one approves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from tests.bank.ledger_books import Scene, account_row, clearing_sum, move, net_of, open_scene, posted
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, staff
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one, reverse
from timebank.ledger.models import Transfer
from timebank.ledger.rules import Movement, second_leg_id


def steward(township_code: str) -> Actor:
    return staff(StaffRole.TOWNSHIP_STEWARD, township_code)


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises(BankError) as raised:
        yield
    assert raised.value.code == code


def credited(bank: Database, **fields: Any) -> tuple[Scene, Movement]:
    """A credit of 30 from Xiwu to Lin of Shangtian."""
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        made = move(scene.here.source, scene.there.lin, 30, cause_kind="task", cause_id=new_id(), **fields)
        post_one(session, (made,))
    return scene, made


@pytest.mark.parametrize(
    ("asked_by_second", "approved_by_second"), [(False, False), (False, True), (True, False), (True, True)]
)
def test_a_credit_between_books_is_reversed_whole_whichever_leg_is_named(
    bank: Database, asked_by_second: bool, approved_by_second: bool
) -> None:
    scene, made = credited(bank)
    names = {False: made.id, True: second_leg_id(made.id)}
    asker, approver = steward(XIWU), steward(SHANGTIAN)
    with bank.unit_of_work() as session:
        asked = reverse(session, actor=asker, transfer_id=names[asked_by_second], reason="记错了人")
        assert asked == ("awaiting_second_person", made.id, None)
        assert posted(session, scene.there.lin) == 130
    with bank.unit_of_work() as session:
        state, of, reversal_id = reverse(session, actor=approver, transfer_id=names[approved_by_second], reason="同意")
        assert (state, of) == ("reversed", made.id)
    with bank.session() as session:
        assert posted(session, scene.there.lin) == 100
        assert net_of(session, [scene.here.clearing]) == net_of(session, [scene.there.clearing]) == 0
        assert clearing_sum(session, scene.unit) == 0
        assert reversal_id is not None
        first, last = (session.get_one(Transfer, i) for i in (reversal_id, second_leg_id(reversal_id)))
        assert (first.reverses_id, last.reverses_id) == (second_leg_id(made.id), made.id)
        for leg in (first, last):
            assert (leg.kind, leg.note, leg.cause_id) == ("reversal", "记错了人", made.cause_id)
            assert (leg.recorded_by, leg.approved_by) == (asker.login_id, approver.login_id)


def test_a_credit_within_a_book_is_reversed(bank: Database) -> None:
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        made = move(scene.here.source, scene.here.mei, 30)
        post_one(session, (made,))
        reverse(session, actor=steward(XIWU), transfer_id=made.id, reason="重复")
        state, _, reversal_id = reverse(session, actor=staff(), transfer_id=made.id, reason="同意")
        assert state == "reversed"
        assert reversal_id is not None
        assert session.get_one(Transfer, reversal_id).reverses_id == made.id
        assert account_row(session, scene.here.mei) == (100, 0, 3)


def test_nobody_approves_what_they_asked_for(bank: Database) -> None:
    scene, made = credited(bank)
    asker = steward(XIWU)
    with bank.unit_of_work() as session:
        reverse(session, actor=asker, transfer_id=made.id, reason="记错了人")
    with bank.unit_of_work() as session:
        for leg_id in (made.id, second_leg_id(made.id)):
            with refused("second_person_needed"):
                reverse(session, actor=asker, transfer_id=leg_id, reason="同意")
        assert posted(session, scene.there.lin) == 130


def test_what_is_reversed_is_not_reversed_again(bank: Database) -> None:
    scene, made = credited(bank)
    with bank.unit_of_work() as session:
        reverse(session, actor=steward(XIWU), transfer_id=made.id, reason="记错了人")
        _, _, reversal_id = reverse(session, actor=staff(), transfer_id=made.id, reason="同意")
    with bank.unit_of_work() as session:
        for leg_id in (made.id, second_leg_id(made.id)):
            with refused("already_reversed"):
                reverse(session, actor=staff(), transfer_id=leg_id, reason="再来")
        assert reversal_id is not None
        for leg_id in (reversal_id, second_leg_id(reversal_id)):
            with refused("not_reversible"):
                reverse(session, actor=staff(), transfer_id=leg_id, reason="再来")
        assert posted(session, scene.there.lin) == 100


def test_what_has_been_spent_cannot_be_reversed_until_it_is_there_again(bank: Database) -> None:
    scene, made = credited(bank)
    with bank.unit_of_work() as session:
        post_one(session, (move(scene.there.lin, scene.there.mei, 101),))
        reverse(session, actor=steward(XIWU), transfer_id=made.id, reason="记错了人")
    with bank.unit_of_work() as session:
        with pytest.raises(BankError) as short:
            reverse(session, actor=staff(), transfer_id=made.id, reason="同意")
        assert (short.value.code, short.value.facts) == (
            *("insufficient_minutes", {"available_minutes": 29, "needed_minutes": 30}),
        )
    with bank.unit_of_work() as session:
        post_one(session, (move(scene.there.mei, scene.there.lin, 1),))
        assert reverse(session, actor=staff(), transfer_id=made.id, reason="同意")[0] == "reversed"
        assert posted(session, scene.there.lin) == 0


def test_only_stewards_of_the_two_townships_and_the_district_may_reverse(bank: Database) -> None:
    _, made = credited(bank)
    with bank.unit_of_work() as session:
        with refused("other_township"):
            reverse(session, actor=steward(DAYAN), transfer_id=made.id, reason="记错了人")
        for role in (StaffRole.AUDITOR, StaffRole.CANTEEN_CLERK):
            with refused("steward_only"):
                reverse(session, actor=staff(role, XIWU), transfer_id=made.id, reason="记错了人")
        assert reverse(session, actor=steward(SHANGTIAN), transfer_id=made.id, reason="记错了人")[0] == (
            "awaiting_second_person"
        )


def test_what_has_another_way_back_is_not_reversed_by_hand(bank: Database) -> None:
    _, made = credited(bank, kind="voucher_purchase")
    with bank.unit_of_work() as session:
        with refused("not_reversible"):
            reverse(session, actor=staff(), transfer_id=made.id, reason="记错了人")
        with refused("transfer_unknown"):
            reverse(session, actor=staff(), transfer_id=new_id(), reason="记错了人")
        assert session.scalars(select(Transfer.id).where(Transfer.reverses_id.is_not(None))).all() == []
