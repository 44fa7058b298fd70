"""Many at the same voucher at the same moment; many scans at the same call."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from tests.factories.people import DAYAN, XIWU, add_canteen, clerk
from tests.factories.tasks import NINE
from tests.factories.threads import at_once, codes_of
from tests.factories.vouchers import bought
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.queries import balance_of
from timebank.redemption.actions import ScanAnswer, expire_voucher, redeem_vouchers, refund_voucher
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan


def test_one_voucher_scanned_by_twenty_at_once_is_accepted_once_and_all_are_told_right(bank: Database) -> None:
    clock.freeze(NINE)
    _, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        counters = [clerk(add_canteen(session, (XIWU, DAYAN)[n % 2])) for n in range(5)]
    answers = at_once(
        bank,
        [
            lambda s, n=n: redeem_vouchers(s, actor=counters[n % 5], scans=[Scan(voucher.code, f"n{n}")])[0]
            for n in range(20)
        ],
    )
    verdicts = [answer.verdict for answer in answers if isinstance(answer, ScanAnswer)]
    assert sorted(v.reason for v in verdicts) == ["already_redeemed"] * 19 + ["ok"]
    [accepted] = [v for v in verdicts if v.accepted]
    assert {(v.redeemed_at, v.canteen_id, v.voucher_id) for v in verdicts} == {(NINE, accepted.canteen_id, voucher.id)}


def test_one_nonce_sent_many_times_at_once_is_one_scan(bank: Database) -> None:
    clock.freeze(NINE)
    _, [voucher] = bought(bank)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
    answers = at_once(bank, [lambda s: redeem_vouchers(s, actor=counter, scans=[Scan(voucher.code, "same")])[0]] * 8)
    found = [answer for answer in answers if isinstance(answer, ScanAnswer)]
    assert [answer.verdict.reason for answer in found] == ["ok"] * 8
    assert sorted(answer.replayed for answer in found) == [False] + [True] * 7


def test_of_a_refund_and_a_meal_at_once_exactly_one_happens(bank: Database) -> None:
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        counter = clerk(add_canteen(session, DAYAN))
    for _ in range(4):
        holder, [voucher] = bought(bank)
        [eaten, refunded] = at_once(
            bank,
            [
                lambda s, v=voucher: redeem_vouchers(s, actor=counter, scans=[Scan(v.code, str(new_id()))])[0],
                lambda s, v=voucher, h=holder: refund_voucher(s, actor=h, voucher_id=v.id).status,
            ],
        )
        assert isinstance(eaten, ScanAnswer)
        with bank.session() as session:
            left = balance_of(session, holder.person()).available_minutes
        if eaten.verdict.accepted:
            assert (codes_of([refunded]), left) == (["voucher_not_refundable"], 0)
        else:
            assert (eaten.verdict.reason, refunded, left) == ("voucher_void", "refunded", 60)


def test_a_voucher_expires_once_however_many_processes_run_the_job(bank: Database) -> None:
    clock.freeze(NINE)
    holder, [voucher] = bought(bank)
    clock.freeze(voucher.expires_at)
    answers = at_once(bank, [lambda s: (expire_voucher(s, voucher_id=voucher.id),)] * 5)
    assert sorted(answers, key=str) == [(False,)] * 4 + [(True,)]
    with bank.session() as session:
        assert balance_of(session, holder.person()).available_minutes == 60


def test_batches_that_share_vouchers_in_any_order_neither_block_nor_double(bank: Database) -> None:
    clock.freeze(NINE)
    _, vouchers = bought(bank, 12)
    with bank.unit_of_work() as session:
        counters = [clerk(add_canteen(session, DAYAN)) for _ in range(4)]
    codes = [voucher.code for voucher in vouchers]
    answers = at_once(
        bank,
        [
            lambda s, n=n, order=order: redeem_vouchers(
                s, actor=counters[n], scans=[Scan(code, f"n{i}") for i, code in enumerate(order)]
            )
            for n, order in enumerate((codes, codes[::-1], codes[5:] + codes[:5], codes[::-1]))
        ],
    )
    accepted = [
        a.verdict.voucher_id for batch in answers if isinstance(batch, list) for a in batch if a.verdict.accepted
    ]
    assert sorted(accepted, key=str) == sorted((v.id for v in vouchers), key=str)


def let_time_be_over(session: Session, voucher: Voucher) -> None:
    """A voucher whose last moment is now; nobody but a test sets it, so the guard has to look away."""
    session.execute(text("ALTER TABLE voucher DISABLE TRIGGER voucher_guarded"))
    session.execute(update(Voucher).where(Voucher.id == voucher.id).values(expires_at=NINE))
    session.execute(text("ALTER TABLE voucher ENABLE TRIGGER voucher_guarded"))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scans=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 7)), max_size=12),
    spoilt=st.lists(st.sampled_from(["refund", "expire", "none"]), min_size=4, max_size=4),
)
def test_a_batch_of_scans_is_answered_as_one_by_one(
    bank: Database, scans: list[tuple[int, int]], spoilt: list[str]
) -> None:
    """Twice the same holder and canteen anew; code 4 is unknown, code 5 no code; nonces repeat."""
    told = []
    for batched in (True, False):
        clock.freeze(NINE)
        holder, vouchers = bought(bank, 4)
        with bank.unit_of_work() as session:
            counter = clerk(add_canteen(session, DAYAN))
            for voucher, how in zip(vouchers, spoilt, strict=True):
                if how == "refund":
                    refund_voucher(session, actor=holder, voucher_id=voucher.id)
                elif how == "expire":
                    let_time_be_over(session, voucher)
        codes = [*(v.code for v in vouchers), "22222222222", "?"]
        asked = [Scan(codes[which], f"n{nonce}") for which, nonce in scans]
        answers: list[ScanAnswer] = []
        for group in [asked] if batched else [[one] for one in asked]:
            with bank.unit_of_work() as session:
                answers += redeem_vouchers(session, actor=counter, scans=group)
        numbers = {voucher.id: number for number, voucher in enumerate(vouchers)}
        with bank.session() as session:
            left = balance_of(session, holder.person())
        told.append(
            (
                [
                    (a.verdict.reason, numbers.get(a.verdict.voucher_id) if a.verdict.voucher_id else None, a.replayed)
                    for a in answers
                ],
                (left.available_minutes, left.voucher_minutes),
            )
        )
    assert told[0] == told[1]
