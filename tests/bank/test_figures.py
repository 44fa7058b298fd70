"""Figures by month: what they tie to, what a reversal does to them, and that keeping them changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.factories.care import add_provider, confirmed, elder_with
from tests.factories.clearing import eat
from tests.factories.orders import MORNING, a_diner, a_kitchen, at_hour, give_money, placed
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, steward
from tests.factories.policies import change_policy
from tests.factories.reversals import reversed_by_two
from tests.factories.tasks import NINE, ask, confirm, serve
from timebank.canteens.counter.actions import serve_order
from timebank.core import clock
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.supervision.figures import queries
from timebank.supervision.figures.actions import close_month, months_to_close, sum_up_days

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
IN_APRIL = datetime(2026, 4, 2, 9, tzinfo=LOCAL)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def figures(bank: Database, month: str = "2026-03", township_code: str | None = None) -> Mapping[str, int]:
    """What the dashboard says of a month, without what is 0."""
    with bank.session() as session:
        found = queries.dashboard(session, township_code=township_code)
    of_month = next(one for one in found.months if one.month == month)
    return {key: amount for key, amount in of_month.figures.items() if amount}


def in_bulletin(bank: Database, month: str = "2026-03", township_code: str | None = None) -> dict[str, int]:
    """What the bulletin says of a month, without what is 0."""
    with bank.session() as session:
        found = queries.bulletin(session, month=month, township_code=township_code)
    assert all(line.amount == sum(part.amount for part in line.parts) for line in found.lines)
    return {line.key: line.amount for line in found.lines if line.amount}


def moved(bank: Database, kinds: str, account: str, side: str = "to") -> int:
    """The sum over transfers of these kinds that leave or reach accounts of a kind, by the rows themselves."""
    query = text(f"""
        SELECT coalesce(sum(t.amount), 0) FROM ledger_transfer t JOIN ledger_account a ON a.id = t.{side}_account_id
        WHERE t.kind = ANY(string_to_array(:kinds, ' ')) AND a.kind = :account""")
    with bank.session() as session:
        return int(session.execute(query, {"kinds": kinds, "account": account}).scalar_one())


def an_hour_of_help(bank: Database, *, of: str = SHANGTIAN, minutes: int = 60) -> None:
    """Somebody of one township helps an elder of 西坞."""
    with bank.unit_of_work() as session:
        elder, volunteer = add_elder(session, XIWU), add_person(session, of, roles=("volunteer",))
        task = ask(session, elder, starts_at=clock.now() + timedelta(minutes=1), minutes=minutes)
    serve(bank, volunteer, task, minutes=minutes)
    confirm(bank, elder, task)


def a_meal(bank: Database) -> None:
    clock.freeze(MORNING)
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session)
        give_money(session, kitchen.canteen.id, 10_000)
        order = placed(session, kitchen, diner)
    clock.freeze(at_hour(11))
    with bank.unit_of_work() as session:
        serve_order(session, actor=kitchen.clerk, order_id=order.id)


def sum_up(bank: Database) -> int:
    with bank.unit_of_work() as session:
        return sum_up_days(session)


def close_what_ended(bank: Database) -> list[date]:
    with bank.unit_of_work() as session:
        months = list(months_to_close(session, limit=100))
        for month in months:
            close_month(session, month=month)
    return months


def test_every_figure_ties_to_the_transfers_of_its_kind(bank: Database) -> None:
    an_hour_of_help(bank, minutes=90)
    eat(bank, DAYAN, meals=2)
    with bank.unit_of_work() as session:
        elder, provider = elder_with(session, 120), add_provider(session)
    confirmed(bank, elder, provider, minutes=60)
    a_meal(bank)
    found = figures(bank)
    assert found["earned_minutes"] == moved(bank, "service_credit back_fill_credit", "savings") == 90
    assert found["spent_meal_minutes"] == moved(bank, "voucher_redemption", "vouchers", "from") == 120
    assert found["here_meal_minutes"] == moved(bank, "voucher_redemption", "redeemed") == 120
    assert found["vouchers_used"] == 2
    assert found["spent_care_minutes"] == found["here_care_minutes"] == moved(bank, "care_use", "redeemed") == 60
    assert (found["visits"], found["visit_minutes"], found["meals"]) == (1, 60, 1)
    for share in ("elder", "government", "donation"):
        assert found.get(f"meal_{share}_fen", 0) == moved(bank, f"meal_{share}", "canteen")
    assert found["meal_elder_fen"] > 0
    assert found["savings_minutes"] == moved(bank, "opening service_credit", "savings") - moved(
        bank, "voucher_purchase care_use", "savings", "from"
    )
    assert (found["elders"], found["volunteers"], found["diners"], found["canteens_open"]) == (2, 2, 1, 1)
    said = in_bulletin(bank)
    assert {key: said[key] for key in found} == found
    assert not {"active_volunteers", "diners_served"} & set(said)
    clock.freeze(IN_APRIL)
    counted = in_bulletin(bank)
    assert (counted["active_volunteers"], counted["diners_served"]) == (1, 1)


def test_what_is_spent_counts_at_home_and_what_is_redeemed_where_it_was(bank: Database) -> None:
    eat(bank, DAYAN, meals=1, of=SHANGTIAN)
    assert figures(bank, township_code=SHANGTIAN)["spent_meal_minutes"] == 60
    assert "here_meal_minutes" not in figures(bank, township_code=SHANGTIAN)
    assert figures(bank, township_code=DAYAN) == {"here_meal_minutes": 60, "vouchers_used": 1}


def test_a_reversal_counts_against_the_figure_in_the_month_in_which_it_is_made(bank: Database) -> None:
    an_hour_of_help(bank)
    clock.freeze(IN_APRIL)
    reversed_by_two(bank, "service_credit")
    assert figures(bank, "2026-03")["earned_minutes"] == 60
    assert figures(bank, "2026-04")["earned_minutes"] == -60
    assert figures(bank, "2026-04", SHANGTIAN)["earned_minutes"] == -60


def test_summing_days_up_changes_no_figure_and_takes_each_transfer_once(bank: Database) -> None:
    eat(bank, DAYAN)
    an_hour_of_help(bank)
    before = figures(bank)
    assert sum_up(bank) > 0
    assert figures(bank) == before
    assert sum_up(bank) == 0
    an_hour_of_help(bank)
    more = figures(bank)
    assert more["earned_minutes"] == before["earned_minutes"] + 60
    sum_up(bank)
    assert figures(bank) == more
    clock.freeze(IN_APRIL)
    reversed_by_two(bank, "voucher_redemption")
    sum_up(bank)
    assert figures(bank, "2026-04")["vouchers_used"] == -1


def test_a_month_that_has_ended_reads_the_same_whatever_happens_later(bank: Database) -> None:
    an_hour_of_help(bank)
    eat(bank, DAYAN)
    with bank.unit_of_work() as session:
        elder_with(session, 30, name="吴爱莲")
    running = in_bulletin(bank)
    clock.freeze(IN_APRIL)
    march = in_bulletin(bank)
    assert march == {**running, "active_volunteers": 1}
    assert close_what_ended(bank) == [MARCH]
    assert close_what_ended(bank) == []
    with bank.session() as session:
        assert queries.bulletin(session, month="2026-03", township_code=None).status == "final"
    an_hour_of_help(bank)
    reversed_by_two(bank, "service_credit")
    with bank.unit_of_work() as session:
        session.execute(text("UPDATE person SET township_code = :code"), {"code": DAYAN})
    sum_up(bank)
    assert in_bulletin(bank) == march
    assert in_bulletin(bank, township_code=XIWU)["elders"] == 2


def test_a_month_is_closed_an_hour_after_its_end_and_never_changed(bank: Database) -> None:
    an_hour_of_help(bank)
    clock.freeze(datetime(2026, 4, 1, 0, 59, tzinfo=LOCAL))
    assert close_what_ended(bank) == []
    clock.freeze(datetime(2026, 5, 1, 1, 1, tzinfo=LOCAL))
    assert close_what_ended(bank) == [MARCH, APRIL]
    for change in ("UPDATE figure_month SET amount = 0", "DELETE FROM figure_month", "TRUNCATE figure_month"):
        with pytest.raises(DBAPIError, match="never changed"), bank.unit_of_work() as session:
            session.execute(text(change))


def test_balances_of_an_ended_month_are_those_of_its_last_moment(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder_with(session, 200)
    clock.freeze(datetime(2026, 3, 31, 23, 0, tzinfo=LOCAL))
    stood = figures(bank)["savings_minutes"]
    clock.freeze(IN_APRIL)
    with bank.unit_of_work() as session:
        elder_with(session, 500)
    close_what_ended(bank)
    assert figures(bank, "2026-03")["savings_minutes"] == stood == 200
    assert figures(bank, "2026-04")["savings_minutes"] == 700


@pytest.mark.parametrize(
    ("month", "code"), [("2026-05", "bulletin_not_yet"), ("2026-13", "month_invalid"), ("甲乙", "month_invalid")]
)
def test_a_month_that_there_is_not_has_no_bulletin(bank: Database, month: str, code: str) -> None:
    with bank.session() as session, pytest.raises(BankError) as refused:
        queries.bulletin(session, month=month, township_code=None)
    assert refused.value.code == code


def test_a_townships_steward_sees_its_own_figures_and_nobody_elses(bank: Database) -> None:
    with bank.session() as session:
        assert queries.whose_figures(session, steward(XIWU), None) == XIWU
        assert queries.whose_figures(session, district(), None) is None
        assert queries.whose_figures(session, district(), DAYAN) == DAYAN
        with pytest.raises(BankError, match="other_township"):
            queries.whose_figures(session, steward(XIWU), DAYAN)


def test_what_waits_is_counted_where_it_waits(bank: Database) -> None:
    with bank.unit_of_work() as session:
        session.execute(
            text(
                "INSERT INTO death_report (id, person_id, township_code, died_on, evidence, reported_at, reported_by,"
                " reported_by_name) SELECT gen_random_uuid(), :person, :code, '2026-03-01', '证明', now(),"
                " gen_random_uuid(), '管理员'"
            ),
            {"person": add_elder(session, XIWU).person(), "code": XIWU},
        )
    with bank.session() as session:
        here = {one.key: one.number for one in queries.dashboard(session, township_code=XIWU).waiting}
        there = {one.key: one.number for one in queries.dashboard(session, township_code=DAYAN).waiting}
    assert (here["deaths"], there["deaths"]) == (1, 0)


def test_whoever_uses_much_of_a_limit_stands_first_and_is_marked(bank: Database) -> None:
    eat(bank, DAYAN, meals=1)
    with bank.unit_of_work() as session:
        clear = queries.dashboard(session, township_code=None).limits
        assert (clear[0].township_code, clear[0].owed_minutes, clear[0].is_near) == (SHANGTIAN, 60, False)
        change_policy(session, "position_soft_limit_minutes", 65)
        change_policy(session, "position_hard_limit_minutes", 70)
        near = queries.dashboard(session, township_code=None).limits[0]
    assert (near.percent, near.is_near) == (85, True)
