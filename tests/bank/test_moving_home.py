"""Whoever moves to another township takes the savings along through clearing; nothing is lost on the way."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from tests.factories.minutes import grant_minutes, posted_in
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_person, clerk, district, staff, steward
from tests.factories.tasks import NINE
from tests.factories.vouchers import holder_with, scan
from timebank.audit.models import AuditEntry
from timebank.clearing.actions import MovedHome, close_window, move_home
from timebank.clearing.queries import matrix, positions
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError, Conflict
from timebank.core.ids import new_id
from timebank.ledger.actions import end_hold, ensure_accounts, place_hold, post_one, reverse, township_accounts
from timebank.ledger.models import Account, Transfer
from timebank.ledger.queries import balance_of, statement
from timebank.ledger.rules import AccountKind, Movement, second_leg_id
from timebank.notifications.actions import notices_for
from timebank.people.models import Person
from timebank.redemption.actions import buy_vouchers, refund_voucher


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def settled_in(bank: Database, minutes: int = 300) -> Actor:
    """Somebody of 尚田 with savings."""
    with bank.unit_of_work() as session:
        return holder_with(session, minutes) if minutes else add_person(session, SHANGTIAN, age=66)


def move(bank: Database, person: Actor, township_code: str, actor: Actor | None = None) -> MovedHome:
    with bank.unit_of_work() as session:
        return move_home(
            session,
            actor=actor or district(),
            person_id=person.person(),
            township_code=township_code,
            evidence="户口迁移证2026-118号",
        )


def savings_accounts(bank: Database, person: Actor) -> list[tuple[str, int, bool]]:
    """Book, minutes, and whether it is open, of each savings account the person ever had."""
    with bank.session() as session:
        query = select(Account.book_code, Account.posted, Account.closed_at.is_(None))
        query = query.where(Account.person_id == person.person(), Account.kind == AccountKind.SAVINGS)
        return [(book, posted, is_open) for book, posted, is_open in session.execute(query.order_by(Account.id))]


def owing(bank: Database) -> dict[tuple[str, str], tuple[int, int]]:
    with bank.session() as session:
        _, lines = matrix(session, window_name=None)
    return {(x.debtor_township_code, x.creditor_township_code): (x.minutes, x.transfers) for x in lines}


def test_savings_go_along_as_one_transfer_through_clearing(bank: Database) -> None:
    mover, letting_go = settled_in(bank), steward(SHANGTIAN)
    moved = move(bank, mover, DAYAN, letting_go)
    assert (moved.from_township_code, moved.to_township_code, moved.moved_minutes) == (SHANGTIAN, DAYAN, 300)
    assert savings_accounts(bank, mover) == [(SHANGTIAN, 0, False), (DAYAN, 300, True)]
    assert owing(bank) == {(SHANGTIAN, DAYAN): (300, 1)}
    with bank.session() as session:
        assert session.get_one(Person, mover.person()).township_code == DAYAN
        legs = session.scalars(select(Transfer).where(Transfer.kind == "savings_moved").order_by(Transfer.seq)).all()
    assert [leg.id for leg in legs] == [moved.transfer_id, second_leg_id(legs[0].id)]
    said = {(leg.cause_kind, leg.cause_id, leg.recorded_by, leg.note) for leg in legs}
    assert said == {("move", mover.person(), letting_go.login_id, "由尚田街道迁至大堰镇")}


def test_who_has_no_savings_just_moves(bank: Database) -> None:
    with bank.unit_of_work() as session:
        newcomer, emptied = add_person(session, XIWU), add_person(session, XIWU)
        ensure_accounts(session, [(emptied.person(), XIWU)], AccountKind.SAVINGS)
    for person in (newcomer, emptied):
        assert move(bank, person, DAYAN) == MovedHome(person.person(), XIWU, DAYAN, 0, None)
    assert savings_accounts(bank, newcomer) == []
    assert savings_accounts(bank, emptied)[0] == (XIWU, 0, False)
    assert owing(bank) == {}


def test_there_and_back_again_opens_a_new_account_and_keeps_the_whole_statement(bank: Database) -> None:
    mover = settled_in(bank)
    first = move(bank, mover, DAYAN)
    clock.freeze(NINE + timedelta(days=1))
    second = move(bank, mover, SHANGTIAN, steward(DAYAN))
    assert savings_accounts(bank, mover) == [(SHANGTIAN, 0, False), (DAYAN, 0, False), (SHANGTIAN, 300, True)]
    assert owing(bank) == {(SHANGTIAN, DAYAN): (300, 1), (DAYAN, SHANGTIAN): (300, 1)}
    with bank.session() as session:
        lines = statement(session, mover.person(), limit=9)
        assert balance_of(session, mover.person()).available_minutes == 300
    assert [(line.minutes, line.balance_minutes) for line in lines] == [
        *((300, 300), (-300, 0)),
        *((300, 300), (-300, 0)),
        (300, 300),
    ]
    # And away once more: what is emptied is the account of now, not the one of then.
    assert move(bank, mover, XIWU).moved_minutes == 300
    assert savings_accounts(bank, mover)[2:] == [(SHANGTIAN, 0, False), (XIWU, 300, True)]
    made_by = [second.transfer_id] * 2 + [first.transfer_id] * 2
    assert [line.transfer_id for line in lines][:4] == made_by
    assert [line.counterpart_book_code for line in lines] == [DAYAN, SHANGTIAN, SHANGTIAN, DAYAN, SHANGTIAN]


def test_what_is_held_keeps_its_holder_until_it_is_free(bank: Database) -> None:
    mover, hold_id, cause_id = settled_in(bank), new_id(), new_id()
    until = NINE + timedelta(days=2)
    with bank.unit_of_work() as session:
        account_id = ensure_accounts(session, [(mover.person(), SHANGTIAN)], AccountKind.SAVINGS)[mover.person()]
        asked = {"account_id": account_id, "amount": 90, "expires_at": until}
        place_hold(session, hold_id=hold_id, cause_kind="care_booking", cause_id=cause_id, **asked)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="minutes_held:") as raised:
        move(bank, mover, DAYAN)
    assert raised.value.facts == {
        "held_minutes": 90,
        "held_for": [{"cause_kind": "care_booking", "cause_id": str(cause_id), "minutes": 90}],
        "held_until": until,
    }
    assert raised.value.detail == "1项预约冻结了1小时30分钟，请先办结或取消这些预约，再办理迁出。"
    assert savings_accounts(bank, mover) == [(SHANGTIAN, 300, True)]
    with bank.unit_of_work() as session:
        end_hold(session, hold_id=hold_id)
    assert move(bank, mover, DAYAN).moved_minutes == 300


def test_vouchers_bought_before_stay_good_and_are_owed_by_the_old_township(bank: Database) -> None:
    mover = settled_in(bank)
    with bank.unit_of_work() as session:
        eaten, given_back = buy_vouchers(session, actor=mover, quantity=2)
        counter = clerk(add_canteen(session, XIWU))
    move(bank, mover, DAYAN)
    assert owing(bank) == {(SHANGTIAN, DAYAN): (180, 1)}
    assert scan(bank, counter, eaten.code).verdict.accepted
    assert owing(bank) == {(SHANGTIAN, DAYAN): (180, 1), (SHANGTIAN, XIWU): (60, 1)}
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=mover, voucher_id=given_back.id)
    assert savings_accounts(bank, mover) == [(SHANGTIAN, 0, False), (DAYAN, 240, True)]
    assert owing(bank) == {(SHANGTIAN, DAYAN): (240, 2), (SHANGTIAN, XIWU): (60, 1)}


def test_granted_minutes_stay_with_who_granted_them_and_can_be_spent_from_afar(bank: Database) -> None:
    mover = settled_in(bank, 30)
    with bank.unit_of_work() as session:
        grant_minutes(session, mover, 60, expires_on=clock.today() + timedelta(days=30))
    assert move(bank, mover, DAYAN).moved_minutes == 30
    with bank.session() as session:
        assert balance_of(session, mover.person()).available_minutes == 90
        granted = select(Account.book_code, Account.posted).where(Account.kind == AccountKind.GRANTED)
        assert session.execute(granted).all() == [(SHANGTIAN, 60)]
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=mover, quantity=1)
        assert posted_in(session, AccountKind.GRANTED, mover) == 0
    assert owing(bank) == {(SHANGTIAN, DAYAN): (90, 2)}


def test_a_move_belongs_to_the_window_in_which_it_happens(bank: Database) -> None:
    mover = settled_in(bank)
    move(bank, mover, DAYAN)
    clock.freeze(NINE + timedelta(days=30))
    with bank.unit_of_work() as session:
        close_window(session, actor=district(), window_name="2026-03")
    move(bank, mover, XIWU)
    assert owing(bank) == {(DAYAN, XIWU): (300, 1)}


def test_the_person_and_both_townships_are_told_and_it_is_written_down(bank: Database) -> None:
    mover, letting_go = settled_in(bank, 90), steward(SHANGTIAN)
    move(bank, mover, DAYAN, letting_go)
    with bank.session() as session:
        own = notices_for(session, person_id=mover.person(), limit=9)
        by_township = {code: notices_for(session, township_code=code, limit=9) for code in (SHANGTIAN, DAYAN, XIWU)}
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.action == "person_moved"))
    assert [(notice.title, "1小时30分钟储蓄时长随人迁移" in notice.body) for notice in own] == [("登记已迁移", True)]
    titles = {code: [notice.title for notice in notices] for code, notices in by_township.items()}
    assert titles == {SHANGTIAN: ["有人员迁出"], DAYAN: ["有人员迁入"], XIWU: []}
    assert (entry.login_id, entry.subject_kind, entry.subject_id) == (
        letting_go.login_id,
        "person",
        str(mover.person()),
    )
    assert entry.facts == {
        "from_township_code": SHANGTIAN,
        "to_township_code": DAYAN,
        "minutes": 90,
        "evidence": "户口迁移证2026-118号",
    }


NOBODY = UUID("019aa000-0000-7000-8000-000000000000")


@pytest.mark.parametrize(
    ("code", "actor", "changed"),
    [
        ("already_there", district(), {"township_code": SHANGTIAN}),
        ("township_unknown", district(), {"township_code": "330213999"}),
        ("evidence_missing", district(), {"evidence": " \n"}),
        ("person_unknown", district(), {"person_id": NOBODY}),
        ("other_township", steward(DAYAN), {}),
        ("other_township", steward(XIWU), {}),
        ("steward_only", staff(StaffRole.AUDITOR), {}),
        ("steward_only", staff(StaffRole.AUDITOR), {"person_id": NOBODY}),
    ],
)
def test_whoever_may_not_or_says_too_little_moves_nobody(
    bank: Database, code: str, actor: Actor, changed: dict[str, object]
) -> None:
    mover = settled_in(bank)
    asked = {"person_id": mover.person(), "township_code": DAYAN, "evidence": "户口迁移证", **changed}
    with pytest.raises(BankError) as raised, bank.unit_of_work() as session:
        move_home(session, actor=actor, **asked)  # type: ignore[arg-type]
    assert raised.value.code == code
    assert savings_accounts(bank, mover) == [(SHANGTIAN, 300, True)]
    with bank.session() as session:
        assert session.get_one(Person, mover.person()).township_code == SHANGTIAN


def test_a_person_cannot_move_themselves(bank: Database) -> None:
    mover = settled_in(bank)
    with pytest.raises(BankError, match="steward_only:"):
        move(bank, mover, DAYAN, mover)


def credited_by_xiwu(bank: Database, person: Actor) -> Movement:
    """An hour and a half in 尚田's book, for help in 西坞."""
    with bank.unit_of_work() as session:
        issuance = township_accounts(session, [XIWU], AccountKind.ISSUANCE)[XIWU]
        savings = ensure_accounts(session, [(person.person(), SHANGTIAN)], AccountKind.SAVINGS)[person.person()]
        credit = Movement(new_id(), issuance, savings, 90, "back_fill_credit", NINE)
        post_one(session, (credit,))
    return credit


