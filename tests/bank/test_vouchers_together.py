"""Scans of several counters as one batch: decided as one after another, in the same few statements."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.bank.test_offline_batches import forged, statements_counted
from tests.bank.test_vouchers_at_once import let_time_be_over
from tests.factories.leaving import report
from tests.factories.offline import losses_of, texts_of
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, clerk, district, steward
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.ledger.queries import balance_of
from timebank.redemption.actions import (
    ScanAnswer,
    Scanned,
    make_signing_key,
    redeem_at_counters,
    refund_voucher,
    reissue_vouchers,
)
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan

HOUR = timedelta(hours=1)
HOMES = (SHANGTIAN, DAYAN, XIWU, SHANGTIAN, SHANGTIAN)
FATES = ["none", "none", "none", "refunded", "here", "elsewhere", "lost", "expired", "home_only", "dead"]

Asked = tuple[int, list[tuple[int, int, int, bool, bool]]]
"""Which counter (3 is a steward's desk, 4 a canteen that is gone), and its scans: which voucher (5 forged, 6 unknown,
7 no code), which nonce, how many hours ago, signed, off the line."""

scans = st.tuples(st.integers(0, 7), st.integers(0, 5), st.integers(-1, 90), st.booleans(), st.booleans())
asked_of_counters = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, 1, 2, 3, 4]), st.lists(scans, min_size=1, max_size=3)), max_size=8
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(asked=asked_of_counters, fates=st.lists(st.sampled_from(FATES), min_size=5, max_size=5))
def test_a_batch_of_several_counters_is_decided_as_one_after_another(
    bank: Database, asked: list[Asked], fates: list[str]
) -> None:
    assert lived(bank, asked, fates, together=True) == lived(bank, asked, fates, together=False)


def test_also_where_two_counters_have_the_same_voucher_and_the_fund_pays_for_one(bank: Database) -> None:
    asked: list[Asked] = [
        (0, [(0, 0, 1, False, False), (1, 1, 60, True, True)]),
        (1, [(0, 0, 1, False, False), (1, 0, 50, True, True)]),
        (1, [(1, 1, 50, True, True), (2, 2, 0, False, False)]),
        (2, [(1, 1, 50, True, True), (2, 2, 0, False, False)]),
        (3, [(3, 0, 0, False, False)]),
        (0, [(3, 0, 0, False, False), (3, 3, 0, False, False)]),
        (4, [(4, 0, 0, False, False)]),
    ]
    fates = ["none"] * 5
    told, lost, *left = lived(bank, asked, fates, together=True)
    assert [one if isinstance(one, str) else [said[0] for said in one] for one in told] == [
        ["ok", "ok"],
        ["already_redeemed", "nonce_reused"],
        ["already_redeemed", "ok"],
        ["already_redeemed", "already_redeemed"],
        "clerk_only",
        ["nonce_reused", "ok"],
        "canteen_unknown",
    ]
    assert [reason for _, reason, _ in lost] == ["eaten_twice", "eaten_twice"]
    assert [told, lost, *left] == lived(bank, asked, fates, together=False)


def lived(bank: Database, asked: Sequence[Asked], fates: Sequence[str], *, together: bool) -> list[Any]:
    """What everybody is told, what the fund pays, what people have left, what was posted and what townships owe."""
    clock.freeze(NINE)
    with bank.unit_of_work() as session:
        make_signing_key(session)
        canteens = [add_canteen(session, code) for code in (XIWU, DAYAN, SHANGTIAN)]
        owed_before, latest = owed(session), session.scalar(select(func.max(Transfer.seq))) or 0
    counters = [*(clerk(one) for one in canteens), steward(XIWU), clerk_of_nothing()]
    holders, vouchers = a_voucher_each(bank, fates, counters)
    texts = texts_of(bank, vouchers)
    codes = [*(one.code for one in vouchers), forged(vouchers[0]), "22222222222", "?"]
    clock.freeze(NINE + 80 * HOUR)
    calls = [
        Scanned(
            counters[which],
            [
                Scan(
                    texts[one] if signed and one < len(texts) else codes[one],
                    f"n{nonce}",
                    clock.now() - ago * HOUR,
                    offline,
                )
                for one, nonce, ago, signed, offline in of_one
            ],
        )
        for which, of_one in asked
    ]
    numbers: dict[object, object] = {one.id: number for number, one in enumerate(vouchers)}
    numbers |= {one.id: number for number, one in enumerate(canteens)}
    names = {one.name: f"食堂{number}号" for number, one in enumerate(canteens)}
    told = [said_of(one, numbers, names) for one in answered(bank, calls, together=together)]
    lost = sorted((numbers[x.voucher_id], x.reason, x.eaten_at) for x in losses_of(bank) if x.voucher_id in numbers)
    with bank.session() as session:
        left = [balance_of(session, one.person()) for one in holders]
        moved = select(Transfer.kind, Transfer.book_code, Transfer.amount, Transfer.effective_at)
        posted = sorted(tuple(row) for row in session.execute(moved.where(Transfer.seq > latest)))
        owing = {code: minutes - owed_before[code] for code, minutes in owed(session).items()}
    return [told, lost, [(one.available_minutes, one.voucher_minutes) for one in left], posted, owing]


def clerk_of_nothing() -> Actor:
    canteen = type("Gone", (), {"township_code": XIWU, "id": new_id()})
    return clerk(canteen)  # type: ignore[arg-type]


def answered(bank: Database, calls: Sequence[Scanned], *, together: bool) -> list[list[ScanAnswer] | BankError]:
    if together:
        with bank.unit_of_work() as session:
            return redeem_at_counters(session, calls)
    answers: list[list[ScanAnswer] | BankError] = []
    for call in calls:
        of_one: list[ScanAnswer] = []
        for one in call.scans:
            with bank.unit_of_work() as session:
                [said] = redeem_at_counters(session, [Scanned(call.actor, [one])])
            if isinstance(said, BankError):
                answers.append(said)
                break
            of_one += said
        else:
            answers.append(of_one)
    return answers


def said_of(answer: list[ScanAnswer] | BankError, numbers: dict[object, object], names: dict[str, str]) -> Any:
    if isinstance(answer, BankError):
        return answer.code
    return [
        (
            *(one.verdict.reason, numbers.get(one.verdict.voucher_id), numbers.get(one.verdict.canteen_id)),
            *(one.verdict.redeemed_at, one.verdict.loss_id is not None, one.replayed, one.holder_name),
            renamed(one.sentence, names),
        )
        for one in answer
    ]


def renamed(sentence: str, names: dict[str, str]) -> str:
    # Each of the two lives has canteens of its own.
    for name, number in names.items():
        sentence = sentence.replace(name, number)
    return sentence


def owed(session: Session) -> dict[str, int]:
    return {one.township_code: one.position_minutes for one in positions(session, window_name=None)[1]}


def a_voucher_each(
    bank: Database, fates: Sequence[str], counters: Sequence[Actor]
) -> tuple[list[Actor], list[Voucher]]:
    """Five holders with a voucher each; half way through the days in which scans are believed its fate befalls it."""
    holders, vouchers = [], []
    for home, fate in zip(HOMES, fates, strict=True):
        holder, [voucher] = bought(bank, 1, township_code=home, home_only=fate == "home_only")
        holders.append(holder)
        vouchers.append(voucher)
    clock.freeze(NINE + 40 * HOUR)
    for number, (holder, voucher, fate) in enumerate(zip(holders, vouchers, fates, strict=True)):
        if fate in ("here", "elsewhere"):
            scan(bank, counters[fate == "elsewhere"], voucher.code, f"earlier-{number}")
        elif fate == "dead":
            report(bank, holder, by=district())
        elif fate in ("refunded", "lost", "expired"):
            with bank.unit_of_work() as session:
                if fate == "expired":
                    let_time_be_over(session, voucher)
                elif fate == "lost":
                    reissue_vouchers(session, actor=holder, voucher_ids=[voucher.id])
                else:
                    refund_voucher(session, actor=holder, voucher_id=voucher.id)
    return holders, vouchers


@pytest.mark.parametrize("home_codes", [(XIWU,), (XIWU, DAYAN, SHANGTIAN)], ids=["one township", "three"])
def test_many_counters_take_no_more_statements_than_one(bank: Database, home_codes: tuple[str, ...]) -> None:
    clock.freeze(NINE)
    counts = []
    for quantity in (1, 2, 40):
        _, vouchers = bought(bank, quantity)
        with bank.unit_of_work() as session:
            counters = [clerk(add_canteen(session, home_codes[n % len(home_codes)])) for n in range(quantity)]
        calls = [
            Scanned(counter, [Scan(one.code, f"n{number}")])
            for number, (counter, one) in enumerate(zip(counters, vouchers, strict=True))
        ]
        with statements_counted(bank) as seen, bank.unit_of_work() as session:
            answers = redeem_at_counters(session, calls)
        assert all(isinstance(one, list) and one[0].verdict.accepted for one in answers)
        counts.append(len(seen))
    assert len(set(counts)) == 1, counts
    assert counts[0] <= 13
