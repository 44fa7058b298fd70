"""Bills of providers: every captured minute on exactly one, corrections in the next, an issued one for ever."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import openpyxl
import pytest
from sqlalchemy import func, select, text

from tests.factories.care import add_provider, assigned, booked, carer, confirmed, elder_with, send, visit
from tests.factories.minutes import grant_minutes
from tests.factories.people import DAYAN, XIWU, add_canteen, clerk, district, staff, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.clock import LOCAL
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.importing.care_bill_workbook import write_care_bill
from timebank.ledger.actions import reverse
from timebank.ledger.models import Transfer
from timebank.ledger.queries import balance_of
from timebank.redemption.care import actions as care
from timebank.redemption.care.models import CareBill, CareCharge
from timebank.redemption.care.queries import ProviderView
from timebank.redemption.care.queries.bills import BillView, bill_lines, every_bill_line, must_see_bills, see_bill

APRIL = datetime(2026, 4, 1, tzinfo=LOCAL)
Pair = tuple[Actor, ProviderView]


@pytest.fixture
def pair(bank: Database) -> Pair:
    """An elder of 西坞 with ten hours and a provider there of grade 3, paid 3,100 fen an hour."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        prices = {"0": 3000, "1": 3000, "2": 3000, "3": 3100, "4": 3000, "5": 4000}
        change_policy(session, "care_fen_per_hour_by_grade", prices)
        return elder_with(session, 600), add_provider(session, grade=3, name="西坞护理院")


def seen(bank: Database, provider: ProviderView, month: str = "2026-03") -> BillView:
    with bank.session() as session:
        return see_bill(session, provider_id=provider.provider_id, month=month)


def issue_all(bank: Database) -> list[tuple[UUID, str]]:
    with bank.session() as session:
        due = care.bills_due(session, limit=9)
    for provider_id, month in due:
        with bank.unit_of_work() as session:
            assert care.issue_due_bill(session, provider_id=provider_id, month=month)
    return due


def undo(bank: Database, booking_id: UUID) -> int:
    """Reverse every transfer of a visit, by two stewards, and let the job take it off the bill."""
    with bank.unit_of_work() as session:
        first = select(Transfer.id).where(
            Transfer.cause_id == booking_id,
            Transfer.reverses_id.is_(None),
            Transfer.link_id.is_(None) | (Transfer.link_id == Transfer.id),
        )
        for transfer_id in session.scalars(first).all():
            reverse(session, actor=steward(XIWU), transfer_id=transfer_id, reason="记错")
            reverse(session, actor=district(), transfer_id=transfer_id, reason="同意")
    with bank.session() as session:
        due = care.uncharged_reversals(session, limit=9)
    for transfer_id in due:
        with bank.unit_of_work() as session:
            assert care.charge_reversal(session, transfer_id=transfer_id)
        with bank.unit_of_work() as session:
            assert not care.charge_reversal(session, transfer_id=transfer_id)
    return len(due)


