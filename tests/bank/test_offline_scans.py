"""Scans made without a line: what they are told when they arrive, and what the guarantee fund pays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.factories.offline import add_key, losses_of, offline_scan, scans_of, send, texts_of
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, clerk, district, steward
from tests.factories.policies import change_policy
from tests.factories.tasks import NINE
from tests.factories.vouchers import bought, scan
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.ledger.models import Transfer
from timebank.ledger.queries import balance_of
from timebank.notifications.models import Notice
from timebank.redemption.actions import expire_voucher, pay_loss, refund_voucher, revoke_signing_key
from timebank.redemption.models import Voucher
from timebank.redemption.rules import Scan
from timebank.redemption.signing import FIRST_FORM, PrivateKey, SignedVoucher, signed_payload

NOON = NINE + timedelta(hours=3)
EVENING = NINE + timedelta(hours=9)


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


@pytest.fixture
def counters(bank: Database) -> tuple[Actor, Actor]:
    """A counter in 西坞 and one in 大堰, and a key that signs."""
    add_key(bank)
    with bank.unit_of_work() as session:
        return clerk(add_canteen(session, XIWU, "西坞食堂")), clerk(add_canteen(session, DAYAN, "大堰食堂"))


def one_signed(bank: Database) -> tuple[Actor, Voucher, str]:
    holder, [voucher] = bought(bank)
    return holder, voucher, texts_of(bank, [voucher])[0]


def minutes_redeemed(bank: Database, township_code: str) -> int:
    with bank.session() as session:
        _, found = positions(session, window_name=None)
        return {p.township_code: p.position_minutes for p in found}[township_code]


def test_a_signed_text_is_as_good_as_the_code_in_it(bank: Database, counters: tuple[Actor, Actor]) -> None:
    holder, voucher, text = one_signed(bank)
    assert text.startswith(FIRST_FORM)
    first = scan(bank, counters[0], text, "n1")
    assert (first.verdict.accepted, first.holder_name) == (True, holder.name)
    assert scan(bank, counters[0], voucher.code, "n1").replayed
    assert scan(bank, counters[0], text, "n2").verdict.reason == "already_redeemed"


def test_a_forged_text_is_refused_and_kept_and_the_code_in_it_stays_good(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    _, voucher, text = one_signed(bank)
    forged = signed_payload(SignedVoucher(voucher.code, voucher.expires_at), PrivateKey(1, bytes(32)))
    unknown = signed_payload(SignedVoucher(voucher.code, voucher.expires_at), PrivateKey(9, bytes(32)))
    for number, (said, reason) in enumerate(
        [(forged, "qr_forged"), (unknown, "qr_forged"), (text[:-1], "qr_unreadable"), ("TB2.abc", "qr_unreadable")]
    ):
        for offline in (False, True):
            nonce = f"n{number}-{offline}"
            answers = [send(bank, counters[0], Scan(said, nonce, NINE, offline))[0] for _ in range(2)]
            assert [a.verdict.reason for a in answers] == [reason, reason]
            assert [a.replayed for a in answers] == [False, True]
            assert answers[0].sentence == answers[1].sentence
    assert scans_of(bank, voucher.id) == 0
    assert scan(bank, counters[0], voucher.code).verdict.accepted
    assert losses_of(bank) == []


def test_a_meal_counts_from_when_it_was_eaten(bank: Database, counters: tuple[Actor, Actor]) -> None:
    _, voucher, text = one_signed(bank)
    clock.freeze(EVENING)
    [answer] = send(bank, counters[0], offline_scan(text, NOON))
    assert (answer.verdict.accepted, answer.verdict.redeemed_at) == (True, NOON)
    with bank.session() as session:
        assert session.get_one(Voucher, voucher.id).ended_at == NOON
        moved = session.scalars(select(Transfer).where(Transfer.cause_id == voucher.id)).all()
        assert {t.effective_at for t in moved if t.kind == "voucher_redemption"} == {NOON}
    assert losses_of(bank) == []


def test_eaten_in_time_and_sent_after_the_last_day_is_accepted_while_the_minutes_are_there(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    _, voucher, text = one_signed(bank)
    clock.freeze(voucher.expires_at + timedelta(hours=1))
    [late] = send(bank, counters[0], offline_scan(text, voucher.expires_at))
    assert (late.verdict.reason, late.verdict.loss_id) == ("voucher_expired", None)
    [in_time] = send(bank, counters[0], offline_scan(text, voucher.expires_at - timedelta(seconds=1)))
    assert in_time.verdict.accepted


def test_what_was_eaten_in_two_canteens_is_accepted_once_and_the_fund_pays_the_second(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    holder, voucher, text = one_signed(bank)
    clock.freeze(EVENING)
    [first] = send(bank, counters[0], offline_scan(text, NOON))
    [second] = send(bank, counters[1], offline_scan(text, NOON - timedelta(hours=1)))
    assert first.verdict.accepted
    assert (second.verdict.accepted, second.verdict.reason) == (False, "already_redeemed")
    assert (second.verdict.redeemed_at, second.verdict.canteen_id) == (NOON, counters[0].organisation_id)
    assert second.sentence == "这张券已于03月10日12:00在西坞食堂用过；断网时已经用餐，这一餐由保障金支付"
    [loss] = losses_of(bank)
    assert (loss.id, loss.voucher_id, loss.reason) == (second.verdict.loss_id, voucher.id, "eaten_twice")
    assert (loss.minutes, loss.loss_fen, loss.township_code) == (60, 3000, DAYAN)
    assert (loss.eaten_at, loss.noted_at, loss.paid_at) == (NOON - timedelta(hours=1), EVENING, None)
    with bank.session() as session:
        [moved] = session.scalars(select(Transfer).where(Transfer.cause_id == loss.id))
        assert (moved.kind, moved.book_code, moved.amount, moved.link_id) == ("offline_loss", DAYAN, 60, None)
        assert balance_of(session, holder.person()).available_minutes == 0
    assert minutes_redeemed(bank, DAYAN) == 0


def test_everybody_concerned_is_told_of_a_loss_in_plain_words(bank: Database, counters: tuple[Actor, Actor]) -> None:
    holder, _, text = one_signed(bank)
    for counter in counters:
        send(bank, counter, offline_scan(text, NINE))
    with bank.session() as session:
        [told] = session.scalars(select(Notice).where(Notice.person_id == holder.person_id))
        assert "在西坞食堂和大堰食堂两处使用" in told.body
        assert "不扣您的时长" in told.body
        query = select(Notice.township_code, Notice.body).where(Notice.audience == "stewards")
        stewards = {code: body for code, body in session.execute(query)}
    assert set(stewards) == {DAYAN, None}
    assert "大堰食堂补传的断网扫码中有1餐（1小时）须由保障金支付" in stewards[None]


def test_the_same_batch_sent_again_gets_the_same_answers_and_makes_no_second_loss(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    _, voucher, text = one_signed(bank)
    send(bank, counters[0], offline_scan(text, NINE))
    batch = [offline_scan(text, NINE, "a"), offline_scan(text, NINE, "b"), offline_scan("TB1.x", NINE, "c")]
    first = send(bank, counters[1], *batch)
    clock.freeze(NINE + timedelta(days=400))
    again = send(bank, counters[1], *batch)
    assert [a.verdict for a in again] == [a.verdict for a in first]
    assert [a.sentence for a in again] == [a.sentence for a in first]
    assert [a.replayed for a in again] == [True] * 3
    assert [a.verdict.loss_id is not None for a in first] == [True, False, False]
    assert len(losses_of(bank)) == 1
    with bank.session() as session:
        kinds = select(func.count()).where(Transfer.kind == "offline_loss")
        assert session.scalar(kinds) == 1
    assert scans_of(bank, voucher.id) == 3


def test_a_third_canteen_is_a_second_loss_and_the_same_one_none(bank: Database, counters: tuple[Actor, Actor]) -> None:
    _, _, text = one_signed(bank)
    with bank.unit_of_work() as session:
        third = clerk(add_canteen(session, DAYAN))
    told = [
        send(bank, counter, offline_scan(text, NINE))[0].verdict
        for counter in (counters[0], counters[0], counters[1], counters[1], third)
    ]
    assert [(v.accepted, v.loss_id is not None) for v in told] == [
        *((True, False), (False, False), (False, True), (False, False), (False, True))
    ]
    assert len(losses_of(bank)) == 2


def test_what_is_no_honest_scan_without_a_line_is_refused_and_no_loss(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    _, voucher, text = one_signed(bank)
    assert scan(bank, counters[0], text).verdict.accepted
    now = NINE + timedelta(days=4)
    clock.freeze(now)
    dishonest = {
        "on the line": Scan(text, "1", now),
        "plain code": Scan(voucher.code, "2", now, offline=True),
        "no time": Scan(text, "3", None, offline=True),
        "too old": offline_scan(text, now - timedelta(hours=72, seconds=1)),
        "from the future": offline_scan(text, now + timedelta(minutes=10, seconds=1)),
    }
    for why, one in dishonest.items():
        [told] = send(bank, counters[1], one)
        assert (told.verdict.reason, told.verdict.loss_id) == ("already_redeemed", None), why
    assert losses_of(bank) == []
    [honest] = send(bank, counters[1], offline_scan(text, now + timedelta(minutes=10)))
    assert honest.verdict.loss_id is not None
    assert losses_of(bank)[0].eaten_at == now


def test_a_scan_too_old_to_believe_still_uses_a_voucher_that_is_good_today(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    _, _, text = one_signed(bank)
    now = NINE + timedelta(days=10)
    clock.freeze(now)
    [told] = send(bank, counters[0], offline_scan(text, NINE))
    assert (told.verdict.accepted, told.verdict.redeemed_at) == (True, now)


def test_eaten_first_and_given_back_afterwards_costs_the_fund_and_nobody_else(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    holder, voucher, text = one_signed(bank)
    clock.freeze(NOON + timedelta(minutes=1))
    with bank.unit_of_work() as session:
        refund_voucher(session, actor=holder, voucher_id=voucher.id)
    clock.freeze(EVENING)
    [after] = send(bank, counters[1], offline_scan(text, NOON + timedelta(minutes=1)))
    assert (after.verdict.reason, after.verdict.loss_id) == ("voucher_void", None)
    [before, again] = send(bank, counters[0], offline_scan(text, NOON), offline_scan(text, NOON))
    assert (before.verdict.reason, before.verdict.loss_id is not None) == ("voucher_void", True)
    assert (again.verdict.reason, again.verdict.loss_id) == ("voucher_void", None)
    [loss] = losses_of(bank)
    assert (loss.reason, loss.first_scan_id, loss.township_code) == ("ended_meanwhile", None, XIWU)
    with bank.session() as session:
        assert balance_of(session, holder.person()).available_minutes == 60
        told = session.scalars(select(Notice.body).where(Notice.person_id == holder.person_id)).all()
    assert any("退回或失效以前，已在西坞食堂用过餐" in body for body in told)


def test_eaten_on_the_last_day_and_sent_after_the_minutes_went_back_costs_the_fund(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    holder, voucher, text = one_signed(bank)
    clock.freeze(voucher.expires_at + timedelta(hours=2))
    with bank.unit_of_work() as session:
        assert expire_voucher(session, voucher_id=voucher.id)
    [told] = send(bank, counters[0], offline_scan(text, voucher.expires_at - timedelta(hours=1)))
    assert (told.verdict.reason, told.verdict.loss_id is not None) == ("voucher_expired", True)
    with bank.session() as session:
        assert balance_of(session, holder.person()).available_minutes == 60


def test_a_voucher_good_at_home_only_is_no_loss_elsewhere(bank: Database, counters: tuple[Actor, Actor]) -> None:
    with bank.unit_of_work() as session:
        home = clerk(add_canteen(session, SHANGTIAN))
    _, [voucher] = bought(bank, home_only=True)
    [text] = texts_of(bank, [voucher])
    assert send(bank, home, offline_scan(text, NINE))[0].verdict.accepted
    assert send(bank, counters[0], offline_scan(text, NINE))[0].verdict.loss_id is None


def test_a_revoked_key_vouches_for_nothing_without_a_line_from_then_on(
    bank: Database, counters: tuple[Actor, Actor]
) -> None:
    (_, _, before), (_, voucher, text) = one_signed(bank), one_signed(bank)
    clock.freeze(NOON)
    with bank.unit_of_work() as session:
        revoke_signing_key(session, actor=district(), key_id=1, reason="一台扫码机被盗")
    for one in (before, text):
        assert send(bank, counters[0], offline_scan(one, NINE))[0].verdict.accepted
    earlier, later = offline_scan(before, NOON - timedelta(seconds=1)), offline_scan(text, NOON)
    told = send(bank, counters[1], earlier, later)
    assert [one.verdict.loss_id is not None for one in told] == [True, False]
    assert [one.verdict.reason for one in told] == ["already_redeemed"] * 2
    [fresh] = texts_of(bank, [voucher])
    assert fresh != text


def test_a_loss_is_paid_once_under_one_reference(bank: Database, counters: tuple[Actor, Actor]) -> None:
    _, _, text = one_signed(bank)
    for counter in counters:
        send(bank, counter, offline_scan(text, NINE))
    [loss] = losses_of(bank)
    for actor, code in ((steward(DAYAN), "district_only"), (counters[0], "district_only")):
        with pytest.raises(BankError, match=f"{code}:"), bank.unit_of_work() as session:
            pay_loss(session, actor=actor, loss_id=loss.id, outside_reference="保-1")
    for _ in range(2):
        with bank.unit_of_work() as session:
            paid = pay_loss(session, actor=district(), loss_id=loss.id, outside_reference=" 保-1 ")
        assert (paid.paid_at, paid.outside_reference) == (NINE, "保-1")
        clock.freeze(NOON)
    for reference, code in (("保-2", "loss_already_paid"), ("  ", "reference_needed")):
        with pytest.raises(BankError, match=f"{code}:"), bank.unit_of_work() as session:
            pay_loss(session, actor=district(), loss_id=loss.id, outside_reference=reference)
    with bank.session() as session:
        told = select(func.count()).where(Notice.title == "保障金已支付", Notice.township_code == DAYAN)
        assert session.scalar(told) == 1


def test_a_loss_without_a_price_waits_for_one(bank: Database, counters: tuple[Actor, Actor]) -> None:
    with bank.unit_of_work() as session:
        change_policy(session, "reference_price_fen_per_hour", {"care": 3000})
    _, _, text = one_signed(bank)
    for counter in counters:
        send(bank, counter, offline_scan(text, NINE))
    [loss] = losses_of(bank)
    assert loss.loss_fen is None
    with pytest.raises(BankError, match="price_missing:"), bank.unit_of_work() as session:
        pay_loss(session, actor=district(), loss_id=loss.id, outside_reference="保-1")
    clock.freeze(NOON)
    with bank.unit_of_work() as session:
        change_policy(session, "reference_price_fen_per_hour", {"meal": 2400, "care": 3000})
    with bank.unit_of_work() as session:
        assert pay_loss(session, actor=district(), loss_id=loss.id, outside_reference="保-1").loss_fen == 2400