@pytest.mark.parametrize("elsewhere", [[DAYAN], [DAYAN, SHANGTIAN]])
def test_what_was_credited_wrongly_before_a_move_is_taken_back_through_the_account_it_went_into(
    bank: Database, elsewhere: list[str]
) -> None:
    mover = settled_in(bank, 0)
    credit = credited_by_xiwu(bank, mover)
    for code in elsewhere:
        move(bank, mover, code)
    with bank.unit_of_work() as session:
        reverse(session, actor=steward(XIWU), transfer_id=credit.id, reason="记错了人")
        assert reverse(session, actor=district(), transfer_id=credit.id, reason="同意")[0] == "reversed"
    assert [posted for _, posted, _ in savings_accounts(bank, mover)] == [0] * (len(elsewhere) + 1)
    with bank.session() as session:
        _, found = positions(session, window_name=None)
        assert {p.township_code: p.position_minutes for p in found if p.position_minutes} == {}
        assert balance_of(session, mover.person()).available_minutes == 0


def test_what_was_credited_wrongly_and_spent_after_a_move_cannot_be_taken_back(bank: Database) -> None:
    mover = settled_in(bank, 0)
    credit = credited_by_xiwu(bank, mover)
    move(bank, mover, DAYAN)
    with bank.unit_of_work() as session:
        buy_vouchers(session, actor=mover, quantity=1)
        reverse(session, actor=steward(XIWU), transfer_id=credit.id, reason="记错了人")
    with pytest.raises(BankError, match="insufficient_minutes:"), bank.unit_of_work() as session:
        reverse(session, actor=district(), transfer_id=credit.id, reason="同意")
    assert savings_accounts(bank, mover)[-1] == (DAYAN, 30, True)


@pytest.mark.parametrize(("mark", "code"), [("left_at", "person_left"), ("death_reported_at", "person_frozen")])
def test_whoever_has_left_or_is_reported_dead_stays_registered_where_they_are(
    bank: Database, mark: str, code: str
) -> None:
    mover = settled_in(bank)
    with bank.unit_of_work() as session:
        setattr(session.get_one(Person, mover.person()), mark, clock.now())
    with pytest.raises(Conflict, match=f"{code}:"):
        move(bank, mover, DAYAN)
    assert savings_accounts(bank, mover) == [(SHANGTIAN, 300, True)]
