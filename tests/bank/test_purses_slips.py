"""Cash at the counter: slips, caps, drawers, who sees what, and that history stays."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.canteens import canteen_clerk, open_canteen
from tests.factories.diners import approved_diner
from tests.factories.orders import MORNING, PORK, a_diner, a_kitchen, placed
from tests.factories.people import DAYAN, XIWU, add_person, district, staff, steward
from tests.factories.purses import served, topped_up
from timebank.canteens.network.actions import suspend
from timebank.canteens.purses.actions import find_diner, hand_in, pay_back, top_up
from timebank.canteens.purses.models import PurseSlip, TillHandIn
from timebank.canteens.purses.queries import Purse, drawer_fen, purses_of
from timebank.canteens.purses.views import purse_for, statement_for, till_for
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.people.actions import register_proxy
from timebank.people.models import Person
from timebank.supervision.verify import verify


@pytest.fixture(autouse=True)
def _in_the_morning() -> None:
    clock.freeze(MORNING)


def code(session: Session, deed: object, **how: object) -> str:
    with pytest.raises(BankError) as raised, session.begin_nested():
        deed(session, **how)  # type: ignore[operator]
    return raised.value.code


def purse(session: Session, person: Actor) -> Purse:
    return purses_of(session, [person.person()])[person.person()]


def test_cash_goes_into_a_purse_and_back_out_with_a_slip_each(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen, diner = open_canteen(session), approved_diner(session)
        clerk = canteen_clerk(canteen)
        slip = top_up(session, actor=clerk, person_id=diner.person(), amount_fen=5000, note="收据7")
        assert (slip.kind, slip.amount_fen, slip.on_day, slip.made_by_name) == (
            "top_up",
            5000,
            MORNING.date(),
            clerk.name,
        )
        transfer = session.get_one(Transfer, slip.transfer_id)
        assert (transfer.kind, transfer.cause_id, transfer.note) == ("purse_top_up", slip.id, "收据7")
        assert transfer.policy_version is not None
        pay_back(session, actor=clerk, person_id=diner.person(), amount_fen=1500)
        assert purse(session, diner) == Purse(3500, 0)
        assert drawer_fen(session, canteen.id) == 3500


def test_no_large_prepayments(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen, diner = open_canteen(session), approved_diner(session)
        how = {"actor": canteen_clerk(canteen), "person_id": diner.person()}
        assert code(session, top_up, **how, amount_fen=20_001) == "top_up_too_large"
        topped_up(session, diner, canteen, 50_000)
        assert code(session, top_up, **how, amount_fen=1) == "purse_full"
        assert code(session, top_up, **how, amount_fen=0) == "amount_invalid"


def test_what_is_held_for_a_meal_is_not_paid_back_nor_what_the_drawer_lacks(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session), a_diner(session, fen=0)
        topped_up(session, diner, kitchen.canteen, 1500)
        held = placed(session, kitchen, diner, PORK).elder_fen
        how = {"person_id": diner.person()}
        with pytest.raises(BankError) as raised, session.begin_nested():
            pay_back(session, actor=kitchen.clerk, **how, amount_fen=1500 - held + 1)
        assert (raised.value.code, raised.value.facts["available_fen"]) == ("insufficient_fen", 1500 - held)
        elsewhere = canteen_clerk(open_canteen(session, DAYAN))
        assert code(session, pay_back, actor=elsewhere, **how, amount_fen=1) == "drawer_short"
        pay_back(session, actor=kitchen.clerk, **how, amount_fen=1500 - held)


def test_only_a_clerk_takes_cash_at_an_open_counter_of_somebody_who_is_here(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen, diner = open_canteen(session), approved_diner(session)
        clerk = canteen_clerk(canteen)
        for actor in (district(), steward(XIWU), diner, staff(StaffRole.CANTEEN_CLERK, XIWU)):
            for deed in (top_up, pay_back):
                assert code(session, deed, actor=actor, person_id=diner.person(), amount_fen=100) == "clerk_only"
        topped_up(session, diner, canteen, 100)
        session.get_one(Person, diner.person()).death_reported_at = clock.now()
        session.flush()
        assert code(session, top_up, actor=clerk, person_id=diner.person(), amount_fen=100) == "person_frozen"
        # What is in it may belong to heirs.
        assert code(session, pay_back, actor=clerk, person_id=diner.person(), amount_fen=100) == "person_frozen"
        suspend(session, actor=steward(XIWU), canteen_id=canteen.id, reason="停水")
        another = approved_diner(session)
        assert code(session, top_up, actor=clerk, person_id=another.person(), amount_fen=100) == "canteen_not_open"


def test_a_drawer_is_handed_in_by_the_townships_steward_up_to_what_it_holds(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen = open_canteen(session)
        topped_up(session, approved_diner(session), canteen, 3000)
        how = {"canteen_id": canteen.id, "reference": "缴001"}
        assert code(session, hand_in, actor=steward(DAYAN), **how, amount_fen=1) == "other_township"
        assert code(session, hand_in, actor=canteen_clerk(canteen), **how, amount_fen=1) == "steward_only"
        assert code(session, hand_in, actor=steward(XIWU), **how, amount_fen=3001) == "drawer_short"
        hand_in(session, actor=steward(XIWU), **how, amount_fen=2000)
        how["reference"] = "缴002"
        assert code(session, hand_in, actor=steward(XIWU), **how, amount_fen=1001) == "drawer_short"
        till = till_for(session, actor=canteen_clerk(canteen))
        assert (till.drawer_fen, [one.amount_fen for one in till.hand_ins]) == (1000, [2000])
        assert till_for(session, actor=staff(StaffRole.AUDITOR), canteen_id=canteen.id).drawer_fen == 1000
        for actor in (steward(DAYAN), canteen_clerk(open_canteen(session, DAYAN))):
            assert code(session, till_for, actor=actor, canteen_id=canteen.id) == "till_not_yours"


def test_a_purse_is_seen_by_whom_it_concerns(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen, diner = open_canteen(session), approved_diner(session)
        helper = add_person(session, XIWU, age=45, name="周小敏")
        register_proxy(
            session,
            actor=district(),
            elder_id=diner.person(),
            proxy_id=helper.person(),
            relation="女儿",
            consent_evidence="委托书1号",
        )
        clerk, how = canteen_clerk(canteen), {"person_id": diner.person()}
        assert code(session, purse_for, actor=clerk, **how) == "purse_unknown"
        topped_up(session, diner, canteen, 700)
        for actor in (diner, helper, steward(XIWU), district(), staff(StaffRole.AUDITOR), clerk):
            assert purse_for(session, actor=actor, **how)[1] == Purse(700, 0)
        strangers = (steward(DAYAN), canteen_clerk(open_canteen(session, DAYAN)), add_person(session, XIWU))
        for actor in strangers:
            assert code(session, purse_for, actor=actor, **how) == "purse_unknown"
            assert code(session, statement_for, actor=actor, **how, limit=5) == "purse_unknown"
        assert code(session, statement_for, actor=clerk, **how, limit=5) == "purse_unknown"
        assert purse_for(session, actor=helper)[1] == Purse(0, 0)


def test_a_statement_tells_every_fen_with_its_meal_and_place_page_by_page(bank: Database) -> None:
    with bank.unit_of_work() as session:
        kitchen, diner = a_kitchen(session, name="西坞食堂"), a_diner(session, fen=0)
        assert statement_for(session, actor=diner, person_id=None, limit=5) == []
        topped_up(session, diner, kitchen.canteen, 3000)
        order = placed(session, kitchen, diner, PORK)
        served(session, kitchen, order)
        pay_back(session, actor=kitchen.clerk, person_id=diner.person(), amount_fen=100)
        lines = statement_for(session, actor=diner, person_id=None, limit=10)
        assert [(line.kind, line.fen) for line in lines] == [
            ("purse_pay_back", -100),
            ("meal_elder", -order.elder_fen),
            ("purse_top_up", 3000),
        ]
        assert lines[0].balance_fen == 2900 - order.elder_fen
        assert (lines[1].order_id, lines[1].canteen_id, lines[1].canteen_name) == (
            order.id,
            kitchen.canteen.id,
            "西坞食堂",
        )
        assert "午餐" in lines[1].sentence
        assert lines[0].order_id is None
        first = statement_for(session, actor=diner, person_id=None, limit=1)
        rest = statement_for(session, actor=diner, person_id=None, limit=5, before=first[0].version)
        assert first + rest == lines


def test_a_clerk_finds_somebody_by_name_and_last_four_with_the_purse(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen, diner = open_canteen(session), approved_diner(session)
        topped_up(session, diner, canteen, 700)
        someone = session.get_one(Person, diner.person())
        how = {"name": someone.name, "id_last_four": someone.id_number[-4:]}
        found = find_diner(session, actor=canteen_clerk(canteen), **how)
        assert [(one.diner.person_id, one.purse) for one in found] == [(diner.person(), Purse(700, 0))]
        assert code(session, find_diner, actor=steward(XIWU), **how) == "clerk_only"


def test_two_clerks_at_once_never_fill_a_purse_beyond_its_cap_nor_empty_a_drawer_twice(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen, diner = open_canteen(session), approved_diner(session)
        topped_up(session, diner, canteen, 40_000)
        clerk, person_id = canteen_clerk(canteen), diner.person()

    def once(deed: object, amount: int) -> str | None:
        try:
            with bank.unit_of_work() as session:
                deed(session, actor=clerk, person_id=person_id, amount_fen=amount)  # type: ignore[operator]
        except BankError as refusal:
            return refusal.code
        return None

    with ThreadPoolExecutor(6) as pool:
        topped = list(pool.map(lambda _: once(top_up, 4000), range(6)))
        paid = list(pool.map(lambda _: once(pay_back, 20_000), range(6)))
    assert sorted(map(str, topped)) == ["None"] * 2 + ["purse_full"] * 4
    assert sorted(map(str, paid)) == ["None"] * 2 + ["insufficient_fen"] * 4


def a_slip(bank: Database) -> UUID:
    with bank.unit_of_work() as session:
        canteen = open_canteen(session)
        topped_up(session, approved_diner(session), canteen, 700)
        hand_in(session, actor=steward(XIWU), canteen_id=canteen.id, amount_fen=300, reference="缴001")
        return session.scalars(select(PurseSlip.id)).one()


def test_a_receipt_of_a_drawers_cash_is_entered_once(bank: Database) -> None:
    a_slip(bank)
    with bank.session() as session:
        canteen_id = session.scalars(select(TillHandIn.canteen_id)).one()
    with bank.unit_of_work() as session, pytest.raises(Conflict, match="reference_already_entered"):
        hand_in(session, actor=steward(XIWU), canteen_id=canteen_id, amount_fen=300, reference="缴001")
    again = text("""INSERT INTO till_hand_in (id, canteen_id, amount_fen, reference, received_at, received_by,
        received_by_name, transfer_id)
    SELECT :id, canteen_id, amount_fen, reference, received_at, received_by, received_by_name, :id
    FROM till_hand_in""")
    with bank.session() as session, pytest.raises(DBAPIError, match="entered before"):
        session.execute(again, {"id": new_id()})


@pytest.mark.parametrize("table", ["purse_slip", "till_hand_in"])
@pytest.mark.parametrize("change", ["UPDATE {} SET amount_fen = 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_slips_and_hand_ins_are_history(bank: Database, table: str, change: str) -> None:
    a_slip(bank)
    with bank.session() as session, pytest.raises(DBAPIError, match="never changed or removed"):
        session.execute(text(change.format(table)))


@pytest.mark.parametrize(
    ("table", "change", "check"),
    [
        ("purse_slip", "UPDATE purse_slip SET amount_fen = 701", "purse_slips_posted"),
        ("purse_slip", "UPDATE purse_slip SET kind = 'pay_back'", "purse_slips_posted"),
        ("purse_slip", "DELETE FROM purse_slip", "cash_transfers_written_down"),
        ("till_hand_in", "UPDATE till_hand_in SET amount_fen = 301", "till_hand_ins_posted"),
        ("till_hand_in", "DELETE FROM till_hand_in", "cash_transfers_written_down"),
    ],
)
def test_verify_notices_what_was_tampered_with(unverified_bank: Database, table: str, change: str, check: str) -> None:
    a_slip(unverified_bank)
    with unverified_bank.unit_of_work() as session:
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        session.execute(text(change))
        session.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    with unverified_bank.session() as session:
        assert [one.check.name for one in verify(session) if one.misfit is not None] == [check]
