"""Settling a window: in one transaction, paid or carried over, undone by new transfers while nothing is paid."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from tests.factories.clearing import (
    close,
    closed_and_confirmed,
    confirm_all,
    eat,
    owed,
    payments_of,
    position_minutes,
    settle,
)
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE, ask, confirm, serve
from tests.factories.threads import at_once, codes_of
from timebank.clearing import actions as clearing
from timebank.clearing.models import ClearingWindow, Payment, Settlement
from timebank.clearing.queries import find_window
from timebank.clearing.queries.seals import seal_of
from timebank.core import clock
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.notifications.models import Notice

APRIL = datetime(2026, 4, 1, tzinfo=LOCAL)
Call = Callable[[Session], Any]


@pytest.fixture(autouse=True)
def _at_nine() -> None:
    clock.freeze(NINE)


@pytest.fixture
def confirmed(bank: Database) -> str:
    """尚田 owes 大堰 two meals and 西坞 one; everybody has confirmed."""
    eat(bank, DAYAN, meals=2)
    eat(bank, XIWU)
    return closed_and_confirmed(bank)


def refused(bank: Database, code: str, call: Call) -> None:
    """``call`` is refused with this code, and no transfer, settlement or payment comes of it."""
    with bank.session() as session:
        before = _counts(session)
    with pytest.raises(BankError) as refusal, bank.unit_of_work() as session:
        call(session)
    assert refusal.value.code == code
    with bank.session() as session:
        assert _counts(session) == before


def _counts(session: Session) -> list[Any]:
    tables = (Transfer, Settlement, Payment)
    counts = [session.execute(select(func.count()).select_from(table)).scalar_one() for table in tables]
    return counts + [(w.name, w.status) for w in session.scalars(select(ClearingWindow))]


def do(bank: Database, call: Call) -> Any:
    with bank.unit_of_work() as session:
        return call(session)


def abort(bank: Database, window: str) -> None:
    do(bank, lambda s: clearing.abort_settlement(s, actor=district(), window_name=window, reason="账号有误"))


def carry_from_now_on(bank: Database) -> None:
    do(bank, lambda s: change_policy(s, "clearing_settlement_method", "carry"))


def clearing_balances(bank: Database) -> dict[str, int]:
    """What stands on the townships' and the house's clearing, settled and netting accounts, where it is not zero."""
    query = text("""
        SELECT a.book_code || ' ' || a.kind, sum(CASE WHEN a.id = t.to_account_id THEN t.amount ELSE -t.amount END)
        FROM ledger_account a JOIN ledger_transfer t ON a.id IN (t.from_account_id, t.to_account_id)
        WHERE a.unit = 'minute' AND a.kind IN ('clearing', 'settled', 'netting') GROUP BY 1""")
    with bank.session() as session:
        return {name: int(total) for name, total in session.execute(query).all() if total}


def test_settling_brings_the_clearing_accounts_to_zero_and_leaves_nothing_with_the_house(
    bank: Database, confirmed: str
) -> None:
    assert owed(bank) == {SHANGTIAN: 180, DAYAN: -120, XIWU: -60}
    settle(bank, confirmed)
    assert owed(bank) == {}
    assert clearing_balances(bank) == {f"{SHANGTIAN} settled": 180, f"{DAYAN} settled": -120, f"{XIWU} settled": -60}
    # What the window says is what it said before.
    assert position_minutes(bank, confirmed) == {SHANGTIAN: -180, DAYAN: 120, XIWU: 60}
    with bank.session() as session:
        window = find_window(session, confirmed)
        assert (window.status, window.seal) == ("settled", seal_of(session, window))


def test_there_is_one_payment_or_receipt_a_township(bank: Database, confirmed: str) -> None:
    settlement = settle(bank, confirmed)
    paid = {code: (p.direction, p.amount_fen, p.state) for code, p in payments_of(bank, confirmed).items()}
    assert paid == {
        SHANGTIAN: ("pay", 9000, "instructed"),
        DAYAN: ("receive", 6000, "instructed"),
        XIWU: ("receive", 3000, "instructed"),
    }
    assert settlement.status == "instructed"


def test_only_the_windows_own_position_is_settled_not_what_came_later(bank: Database, confirmed: str) -> None:
    eat(bank, DAYAN)
    settle(bank, confirmed)
    assert owed(bank) == {SHANGTIAN: 60, DAYAN: -60}
    assert position_minutes(bank, None) == {SHANGTIAN: -60, DAYAN: 60}


def test_a_window_without_anything_is_settled_at_once(bank: Database) -> None:
    window = close(bank)
    settlement = settle(bank, window)
    assert (settlement.status, payments_of(bank, window)) == ("completed", {})


def test_settling_is_refused_where_it_does_not_fit(bank: Database) -> None:
    def settling(actor: Any, window: str = "2026-03") -> Call:
        return lambda s: clearing.settle_window(s, actor=actor, window_name=window)

    eat(bank, DAYAN)
    refused(bank, "window_still_open", settling(district()))
    window = close(bank)
    refused(bank, "window_not_reviewed", settling(district()))
    confirm_all(bank, window)
    refused(bank, "district_only", settling(steward(DAYAN)))
    refused(bank, "window_unknown", settling(district(), "2031-01"))
    settle(bank, window)
    refused(bank, "window_already_settled", settling(district()))


def test_of_two_who_settle_at_once_one_settles(bank: Database, confirmed: str) -> None:
    answers = at_once(
        bank, [lambda s: clearing.settle_window(s, actor=district(), window_name=confirmed) for _ in range(2)]
    )
    assert codes_of(answers) == ["ok", "window_already_settled"]
    assert owed(bank) == {}


def test_a_payment_is_paid_once_under_its_own_reference(bank: Database, confirmed: str) -> None:
    settle(bank, confirmed)
    payments = payments_of(bank, confirmed)

    def pay(code: str, reference: str, actor: Any = None) -> Call:
        return lambda s: clearing.payment_paid(
            s, actor=actor or district(), payment_id=payments[code].id, outside_reference=reference
        )

    refused(bank, "district_only", pay(SHANGTIAN, "国库-1", steward(SHANGTIAN)))
    refused(bank, "reference_needed", pay(SHANGTIAN, " "))
    refused(bank, "payment_unknown", lambda s: clearing.payment_paid(
        s, actor=district(), payment_id=new_id(), outside_reference="国库-1"))  # fmt: skip
    do(bank, pay(SHANGTIAN, "国库-1"))
    do(bank, pay(SHANGTIAN, "国库-1"))
    refused(bank, "payment_ended", pay(SHANGTIAN, "国库-2"))
    refused(bank, "reference_reused", pay(DAYAN, "国库-1"))
    do(bank, pay(DAYAN, "国库-2"))
    with bank.session() as session:
        assert session.scalars(select(Settlement.status)).one() == "instructed"
    do(bank, pay(XIWU, "国库-3"))
    with bank.session() as session:
        assert session.scalars(select(Settlement.status)).one() == "completed"


def test_a_failed_payment_is_instructed_again_and_keeps_its_history(bank: Database, confirmed: str) -> None:
    settle(bank, confirmed)
    first = payments_of(bank, confirmed)[DAYAN]
    refused(bank, "payment_not_failed", lambda s: clearing.instruct_again(s, actor=district(), payment_id=first.id))
    do(bank, lambda s: clearing.payment_failed(s, actor=district(), payment_id=first.id, problem="户名不符"))
    refused(bank, "payment_ended", lambda s: clearing.payment_paid(
        s, actor=district(), payment_id=first.id, outside_reference="国库-9"))  # fmt: skip
    again = do(bank, lambda s: clearing.instruct_again(s, actor=district(), payment_id=first.id))
    assert (again.attempt, again.amount_fen, again.direction) == (2, first.amount_fen, "receive")
    refused(bank, "payment_standing", lambda s: clearing.instruct_again(s, actor=district(), payment_id=first.id))
    for number, payment in enumerate(payments_of(bank, confirmed).values()):
        do(bank, lambda s, p=payment, n=number: clearing.payment_paid(
            s, actor=district(), payment_id=p.id, outside_reference=f"国库-{n}"))  # fmt: skip
    with bank.session() as session:
        assert session.scalars(select(Settlement.status)).one() == "completed"
        states = session.scalars(select(Payment.state).where(Payment.township_code == DAYAN).order_by(Payment.attempt))
        assert list(states) == ["failed", "paid"]


def test_an_aborted_settlement_is_undone_by_new_transfers_and_its_window_settled_again(
    bank: Database, confirmed: str
) -> None:
    settle(bank, confirmed)
    with bank.session() as session:
        rows = session.execute(select(func.count()).select_from(Transfer)).scalar_one()
    abort(bank, confirmed)
    assert owed(bank) == {SHANGTIAN: 180, DAYAN: -120, XIWU: -60}
    assert clearing_balances(bank) == {f"{SHANGTIAN} clearing": 180, f"{DAYAN} clearing": -120, f"{XIWU} clearing": -60}
    assert {p.state for p in payments_of(bank, confirmed).values()} == {"withdrawn"}
    with bank.session() as session:
        assert session.execute(select(func.count()).select_from(Transfer)).scalar_one() == rows + 6
        assert find_window(session, confirmed).status == "under_review"
    assert settle(bank, confirmed).attempt == 2
    assert owed(bank) == {}


def test_nothing_is_aborted_once_something_is_paid(bank: Database, confirmed: str) -> None:
    def aborting(actor: Any, reason: str = "账号有误") -> Call:
        return lambda s: clearing.abort_settlement(s, actor=actor, window_name=confirmed, reason=reason)

    refused(bank, "window_not_settled", aborting(district()))
    settle(bank, confirmed)
    refused(bank, "district_only", aborting(steward(XIWU)))
    refused(bank, "reason_needed", aborting(district(), " "))
    payment = payments_of(bank, confirmed)[XIWU]
    do(bank, lambda s: clearing.payment_paid(s, actor=district(), payment_id=payment.id, outside_reference="国库-1"))
    refused(bank, "settlement_already_paid", aborting(district()))


def test_by_policy_minutes_are_carried_into_the_open_window_instead_of_paid(bank: Database) -> None:
    carry_from_now_on(bank)
    eat(bank, DAYAN, meals=2)
    first = closed_and_confirmed(bank)
    settlement = settle(bank, first)
    assert (settlement.status, payments_of(bank, first)) == ("completed", {})
    assert position_minutes(bank, None) == {SHANGTIAN: -120, DAYAN: 120}
    assert owed(bank) == {SHANGTIAN: 120, DAYAN: -120}
    # And again, on top of what is new.
    eat(bank, DAYAN)
    second = closed_and_confirmed(bank)
    settle(bank, second)
    assert position_minutes(bank, second) == position_minutes(bank, None) == {SHANGTIAN: -180, DAYAN: 180}
    assert owed(bank) == {SHANGTIAN: 180, DAYAN: -180}


def test_carried_meals_stay_meals_so_that_they_are_paid_at_their_price(bank: Database) -> None:
    prices = {"meal": 1800, "care": 6000, "aid": 900}
    do(bank, lambda s: change_policy(s, "reference_price_fen_per_hour", prices))
    carry_from_now_on(bank)
    eat(bank, DAYAN)
    settle(bank, closed_and_confirmed(bank))
    clock.freeze(NINE + timedelta(days=1))
    do(bank, lambda s: change_policy(s, "clearing_settlement_method", "pay"))
    last = closed_and_confirmed(bank)
    settle(bank, last)
    assert {code: p.amount_fen for code, p in payments_of(bank, last).items()} == {SHANGTIAN: 1800, DAYAN: 1800}


def test_a_carried_settlement_is_undone_only_while_the_window_it_went_into_is_open(bank: Database) -> None:
    carry_from_now_on(bank)
    eat(bank, DAYAN)
    first = closed_and_confirmed(bank)
    settle(bank, first)
    abort(bank, first)
    assert (position_minutes(bank, None), owed(bank)) == ({}, {SHANGTIAN: 60, DAYAN: -60})
    settle(bank, first)
    close(bank)
    refused(bank, "carried_window_closed", lambda s: clearing.abort_settlement(
        s, actor=district(), window_name=first, reason="来不及"))  # fmt: skip


def test_a_price_missing_for_the_day_keeps_the_window_open(bank: Database) -> None:
    do(bank, lambda s: change_policy(s, "reference_price_fen_per_hour", {"care": 3000}))
    clock.freeze(NINE + timedelta(hours=1))
    eat(bank, DAYAN)
    refused(bank, "price_missing", lambda s: clearing.close_window(s, actor=district(), window_name="2026-03"))
    clock.freeze(NINE + timedelta(days=1))
    do(bank, lambda s: change_policy(s, "reference_price_fen_per_hour", {"care": 3000, "meal": 1200}))
    clock.freeze(NINE + timedelta(days=2))
    window = closed_and_confirmed(bank)
    settle(bank, window)
    assert payments_of(bank, window)[DAYAN].amount_fen == 1200


def test_a_window_closed_late_has_the_prices_of_its_last_moment(bank: Database) -> None:
    eat(bank, DAYAN)
    do(bank, lambda s: change_policy(s, "reference_price_fen_per_hour", {"meal": 6000, "care": 6000}, at=APRIL))
    clock.freeze(APRIL + timedelta(seconds=30))
    window = do(bank, lambda s: clearing.close_due_window(s, window_name="2026-03"))
    assert (window.ends_at, window.closed_at, window.prices["meal"]) == (APRIL, clock.now(), 3000)


def test_where_a_window_cannot_be_closed_in_time_the_district_hears_of_it_once_a_day(bank: Database) -> None:
    do(bank, lambda s: change_policy(s, "reference_price_fen_per_hour", {"care": 3000}))
    clock.freeze(NINE + timedelta(hours=1))
    eat(bank, DAYAN)
    for moment in (APRIL, APRIL + timedelta(minutes=1), APRIL + timedelta(days=1)):
        clock.freeze(moment)
        assert do(bank, lambda s: clearing.close_due_window(s, window_name="2026-03")).code == "price_missing"
    told = select(Notice.body).where(Notice.title == "2026-03 到期未能关账")
    with bank.session() as session:
        assert ["助餐" in body for body in session.scalars(told)] == [True, True]
        assert find_window(session, None).name == "2026-03"


def test_a_later_price_does_not_change_what_was_closed(bank: Database, confirmed: str) -> None:
    clock.freeze(NINE + timedelta(days=1))
    do(bank, lambda s: change_policy(s, "reference_price_fen_per_hour", {"meal": 9000, "care": 9000, "aid": 9000}))
    settle(bank, confirmed)
    assert payments_of(bank, confirmed)[SHANGTIAN].amount_fen == 9000


def test_minutes_that_net_to_nothing_may_still_be_owed_in_money(bank: Database) -> None:
    do(bank, lambda s: change_policy(s, "reference_price_fen_per_hour", {"meal": 1200, "care": 3000, "aid": 900}))
    eat(bank, DAYAN)
    with bank.unit_of_work() as session:
        volunteer, elder = add_person(session, SHANGTIAN), add_elder(session, DAYAN)
        task = ask(session, elder)
    serve(bank, volunteer, task)
    confirm(bank, elder, task)
    window = closed_and_confirmed(bank)
    assert position_minutes(bank, window) == {}
    settle(bank, window)
    paid = {code: (p.direction, p.amount_fen) for code, p in payments_of(bank, window).items()}
    assert paid == {DAYAN: ("pay", 1800), SHANGTIAN: ("receive", 1800)}


def test_closing_twice_is_refused_and_two_at_once_close_one_window(bank: Database) -> None:
    answers = at_once(
        bank, [lambda s: clearing.close_window(s, actor=district(), window_name="2026-03") for _ in range(3)]
    )
    assert codes_of(answers) == ["ok", "window_already_closed", "window_already_closed"]
    refused(bank, "window_already_closed", lambda s: clearing.close_window(
        s, actor=district(), window_name="2026-03"))  # fmt: skip
    refused(bank, "district_only", lambda s: clearing.close_window(
        s, actor=steward(XIWU), window_name="2026-03-2"))  # fmt: skip


def test_a_window_is_due_when_its_months_are_over(bank: Database) -> None:
    clock.freeze(APRIL - timedelta(microseconds=1))
    assert do(bank, clearing.windows_due) == []
    clock.freeze(APRIL)
    assert do(bank, clearing.windows_due) == ["2026-03"]
    do(bank, lambda s: change_policy(s, "clearing_window_months", 2))
    assert do(bank, clearing.windows_due) == []
