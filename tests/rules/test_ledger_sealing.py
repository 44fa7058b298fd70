"""A seal is recomputed by anybody from what is written about it, and no field of a transfer is left out of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from tests.bank import ledger_merkle
from timebank.core.clock import LOCAL
from timebank.core.ids import new_id
from timebank.ledger.models import Transfer
from timebank.ledger.sealing import GENESIS, SEALED_FIELDS, MerkleTree, canonical, seal_hash

WHEN = datetime(2026, 11, 20, 4, 0, 0, 123456, tzinfo=UTC)
SAID = {
    "number": 2,
    "from_seq": 10,
    "to_seq": 20,
    "transfers": 9,
    "merkle_root": sha256(b"root").digest(),
    "previous_hash": sha256(b"previous").digest(),
    "sealed_at": WHEN,
}


def test_every_column_of_a_transfer_is_sealed() -> None:
    assert set(SEALED_FIELDS) == {column.name for column in Transfer.__table__.columns}
    assert list(SEALED_FIELDS) == ledger_merkle.FIELDS


def test_a_leaf_is_the_plain_json_of_the_fields() -> None:
    transfer_id = new_id()
    row = (7, transfer_id, "330213004", None, WHEN, "谢谢“奶奶”\n")
    written = f'[7,"{transfer_id}","330213004",null,{int(WHEN.timestamp())}123456,"谢谢“奶奶”\\n"]'
    assert canonical(row) == written.encode()
    assert ledger_merkle.as_json(row) == written.encode()


def test_the_same_moment_in_another_time_zone_is_the_same_leaf() -> None:
    assert canonical([WHEN]) == canonical([WHEN.astimezone(LOCAL)])
    assert canonical([WHEN]) != canonical([WHEN + timedelta(microseconds=1)])


@pytest.mark.parametrize("leaves", [1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 100])
def test_the_root_grown_leaf_by_leaf_is_the_root_of_the_whole_tree(leaves: int) -> None:
    payloads = [f"leaf {number}".encode() for number in range(leaves)]
    tree = MerkleTree()
    for count, payload in enumerate(payloads, 1):
        tree.add(payload)
        assert (tree.leaves, tree.root()) == (count, ledger_merkle.root_of(payloads[:count]))


def test_leaves_in_another_order_or_one_twice_have_another_root() -> None:
    def root(*payloads: bytes) -> bytes:
        tree = MerkleTree()
        for payload in payloads:
            tree.add(payload)
        return tree.root()

    assert len({root(b"a", b"b", b"c"), root(b"b", b"a", b"c"), root(b"a", b"b", b"c", b"c"), root(b"a", b"b")}) == 4


def test_an_inner_node_cannot_pass_for_a_leaf() -> None:
    inner = sha256(b"\x00a").digest() + sha256(b"\x00b").digest()
    two, one = MerkleTree(), MerkleTree()
    two.add(b"a")
    two.add(b"b")
    one.add(inner)
    assert one.root() != two.root()


def test_an_empty_tree_has_no_root() -> None:
    with pytest.raises(ValueError, match="empty"):
        MerkleTree().root()


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("number", 3),
        ("from_seq", 11),
        ("to_seq", 21),
        ("transfers", 10),
        ("merkle_root", GENESIS),
        ("previous_hash", GENESIS),
        ("sealed_at", WHEN + timedelta(microseconds=1)),
    ],
)
def test_the_hash_of_a_seal_changes_with_everything_it_says(field: str, other: Any) -> None:
    assert seal_hash(**{**SAID, field: other}) != seal_hash(**SAID)  # type: ignore[arg-type]


def test_the_hash_of_a_seal_is_that_of_its_plain_json() -> None:
    said = [v.hex() if isinstance(v, bytes) else v for v in SAID.values()]
    assert seal_hash(**SAID) == sha256(ledger_merkle.as_json(said)).digest()  # type: ignore[arg-type]
