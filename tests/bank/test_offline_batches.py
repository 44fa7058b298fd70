"""Batches of scans made without a line: decided as one by one, at any size, and whoever else is at it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event

from tests.factories.offline import add_key, losses_of, offline_scan, send, texts_of
from tests.factories.people import DAYAN, XIWU, add_canteen, clerk
from tests.factories.tasks import NINE
from tests.factories.threads import at_once
from tests.factories.vouchers import bought, scan
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.ledger.queries import balance_of
from timebank.redemption.actions import ScanAnswer, make_signing_key, redeem_vouchers, refund_voucher
from timebank.redemption.codes import new_code
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan
from timebank.redemption.signing import PrivateKey, SignedVoucher, signed_payload

HOUR = timedelta(hours=1)


def two_counters(bank: Database) -> tuple[Actor, Actor]:
    with bank.unit_of_work() as session:
        return clerk(add_canteen(session, XIWU)), clerk(add_canteen(session, DAYAN))


def forged(voucher: Voucher) -> str:
    return signed_payload(SignedVoucher(voucher.code, voucher.expires_at), PrivateKey(1, bytes(32)))


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    scans=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 9), st.integers(-1, 100), st.booleans(), st.booleans()), max_size=14
    ),
    spoilt=st.lists(st.sampled_from(["refunded", "elsewhere", "here", "none"]), min_size=4, max_size=4),
)
def test_a_batch_made_without_a_line_is_answered_as_one_by_one(
    bank: Database, scans: list[tuple[int, int, int, bool, bool]], spoilt: list[str]
) -> None:
    together, one_by_one = both_ways(bank, scans, spoilt)
    assert together == one_by_one


def test_also_where_the_fund_pays_within_the_batch(bank: Database) -> None:
    scans = [
        *((which, nonce, 60, True, True) for nonce, which in enumerate((0, 0, 1, 1, 2, 3, 3))),
        *((which, nonce, 60, True, True) for which, nonce in ((0, 0), (3, 1), (4, 9))),
    ]
    together, one_by_one = both_ways(bank, scans, ["elsewhere", "refunded", "here", "none"])
    assert together == one_by_one
    assert [reason for _, reason, _ in together[1]] == ["eaten_twice", "ended_meanwhile"]


def both_ways(
    bank: Database, scans: list[tuple[int, int, int, bool, bool]], spoilt: list[str]
) -> list[tuple[Any, ...]]:
    """What is told and left when scans come as one batch, and when they come one by one.

    A scan: which voucher (4 forged, 5 unknown, 6 no code), which nonce, how many hours ago, signed, off the line.
    """
    told: list[tuple[Any, ...]] = []
    for batched in (True, False):
        clock.freeze(NINE)
        with bank.unit_of_work() as session:
            make_signing_key(session)
        holder, vouchers = bought(bank, 4)
        here, elsewhere = two_counters(bank)
        texts = texts_of(bank, vouchers)
        _spoil(bank, holder, vouchers, spoilt, here, elsewhere)
        now = NINE + 80 * HOUR
        clock.freeze(now)
        odd = [forged(vouchers[0]), "22222222222", "?"]
        asked = [
            Scan(texts[which] if signed and which < 4 else [*(v.code for v in vouchers), *odd][which],
                 f"n{nonce}", now - ago * HOUR, offline)
            for which, nonce, ago, signed, offline in scans
        ]  # fmt: skip
        answers = [
            answer
            for group in ([asked] if batched else [[one] for one in asked])
            for answer in send(bank, here, *group)
        ]
        numbers = {voucher.id: number for number, voucher in enumerate(vouchers)}
        # Two ids of one millisecond are in no order.
        lost = sorted((numbers[x.voucher_id], x.reason, x.eaten_at) for x in losses_of(bank) if x.voucher_id in numbers)
        with bank.session() as session:
            left = balance_of(session, holder.person())
        told.append(
            ([_seen(answer, numbers) for answer in answers], lost, left.available_minutes, left.voucher_minutes)
        )
    return told


def _spoil(
    bank: Database, holder: Actor, vouchers: list[Voucher], spoilt: list[str], here: Actor, elsewhere: Actor
) -> None:
    """Half way through the days in which scans are believed."""
    clock.freeze(NINE + 40 * HOUR)
    for number, (voucher, how) in enumerate(zip(vouchers, spoilt, strict=True)):
        if how == "refunded":
            with bank.unit_of_work() as session:
                refund_voucher(session, actor=holder, voucher_id=voucher.id)
        elif how != "none":
            scan(bank, elsewhere if how == "elsewhere" else here, voucher.code, f"earlier-{number}")


def _seen(answer: ScanAnswer, numbers: dict[object, int]) -> tuple[object, ...]:
    verdict = answer.verdict
    # Each of the two runs has canteens of its own, told apart by a number.
    sentence = re.sub(r"食堂\d+", "食堂", answer.sentence)
    number = numbers.get(verdict.voucher_id)
    return verdict.reason, number, verdict.redeemed_at, verdict.loss_id is not None, sentence, answer.replayed


def test_of_two_counters_that_send_at_once_one_is_accepted_and_the_other_is_a_loss(bank: Database) -> None:
    clock.freeze(NINE)
    add_key(bank)
    first, second = two_counters(bank)
    for _ in range(5):
        _, vouchers = bought(bank, 6)
        texts = texts_of(bank, vouchers)
        lost_before = len(losses_of(bank))
        [one, other] = at_once(
            bank,
            [
                lambda s, who=who, order=order: redeem_vouchers(
                    s, actor=who, scans=[offline_scan(text, NINE) for text in order]
                )
                for who, order in ((first, texts), (second, texts[::-1]))
            ],
        )
        assert isinstance(one, list)
        assert isinstance(other, list)
        pairs = zip(one, other[::-1], strict=True)
        outcomes = [sorted((a.verdict.accepted, a.verdict.loss_id is not None) for a in pair) for pair in pairs]
        assert outcomes == [[(False, True), (True, False)]] * 6
        assert len(losses_of(bank)) == lost_before + 6


def test_the_same_queue_sent_twice_at_the_same_moment_makes_one_loss(bank: Database) -> None:
    clock.freeze(NINE)
    add_key(bank)
    first, second = two_counters(bank)
    _, [voucher] = bought(bank)
    [text] = texts_of(bank, [voucher])
    assert scan(bank, first, text).verdict.accepted
    queue = [offline_scan(text, NINE, "a")]
    answers = at_once(bank, [lambda s: redeem_vouchers(s, actor=second, scans=queue)] * 4)
    told = [answer[0] for answer in answers if isinstance(answer, list)]
    assert len({answer.verdict.loss_id for answer in told}) == 1
    assert sorted(answer.replayed for answer in told) == [False, True, True, True]
    assert len(losses_of(bank)) == 1


def test_a_thousand_scans_of_every_kind_each_get_their_answer(bank: Database) -> None:
    clock.freeze(NINE)
    add_key(bank)
    here, elsewhere = two_counters(bank)
    vouchers = [voucher for _ in range(7) for voucher in bought(bank, 100)[1]]
    texts = texts_of(bank, vouchers)
    send(bank, elsewhere, *(offline_scan(text, NINE) for text in texts[400:600]))
    queue = [
        *(offline_scan(text, NINE, f"good-{n}") for n, text in enumerate(texts[:400])),
        *(offline_scan(text, NINE, f"twice-{n}") for n, text in enumerate(texts[400:600])),
        *(Scan(voucher.code, f"plain-{n}", NINE, offline=True) for n, voucher in enumerate(vouchers[600:])),
        *(offline_scan(text, NINE, f"again-{n}") for n, text in enumerate(texts[:100])),
        *(offline_scan(forged(voucher), NINE, f"forged-{n}") for n, voucher in enumerate(vouchers[:50])),
        *(offline_scan(new_code(), NINE, f"unknown-{n}") for n in range(50)),
        *(offline_scan("TB1." + "x" * n, NINE, f"torn-{n}") for n in range(50)),
        *(offline_scan(text, NINE, f"good-{n}") for n, text in enumerate(texts[:50])),
    ]
    assert len(queue) == 1000
    clock.freeze(NINE + HOUR)
    answers = send(bank, here, *queue)
    assert Counter((a.verdict.reason, a.verdict.loss_id is not None) for a in answers) == {
        ("ok", False): 400 + 100 + 50,
        ("already_redeemed", True): 200,
        ("already_redeemed", False): 100,
        ("qr_forged", False): 50,
        ("voucher_unknown", False): 50,
        ("qr_unreadable", False): 50,
    }
    assert sum(a.replayed for a in answers) == 50
    again = send(bank, here, *queue)
    assert [(a.verdict, a.sentence) for a in again] == [(a.verdict, a.sentence) for a in answers]
    assert len(losses_of(bank)) == 200


@contextmanager
def statements_counted(bank: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note_down(_c: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(bank.engine, "before_cursor_execute", note_down)
    try:
        yield seen
    finally:
        event.remove(bank.engine, "before_cursor_execute", note_down)


@pytest.mark.parametrize("lost", [False, True], ids=["accepted", "lost"])
def test_a_batch_of_any_size_takes_the_same_few_statements(bank: Database, lost: bool) -> None:
    clock.freeze(NINE)
    add_key(bank)
    here, elsewhere = two_counters(bank)
    counts = []
    for quantity in (1, 2, 90):
        _, vouchers = bought(bank, quantity)
        texts = texts_of(bank, vouchers)
        if lost:
            send(bank, elsewhere, *(offline_scan(text, NINE) for text in texts))
        with statements_counted(bank) as seen:
            answers = send(bank, here, *(offline_scan(text, NINE) for text in texts))
        assert all((a.verdict.loss_id is not None) is lost for a in answers)
        counts.append(len(seen))
    assert len(set(counts)) == 1, counts
    assert counts[0] < 25
