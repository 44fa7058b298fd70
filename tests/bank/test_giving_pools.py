"""Pools as everybody sees them, and what verifying and the database hold gifts, donations and help to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories.giving import asked_for, giver_and_receiver, pool_of
from tests.factories.minutes import fill_pool, grant_minutes, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, add_person, district, staff, steward
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.giving.actions import approve_hardship, donate, give
from timebank.giving.queries import pool_statement, pools
from timebank.ledger.actions import ensure_accounts, post_one, reverse, sweep_lot
from timebank.ledger.rules import AccountKind, Movement
from timebank.supervision.verify import verify


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def everything_given(session: Session) -> tuple[Actor, Actor]:
    """Donations of 200 and 50 in 西坞, of which 120 help the elder; and a gift of 30 to her."""
    daughter, elder = giver_and_receiver(session)
    donor = add_person(session, XIWU, name="林志远")
    save_minutes(session, donor, 250)
    donate(session, actor=donor, minutes=200, note="悄悄的", from_group="西坞志愿队")
    donate(session, actor=donor, minutes=50)
    approve_hardship(session, actor=district(), hardship_id=asked_for(session, elder, 120).id)
    give(session, actor=daughter, to_person_id=elder.person(), minutes=30)
    return donor, elder


def test_a_pool_shows_what_is_in_it_what_came_and_what_was_given(bank: Database) -> None:
    with bank.unit_of_work() as session:
        donor, _ = everything_given(session)
        fill_pool(session, XIWU, 7)
        for actor in (steward(DAYAN), district(), staff(StaffRole.AUDITOR)):
            seen = {p.township_code: p for p in pools(session, actor=actor)}
            assert len(seen) == 12
            here = seen[XIWU]
            assert (here.balance_minutes, here.donated_minutes, here.given_minutes) == (137, 250, 120)
            assert seen[DAYAN].balance_minutes == 0
        for actor in (donor, staff(StaffRole.CANTEEN_CLERK, XIWU)):
            [own] = pools(session, actor=actor)
            assert (own.township_name, own.balance_minutes) == ("西坞街道", 137)
        with pytest.raises(BankError, match="registration_needed:"):
            pools(session, actor=Actor(new_id(), "新来的"))


def test_a_pools_statement_masks_names_but_for_its_stewards(bank: Database) -> None:
    with bank.unit_of_work() as session:
        donor, _ = everything_given(session)
        expected = [(-120, 130, "hardship_help"), (50, 250, "donation"), (200, 200, "donation")]
        for actor in (donor, staff(StaffRole.AUDITOR), steward(DAYAN), steward(XIWU), district()):
            lines = pool_statement(session, actor=actor, township_code=XIWU, limit=9)
            assert [(line.minutes, line.balance_minutes, line.kind) for line in lines] == expected
            full = actor.stewards(XIWU)
            names = ["周桂芬", "林志远", "林志远"] if full else ["周**", "林**", "林**"]
            assert [line.person_name for line in lines] == names
            assert [line.from_group for line in lines] == [None, None, "西坞志愿队"]
            assert {line.note for line in lines} == ({"困难帮扶", "", "以西坞志愿队名义捐赠"} if full else {""})
        for actor, wanted, code in (
            (donor, DAYAN, "other_township"),
            (staff(StaffRole.CANTEEN_CLERK, DAYAN), XIWU, "other_township"),
            (district(), None, "township_needed"),
            (district(), "330213999", "township_unknown"),
            (Actor(new_id(), "新来的"), None, "registration_needed"),
        ):
            with pytest.raises(BankError, match=f"{code}:"):
                pool_statement(session, actor=actor, township_code=wanted, limit=9)


def test_a_statement_goes_on_page_by_page_and_names_people_of_other_townships(bank: Database) -> None:
    with bank.unit_of_work() as session:
        pool = fill_pool(session, XIWU, 100)
        helper = add_person(session, DAYAN, name="陈建国")
        savings = ensure_accounts(session, [(helper.person(), DAYAN)], AccountKind.SAVINGS)[helper.person()]
        for minutes in (10, 20):
            paid = Movement(new_id(), pool, savings, minutes, "opening", clock.now(), "test", new_id())
            post_one(session, (paid,))
        lines = pool_statement(session, actor=steward(XIWU), limit=2)
        assert [(line.minutes, line.person_name) for line in lines] == [(-20, "陈建国"), (-10, "陈建国")]
        rest = pool_statement(session, actor=steward(XIWU), limit=2, before=lines[-1].version)
        assert [(line.minutes, line.person_name, line.kind) for line in rest] == [(100, None, "opening")]


def test_what_was_undone_counts_neither_as_donated_nor_as_given(bank: Database) -> None:
    with bank.unit_of_work() as session:
        donor, _ = everything_given(session)
        for line in pool_statement(session, actor=steward(XIWU), limit=2):
            reverse(session, actor=steward(XIWU), transfer_id=line.transfer_id, reason="记错了")
            reverse(session, actor=district(), transfer_id=line.transfer_id, reason="同意")
        [here] = pools(session, actor=donor)
        assert (here.balance_minutes, here.donated_minutes, here.given_minutes) == (200, 200, 0)
        names = [line.person_name for line in pool_statement(session, actor=steward(XIWU), limit=2)]
        assert names == ["林志远", "周桂芬"]


def test_help_that_is_not_used_comes_back_to_the_pool_it_came_from(bank: Database) -> None:
    with bank.unit_of_work() as session:
        everything_given(session)
        asked = session.execute(text("SELECT expires_on FROM giving_hardship_request")).scalar_one()
        lot = session.execute(text("SELECT id FROM ledger_account WHERE kind = 'granted'")).scalar_one()
        clock.freeze(clock.day_start(asked))
        assert sweep_lot(session, account_id=lot) == 0
        clock.freeze(clock.day_start(asked.replace(day=asked.day + 1)))
        assert sweep_lot(session, account_id=lot) == 120
        assert pool_of(session, XIWU) == 250


def without_guards(session: Session, statement: str) -> None:
    for table in ("giving_gift", "giving_donation", "giving_hardship_request"):
        session.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
    session.execute(text(statement))


def stray(kind: str) -> Callable[[Session], None]:
    """A transfer of this kind that nothing was written for."""

    def post(session: Session) -> None:
        one, other = add_person(session, XIWU), add_person(session, DAYAN)
        source, target = save_minutes(session, one, 10), save_minutes(session, other, 10)
        post_one(session, (Movement(new_id(), source, target, 5, kind, clock.now()),))

    return post


TAMPERED: dict[str, tuple[Callable[[Session], None] | str, str]] = {
    "a gift of other minutes": ("UPDATE giving_gift SET minutes = 31", "gift_moved"),
    "a gift to somebody else": (
        "UPDATE giving_gift SET receiver_id = (SELECT donor_id FROM giving_donation LIMIT 1)",
        "gift_moved",
    ),
    "a gift from somebody else": (
        "UPDATE giving_gift SET giver_id = (SELECT donor_id FROM giving_donation LIMIT 1)",
        "gift_moved",
    ),
    "a gift under another id": ("UPDATE giving_gift SET id = gen_random_uuid()", "gift_moved"),
    "a gift that is gone": ("DELETE FROM giving_gift", "giving_transfers_kept"),
    "a donation of other minutes": ("UPDATE giving_donation SET minutes = minutes + 1", "donation_moved"),
    "a donation to another pool": (f"UPDATE giving_donation SET township_code = '{DAYAN}'", "donation_moved"),
    "a donation that is gone": ("DELETE FROM giving_donation WHERE minutes = 50", "giving_transfers_kept"),
    "help of other minutes": ("UPDATE giving_hardship_request SET minutes = 1", "hardship_help_moved"),
    "help that expires later": (
        "UPDATE giving_hardship_request SET expires_on = expires_on + 1",
        "hardship_help_moved",
    ),
    "help that was never approved": (
        """UPDATE giving_hardship_request SET status = 'waiting', transfer_id = NULL, expires_on = NULL,
           decided_at = NULL, decided_by = NULL, decided_by_name = NULL""",
        "giving_transfers_kept",
    ),
    "a gift that nobody wrote down": (stray("gift"), "giving_transfers_kept"),
    "a donation that nobody wrote down": (stray("donation"), "giving_transfers_kept"),
}


@pytest.mark.parametrize("attempt", TAMPERED)
def test_verifying_finds_whatever_does_not_fit_its_transfer(unverified_bank: Database, attempt: str) -> None:
    bank = unverified_bank
    with bank.unit_of_work() as session:
        everything_given(session)
    with bank.session() as session:
        assert [v.check.name for v in verify(session) if v.misfit is not None] == []
    tampering, check = TAMPERED[attempt]
    with bank.unit_of_work() as session:
        if isinstance(tampering, str):
            without_guards(session, tampering)
        else:
            tampering(session)
    with bank.session() as session:
        assert [v.check.name for v in verify(session) if v.misfit is not None] == [check]


_GIFT = """INSERT INTO giving_gift (id, giver_id, receiver_id, minutes, relation, note, given_at, given_by,
           given_by_name, transfer_id) SELECT {id}, giver_id, receiver_id, {minutes}, relation, note, given_at,
           given_by, given_by_name, {transfer} FROM giving_gift LIMIT 1"""
_FREE = "(SELECT min(id::text)::uuid FROM ledger_transfer WHERE kind = 'opening')"
_WAITING = """INSERT INTO giving_hardship_request (id, person_id, township_code, minutes, reason, evidence,
              circumstances, requested_at, requested_by, requested_by_name, status)
              SELECT gen_random_uuid(), person_id, township_code, minutes, reason, evidence, circumstances,
              requested_at, requested_by, requested_by_name, 'waiting' FROM giving_hardship_request LIMIT 1"""
_APPROVE = """UPDATE giving_hardship_request SET status = 'approved', decided_at = now(), decided_by = {by},
              decided_by_name = '某', transfer_id = {transfer}, expires_on = {until} WHERE status = 'waiting'"""
GUARDS: dict[str, tuple[list[str], str]] = {
    "a gift rewritten": (["UPDATE giving_gift SET note = 'x'"], "never changed or removed"),
    "a gift removed": (["DELETE FROM giving_gift"], "never changed or removed"),
    "gifts emptied": (["TRUNCATE giving_gift"], "never changed or removed"),
    "a donation rewritten": (["UPDATE giving_donation SET minutes = 1"], "never changed or removed"),
    "a donation removed": (["DELETE FROM giving_donation"], "never changed or removed"),
    "donations emptied": (["TRUNCATE giving_donation"], "never changed or removed"),
    "a gift without its transfer": (
        [_GIFT.format(id="gen_random_uuid()", minutes=30, transfer=_FREE)],
        "does not fit its transfer",
    ),
    "a gift that shares a transfer": (
        [_GIFT.format(id="gen_random_uuid()", minutes=30, transfer="transfer_id")],
        "does not fit its transfer",
    ),
    "a donation without its transfer": (
        [
            f"""INSERT INTO giving_donation (id, donor_id, township_code, minutes, note, donated_at, donated_by,
            donated_by_name, transfer_id) SELECT gen_random_uuid(), donor_id, township_code, minutes, note, donated_at,
            donated_by, donated_by_name, {_FREE} FROM giving_donation LIMIT 1"""
        ],
        "does not fit its transfer",
    ),
    "help rewritten": (["UPDATE giving_hardship_request SET reason = 'x'"], "never changes"),
    "help decided again": (
        [
            """UPDATE giving_hardship_request SET status = 'declined', decline_reason = 'x', transfer_id = NULL,
            expires_on = NULL"""
        ],
        "decided once",
    ),
    "help removed": (["DELETE FROM giving_hardship_request"], "never changes"),
    "requests emptied": (["TRUNCATE giving_hardship_request"], "never changed or removed"),
    "a request that begins declined": (
        [
            _WAITING.replace(
                "requested_by_name, status)",
                "requested_by_name, status, decline_reason, decided_at, decided_by, decided_by_name)",
            ).replace("'waiting' FROM", "'declined', 'x', now(), requested_by, '某' FROM")
        ],
        "begins waiting",
    ),
    "help approved by who asked for it": (
        [_WAITING, _APPROVE.format(by="requested_by", transfer="(SELECT transfer_id FROM giving_gift)", until="now()")],
        "does not fit its transfer|second_person",
    ),
    "help approved without its transfer": (
        [_WAITING, _APPROVE.format(by="gen_random_uuid()", transfer=_FREE, until="now()")],
        "does not fit its transfer",
    ),
    "help approved without any": (
        [_WAITING, _APPROVE.format(by="gen_random_uuid()", transfer="NULL", until="NULL")],
        "does not fit its transfer|approved_paid",
    ),
}


@pytest.mark.parametrize("attempt", GUARDS)
def test_the_database_keeps_what_was_given(bank: Database, attempt: str) -> None:
    with bank.unit_of_work() as session:
        everything_given(session)
    statements, named = GUARDS[attempt]
    with bank.session() as session:
        for statement in statements[:-1]:
            session.execute(text(statement))
        with pytest.raises(DBAPIError, match=named):
            session.execute(text(statements[-1]))


def test_the_second_person_stands_in_the_table_itself(unverified_bank: Database) -> None:
    """Without the trigger that looks at the transfer, the row alone refuses it."""
    with unverified_bank.unit_of_work() as session:
        everything_given(session)
    with pytest.raises(DBAPIError, match="second_person"), unverified_bank.unit_of_work() as session:
        without_guards(session, "UPDATE giving_hardship_request SET decided_by = requested_by")


def test_granted_lots_are_no_hardship_help(bank: Database) -> None:
    """An allotment beside it, with the same last day, is none of the pool's."""
    with bank.unit_of_work() as session:
        elder = add_elder(session, XIWU)
        fill_pool(session, XIWU, 60)
        asked = approve_hardship(session, actor=district(), hardship_id=asked_for(session, elder, 60).id)
        assert asked.expires_on is not None
        grant_minutes(session, add_elder(session, SHANGTIAN), 30, expires_on=asked.expires_on)
        assert {p.given_minutes for p in pools(session, actor=district())} == {0, 60}
