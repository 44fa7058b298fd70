"""The first story inside the bank: help given in 西坞 by a volunteer of 尚田 is eaten as a meal in 大堰."""

from __future__ import annotations

from datetime import timedelta

from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_elder, add_person, clerk
from timebank.clearing.queries import matrix, positions
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.queries import balance_of, statement
from timebank.redemption.actions import buy_vouchers, redeem_vouchers
from timebank.redemption.rules import Scan
from timebank.tasks import actions as tasks
from timebank.tasks.actions import Confirmation, Request


def test_an_hour_earned_in_one_township_is_eaten_in_another(bank: Database) -> None:
    start = clock.now() + timedelta(hours=2)
    with bank.unit_of_work() as session:
        volunteer = add_person(session, SHANGTIAN, age=66)
        elder = add_elder(session, XIWU)
        canteen = add_canteen(session, DAYAN)
        task = tasks.request(session, actor=elder, wanted=Request("companionship", start, 60))
        code = task.service_code or ""
    with bank.unit_of_work() as session:
        tasks.accept(session, actor=volunteer, task_id=task.id)
    clock.freeze(start)
    with bank.unit_of_work() as session:
        tasks.check_in(session, actor=volunteer, task_id=task.id, service_code=code)
    clock.freeze(start + timedelta(minutes=60))
    with bank.unit_of_work() as session:
        tasks.check_out(session, actor=volunteer, task_id=task.id)
        done = tasks.confirm(session, confirmation=Confirmation(task.id, elder, rating=5))
        assert [part.payable_minutes for part in done.parts] == [60]
    assert volunteer.person_id is not None
    with bank.unit_of_work() as session:
        assert balance_of(session, volunteer.person_id).available_minutes == 60
        vouchers = buy_vouchers(session, actor=volunteer, quantity=1)
        assert balance_of(session, volunteer.person_id).available_minutes == 0
    with bank.unit_of_work() as session:
        answers = redeem_vouchers(
            session, actor=clerk(canteen), scans=[Scan(vouchers[0].code, "n1"), Scan(vouchers[0].code, "n2")]
        )
        assert [a.verdict.reason for a in answers] == ["ok", "already_redeemed"]
    with bank.unit_of_work() as session:
        _, found = positions(session, window_name=None)
        assert {p.township_code: p.position_minutes for p in found if p.position_minutes} == {XIWU: -60, DAYAN: 60}
        _, lines = matrix(session, window_name=None)
        assert {(x.debtor_township_code, x.creditor_township_code): x.minutes for x in lines} == {
            (XIWU, SHANGTIAN): 60,
            (SHANGTIAN, DAYAN): 60,
        }
        assert [x.minutes for x in statement(session, volunteer.person_id, limit=10)] == [-60, 60]
