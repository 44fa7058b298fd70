"""Seals: what was posted is hashed, chained and handed out, so that whoever owns it cannot rewrite it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.bank import ledger_merkle
from tests.bank.ledger_books import NOON, Scene, clearing_sum, move, net_of, open_scene
from tests.bank.ledger_threads import at_once, held_open, wait_for_nobody, without_pause
from timebank.core import clock
from timebank.core.db import Database
from timebank.ledger.actions import hand_out_seal, post, post_one, seal, seal_new_transfers, take_checkpoints
from timebank.ledger.models import Checkpoint, Seal, SealHandout, Transfer
from timebank.ledger.queries import trial_balance

TOWNSHIPS = 12


def sealed(bank: Database) -> Seal | None:
    with bank.unit_of_work() as session:
        return seal_new_transfers(session)


def settled(bank: Database, *, credits: int = 3) -> Scene:
    """A scene and a few credits more, none of them sealed."""
    with bank.unit_of_work() as session:
        scene = open_scene(session)
        post(session, [(move(scene.here.source, scene.there.mei, 1),) for _ in range(credits)])
    return scene


def seals_of(session: Session) -> Sequence[Seal]:
    return session.query(Seal).order_by(Seal.number).all()


def must_cover_everything_once(session: Session) -> None:
    """Every transfer lies in exactly one seal, and each seal says what its transfers make."""
    chain, seqs = seals_of(session), session.scalars(text("SELECT seq FROM ledger_transfer ORDER BY seq")).all()
    assert [sum(s.from_seq < seq <= s.to_seq for s in chain) for seq in seqs] == [1] * len(seqs)
    previous, to_seq = bytes(32), 0
    for number, one in enumerate(chain, 1):
        assert (one.number, one.from_seq, one.previous_hash) == (number, to_seq, previous)
        rows = session.query(Transfer).filter(Transfer.seq > one.from_seq, Transfer.seq <= one.to_seq)
        leaves = [[getattr(row, name) for name in ledger_merkle.FIELDS] for row in rows.order_by(Transfer.seq)]
        assert one.transfers == len(leaves)
        assert one.merkle_root == ledger_merkle.root_of([ledger_merkle.as_json(leaf) for leaf in leaves])
        said = [one.number, one.from_seq, one.to_seq, one.transfers, one.merkle_root.hex(), one.previous_hash.hex()]
        assert one.hash == sha256(ledger_merkle.as_json([*said, one.sealed_at])).digest()
        previous, to_seq = one.hash, one.to_seq


def test_seals_are_a_chain_that_anybody_can_recompute(bank: Database) -> None:
    for _ in range(3):
        settled(bank)
        assert sealed(bank) is not None
    with bank.session() as session:
        assert len(seals_of(session)) == 3
        must_cover_everything_once(session)


def test_where_nothing_is_new_nothing_is_sealed(bank: Database) -> None:
    assert sealed(bank) is None
    settled(bank)
    assert sealed(bank) is not None
    assert sealed(bank) is None


def test_numbers_that_were_given_out_and_undone_are_no_gap(bank: Database) -> None:
    scene = settled(bank)
    with held_open(bank, lambda s: post_one(s, (move(scene.here.source, scene.here.mei, 1),))):
        pass
    settled(bank)
    assert sealed(bank) is not None
    with held_open(bank, lambda s: post_one(s, (move(scene.here.source, scene.here.mei, 1),))):
        pass
    assert sealed(bank) is None
    settled(bank)
    assert sealed(bank) is not None
    with bank.session() as session:
        must_cover_everything_once(session)


def test_sealing_while_four_post_without_pause_seals_everything_once(bank: Database) -> None:
    scenes = [settled(bank) for _ in range(4)]

    def keep_posting(scene: Scene) -> None:
        with bank.unit_of_work() as session:
            wait_for_nobody(session)
            post(session, [(move(scene.here.source, scene.there.lin, 1),) for _ in range(3)])

    made = 0
    with without_pause([lambda s=scene: keep_posting(s) for scene in scenes]):
        for _ in range(12):
            made += sealed(bank) is not None
    assert sealed(bank) is not None
    assert made > 0
    with bank.session() as session:
        assert len(seals_of(session)) == made + 1
        must_cover_everything_once(session)
        assert clearing_sum(session, scenes[0].unit) == 0


def test_a_long_posting_delays_the_seal_and_nothing_is_left_out(
    bank: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seal, "_PATIENCE_S", 0.1)
    scene = settled(bank)
    with bank.session() as slow:
        post_one(slow, (move(scene.here.source, scene.here.mei, 1),))
        settled(bank)
        assert sealed(bank) is None
        slow.commit()
    assert sealed(bank) is not None
    with bank.session() as session:
        must_cover_everything_once(session)


def test_the_sealer_waits_for_who_began_before_it(bank: Database) -> None:
    scene = settled(bank)
    with bank.session() as slow:
        post_one(slow, (move(scene.here.source, scene.here.mei, 1),))
        early, _ = at_once([lambda: sealed(bank), lambda: _end_later(bank, slow)])
    assert early is not None
    with bank.session() as session:
        must_cover_everything_once(session)


def _end_later(bank: Database, slow: Session) -> None:
    """End the slow posting once the sealer sits in its transaction."""
    with bank.session() as looking:
        sealing = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'")
        while not looking.scalar(sealing):
            looking.rollback()
    slow.commit()


def test_of_two_sealers_at_once_one_seals(bank: Database) -> None:
    settled(bank)
    with held_open(bank, seal_new_transfers):
        assert sealed(bank) is None
    assert sealed(bank) is not None
    settled(bank)
    answers = at_once([lambda: sealed(bank)] * 4)
    assert sum(answer is not None for answer in answers) == 1
    with bank.session() as session:
        must_cover_everything_once(session)


def test_yesterdays_head_is_handed_to_every_township_once_a_day(bank: Database) -> None:
    clock.freeze(NOON)
    settled(bank)
    assert sealed(bank) is not None
    settled(bank)
    head = sealed(bank)
    assert head is not None
    with bank.unit_of_work() as session:
        assert hand_out_seal(session) == 0
    clock.freeze(clock.day_start(clock.today() + timedelta(days=1)))
    settled(bank)
    assert sealed(bank) is not None
    for expected in (TOWNSHIPS, 0):
        with bank.unit_of_work() as session:
            assert hand_out_seal(session) == expected
    with bank.session() as session:
        handed = session.query(SealHandout).all()
        assert {(h.seal_number, h.seal_hash, h.day) for h in handed} == {(2, head.hash, clock.local_date(NOON))}
        assert len({h.township_code for h in handed}) == TOWNSHIPS


def test_a_checkpoint_and_what_came_after_it_make_the_balance(bank: Database) -> None:
    scene = settled(bank)
    with bank.unit_of_work() as session:
        assert take_checkpoints(session) == 0
    for count in (4, 3, 0):
        if count:
            with bank.unit_of_work() as session:
                target = scene.there.mei if count == 4 else scene.here.mei
                post_one(session, (move(scene.there.source, target, 2),))
        sealed(bank)
        with bank.unit_of_work() as session:
            post_one(session, (move(scene.here.source, scene.here.lin, 3),))
            taken = take_checkpoints(session)
            assert taken == {4: 4, 3: 4, 0: 1}[count]
    with bank.session() as session:
        for account in (scene.here.source, scene.there.source, scene.here.clearing, scene.there.clearing):
            latest = (
                session.query(Checkpoint).filter_by(account_id=account).order_by(Checkpoint.upto_seq.desc()).first()
            )
            assert latest is not None
        lines = {(line.book, line.account): line.credit - line.debit for line in trial_balance(session, scene.unit)}
        for side in (scene.here, scene.there):
            assert lines[side.book, "issuance"] == net_of(session, [side.source])
            assert lines[side.book, "clearing"] == net_of(session, [side.clearing])