def test_a_month_says_what_was_captured_by_service_and_each_line_is_rounded_once(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    for minutes in (50, 50, 0.1):
        confirmed(bank, elder, provider, minutes=minutes)
    bathing = send(bank, booked(bank, elder, service="bathing"), provider)
    visit(bank, bathing, provider, minutes=80)
    with bank.unit_of_work() as session:
        care.confirm(session, actor=elder, booking_id=bathing.id, accept_excess_minutes=20)
    late = assigned(bank, elder, provider)
    clock.freeze(late.starts_at - timedelta(minutes=1))
    with bank.unit_of_work() as session:
        care.cancel(session, actor=elder, booking_id=late.id)
    month = seen(bank, provider)
    assert not month.issued
    assert [(s.service_name, s.lines, s.minutes, s.fen) for s in month.services] == [
        ("助浴", 1, 80, 4133),
        ("生活照料", 3, 130, 2583 + 2583 + 1550),
    ]
    assert (month.minutes, month.fen) == (210, 10849)
    with bank.session() as session:
        lines = bill_lines(session, provider_id=provider.provider_id, month="2026-03", limit=9)
    assert [(line.kind, line.served_minutes, line.minutes, line.fen, line.grade) for line in lines] == [
        ("visit", 50, 50, 2583, 3),
        ("visit", 50, 50, 2583, 3),
        ("visit", 80, 80, 4133, 3),
        ("late_cancel", None, 30, 1550, 3),
    ]


def test_a_later_grade_or_price_does_not_change_what_was_earned(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    confirmed(bank, elder, provider)
    with bank.unit_of_work() as session:
        offer = care.Offer(grade=5)
        care.change_provider(session, actor=district(), provider_id=provider.provider_id, offer=offer)
    confirmed(bank, elder, provider)
    assert seen(bank, provider).fen == 3100 + 4000


def test_a_finished_month_is_issued_once_and_its_corrections_come_later(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    with bank.unit_of_work() as session:
        grant_minutes(session, elder, 20, expires_on=date(2026, 12, 31))
    done = confirmed(bank, elder, provider, minutes=50)
    confirmed(bank, elder, provider, minutes=40)
    assert issue_all(bank) == []
    clock.freeze(APRIL)
    assert issue_all(bank) == [(provider.provider_id, "2026-03")]
    assert issue_all(bank) == []
    march = seen(bank, provider)
    assert (march.issued, march.issued_by_name, march.minutes, march.fen) == (True, "系统", 90, 2583 + 2067)
    before = balance_of_elder(bank, elder)
    assert undo(bank, done.id) == 2
    assert balance_of_elder(bank, elder) == before + 50
    assert seen(bank, provider) == march
    april = seen(bank, provider, "2026-04")
    assert (april.issued, april.lines, april.minutes, april.fen) == (False, 2, -50, -2583)
    clock.freeze(datetime(2026, 5, 1, tzinfo=LOCAL))
    assert issue_all(bank) == [(provider.provider_id, "2026-04")]
    assert seen(bank, provider, "2026-04").issued
    assert seen(bank, provider, "2026-05").lines == 0


def balance_of_elder(bank: Database, elder: Actor) -> int:
    with bank.session() as session:
        return balance_of(session, elder.person()).available_minutes


def test_a_line_that_comes_late_goes_onto_the_next_bill(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    confirmed(bank, elder, provider)
    clock.freeze(APRIL)
    issue_all(bank)
    # A unit of work that was still open when March was issued, and had taken its time before midnight.
    clock.freeze(APRIL - timedelta(days=2))
    confirmed(bank, elder, provider, minutes=30)
    clock.freeze(APRIL + timedelta(minutes=1))
    assert seen(bank, provider).minutes == 60
    assert seen(bank, provider, "2026-04").minutes == 30
    assert issue_all(bank) == []
    clock.freeze(datetime(2026, 5, 1, tzinfo=LOCAL))
    assert issue_all(bank) == [(provider.provider_id, "2026-04")]
    with bank.session() as session:
        assert session.scalar(select(func.count()).where(CareCharge.bill_id.is_(None))) == 0


def test_months_that_were_forgotten_are_issued_each_by_itself(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    confirmed(bank, elder, provider)
    clock.freeze(APRIL)
    confirmed(bank, elder, provider, minutes=30)
    clock.freeze(datetime(2026, 7, 1, tzinfo=LOCAL))
    assert issue_all(bank) == [(provider.provider_id, "2026-03"), (provider.provider_id, "2026-04")]
    assert (seen(bank, provider).minutes, seen(bank, provider, "2026-04").minutes) == (60, 30)


def test_a_bill_is_issued_by_a_steward_of_the_providers_township_and_asked_twice_is_the_same(
    bank: Database, pair: Pair
) -> None:
    elder, provider = pair
    confirmed(bank, elder, provider)

    def issue(actor: Actor, month: str = "2026-03") -> CareBill:
        with bank.unit_of_work() as session:
            return care.issue_bill(session, actor=actor, provider_id=provider.provider_id, month=month)

    for actor, code in ((steward(DAYAN), "other_township"), (carer(provider), "steward_only"), (elder, "steward_only")):
        with pytest.raises(BankError, match=code):
            issue(actor)
    with pytest.raises(BankError, match="month_not_finished"):
        issue(steward(XIWU))
    clock.freeze(APRIL)
    with pytest.raises(BankError, match="nothing_to_bill"):
        issue(steward(XIWU), "2026-02")
    with pytest.raises(BankError, match="month_invalid"):
        issue(steward(XIWU), "2026-2")
    assert issue(steward(XIWU)).id == issue(district()).id


def test_who_may_see_a_bill(bank: Database, pair: Pair) -> None:
    _, provider = pair
    with bank.unit_of_work() as session:
        other = add_provider(session, DAYAN)
        at_the_counter = clerk(add_canteen(session, XIWU))

    def asks(actor: Actor, provider_id: UUID | None) -> str:
        with bank.session() as session:
            try:
                assert must_see_bills(session, actor, provider_id) == provider.provider_id
            except BankError as refusal:
                return refusal.code
        return "ok"

    assert asks(carer(provider), None) == asks(carer(provider), provider.provider_id) == "ok"
    assert asks(carer(other), provider.provider_id) == "books_not_yours"
    for actor in (steward(XIWU), district(), staff(StaffRole.AUDITOR)):
        assert asks(actor, provider.provider_id) == "ok"
    assert asks(steward(DAYAN), provider.provider_id) == "other_township"
    assert asks(at_the_counter, provider.provider_id) == "books_not_yours"
    assert asks(pair[0], provider.provider_id) == "books_not_yours"
    assert asks(district(), None) == "care_provider_needed"


def test_a_reversal_undoes_one_minute_of_rounding_at_most_once(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    with bank.unit_of_work() as session:
        # 1 + 49 minutes at 3,100 fen: 52 + 2,532 when rounded by themselves, but 2,583 together.
        grant_minutes(session, elder, 1, expires_on=date(2026, 12, 31))
    done = confirmed(bank, elder, provider, minutes=50)
    undo(bank, done.id)
    assert (seen(bank, provider).minutes, seen(bank, provider).fen) == (0, 0)


def test_the_workbook_says_what_the_bill_says(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    done = confirmed(bank, elder, provider, minutes=50)
    confirmed(bank, elder, provider)
    clock.freeze(APRIL)
    issue_all(bank)
    file = io.BytesIO()
    with bank.session() as session:
        lines = every_bill_line(session, provider_id=provider.provider_id, month="2026-03")
        write_care_bill(file, see_bill(session, provider_id=provider.provider_id, month="2026-03"), lines)
    book = openpyxl.load_workbook(file)
    totals = [[cell.value for cell in row] for row in book["合计"].iter_rows()]
    assert totals[0][0] == "西坞护理院 2026-03 居家养老月度账单"
    assert ["生活照料", 2, 110, "1小时50分钟", 56.83] in totals
    assert ["合计", 2, 110, "1小时50分钟", 56.83] in totals
    rows = [[cell.value for cell in row] for row in book["明细"].iter_rows(min_row=2)]
    assert rows[0][2:11] == ["生活照料", "周桂芬", "服务", 50, 50, "50分钟", "3A", 31, 25.83]
    assert rows[0][12] == str(done.id)
    assert rows[0][1] == datetime(2026, 3, 11, 9)
    assert len(rows) == 2


def test_what_was_served_at_the_very_end_of_a_month_belongs_to_it(bank: Database, pair: Pair) -> None:
    elder, provider = pair
    clock.freeze(datetime(2026, 3, 31, 15, 0, tzinfo=UTC) - timedelta(days=1))
    confirmed(bank, elder, provider, minutes=59.99)
    assert (seen(bank, provider).minutes, seen(bank, provider, "2026-04").minutes) == (60, 0)
    with bank.session() as session:
        assert care.bills_due(session, limit=9) == []
        assert session.execute(text("SELECT count(*) FROM care_bill")).scalar_one() == 0
