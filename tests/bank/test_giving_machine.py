"""Random gifts, donations, help and reversals between people of three townships, against balances on paper."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from tests.factories.family import in_hardship, make_relatives
from tests.factories.giving import pool_of
from tests.factories.minutes import fill_pool, posted_in, save_minutes
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_elder, district, steward
from tests.factories.tasks import NINE
from tests.thorough import length
from timebank.clearing.queries import positions
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.giving.actions import approve_hardship, donate, give, request_hardship
from timebank.giving.queries import pools
from timebank.ledger.actions import reverse
from timebank.ledger.rules import AccountKind
from timebank.people.family_rules import Relation
from timebank.supervision.verify import checks

BOOKS = (XIWU, SHANGTIAN, DAYAN)
OPENING = 100
REFUSALS = {"insufficient_minutes", "pool_short", "not_relatives", "not_in_hardship", "already_reversed"}

person = st.integers(0, 5)
minutes = st.one_of(st.integers(1, 60), st.integers(1, 60), st.integers(80, 150))
steps = st.one_of(
    st.tuples(st.just("gift"), person, person, minutes),
    st.tuples(st.just("gift"), person, st.just("next"), minutes).map(lambda w: (w[0], w[1], (w[1] + 1) % 6, w[3])),
    st.tuples(st.just("donation"), person, st.just(0), minutes),
    st.tuples(st.just("help"), person, st.just(0), minutes),
    st.tuples(st.just("help"), st.sampled_from([0, 2, 4]), st.just(0), minutes),
    st.tuples(st.just("undo"), st.integers(0, 30), st.just(0), st.just(1)),
)


@dataclass
class Paper:
    """What everybody has by plain arithmetic: savings and grants of people by number, pools by township."""

    savings: Counter[int] = field(default_factory=Counter)
    granted: Counter[int] = field(default_factory=Counter)
    pools: Counter[str] = field(default_factory=Counter)
    done: list[tuple[UUID, str, int, int, int]] = field(default_factory=list)
    undone: set[int] = field(default_factory=set)

    def sides(self, kind: str, one: int, other: int) -> tuple[tuple[Counter[object], object], ...]:
        """Out of which purse into which."""
        pool = (self.pools, BOOKS[one % 3])
        ways = {
            "gift": ((self.savings, one), (self.savings, other)),
            "donation": ((self.savings, one), pool),
            "help": (pool, (self.granted, one)),
        }
        return ways[kind]  # type: ignore[return-value]

    def move(self, kind: str, one: int, other: int, amount: int, *, back: bool = False) -> bool:
        """Whether it could be moved, and was."""
        (source, place), (target, reached) = self.sides(kind, one, other)[:: -1 if back else 1]
        if source[place] < amount:
            return False
        source[place] -= amount
        target[reached] += amount
        return True


def related(one: int, other: int) -> bool:
    """Everybody with the next two."""
    return one != other and (other - one) % 6 in (1, 2, 4, 5)


def needy(one: int) -> bool:
    return one % 2 == 0


def people_of(session: Session, paper: Paper) -> list[Actor]:
    people = [add_elder(session, BOOKS[n % 3]) for n in range(6)]
    for n, one in enumerate(people):
        save_minutes(session, one, OPENING)
        paper.savings[n] = OPENING
        if n < len(BOOKS):
            fill_pool(session, BOOKS[n], OPENING)
            paper.pools[BOOKS[n]] = OPENING
        if needy(n):
            in_hardship(session, one, "低保")
        for other in range(n):
            if related(n, other):
                make_relatives(session, one, people[other], Relation.OTHER)
    return people


def carry_out(session: Session, people: list[Actor], paper: Paper, step: tuple[str, int, int, int]) -> str:
    """Do one step in the bank; answers the refusal's code, or nothing."""
    kind, one, other, amount = step
    try:
        with session.begin_nested():
            if kind == "gift":
                to = people[other].person()
                made = give(session, actor=people[one], to_person_id=to, minutes=amount).transfer_id
            elif kind == "donation":
                made = donate(session, actor=people[one], minutes=amount).transfer_id
            elif kind == "help":
                how = {"person_id": people[one].person(), "reason": "r", "evidence": "e"}
                asked = request_hardship(session, actor=steward(BOOKS[one % 3]), minutes=amount, **how)  # type: ignore[arg-type]
                granted = approve_hardship(session, actor=district(), hardship_id=asked.id).transfer_id
                assert granted is not None
                made = granted
            else:
                return undo(session, paper, one)
    except BankError as refusal:
        return refusal.code
    paper.done.append((made, kind, one, other, amount))
    return ""


def undo(session: Session, paper: Paper, place: int) -> str:
    if not paper.done:
        return "nothing_done"
    for approver in (district(), district()):
        reverse(session, actor=approver, transfer_id=paper.done[place % len(paper.done)][0], reason="记错了")
    return ""


def expected(paper: Paper, step: tuple[str, int, int, int]) -> str:
    """What the same step comes to on paper; the code of its refusal, or nothing."""
    kind, one, other, amount = step
    if kind == "undo":
        if not paper.done:
            return "nothing_done"
        place = one % len(paper.done)
        if place in paper.undone:
            return "already_reversed"
        if not paper.move(*paper.done[place][1:], back=True):
            return "insufficient_minutes"
        paper.undone.add(place)
        return ""
    if kind == "gift" and not related(one, other):
        return "not_relatives"
    if kind == "help" and not needy(one):
        return "not_in_hardship"
    moved = paper.move(kind, one, other, amount)
    return "" if moved else {"help": "pool_short"}.get(kind, "insufficient_minutes")


@pytest.fixture
def seen() -> Counter[str]:
    """How often each outcome came up, so that a machine that never gets anywhere is noticed."""
    return Counter()


def test_whatever_is_given_no_minute_is_made_or_lost(bank: Database, seen: Counter[str]) -> None:
    clock.freeze(NINE)

    @settings(max_examples=length(5, 12), deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.lists(steps, min_size=12, max_size=24))
    def live(life: list[tuple[str, int, int, int]]) -> None:
        with bank.session() as session:
            _live(session, life, seen)

    live()
    assert {"", "insufficient_minutes", "not_relatives", "not_in_hardship", "pool_short"} <= set(seen)
    assert seen["", "help"] >= 5
    assert seen["", "undo"] >= 5


def _live(session: Session, life: list[tuple[str, int, int, int]], seen: Counter[object]) -> None:
    """One example in a transaction that is rolled back, so that each begins with the same pools."""
    paper = Paper()
    people = people_of(session, paper)
    for step in life:
        wanted = expected(paper, step)
        got = carry_out(session, people, paper, step)
        assert got == wanted, step
        seen[got] += 1
        seen[got, step[0]] += 1
        assert [posted_in(session, AccountKind.SAVINGS, one) for one in people] == [paper.savings[n] for n in range(6)]
        assert [posted_in(session, AccountKind.GRANTED, one) for one in people] == [paper.granted[n] for n in range(6)]
        assert {book: pool_of(session, book) for book in BOOKS} == {book: paper.pools[book] for book in BOOKS}
    total = sum(paper.savings.values()) + sum(paper.granted.values()) + sum(paper.pools.values())
    assert total == (6 + len(BOOKS)) * OPENING
    _pools_tie(session, paper)
    assert sum(p.position_minutes for p in positions(session, window_name=None)[1]) == 0
    assert [misfit for check in checks() if (misfit := check.first_misfit(session)) is not None] == []


def _pools_tie(session: Session, paper: Paper) -> None:
    """What was donated and not undone, less what was given and not undone, is what each pool has."""
    sums: Counter[tuple[str, str]] = Counter()
    for place, (_, kind, one, _, amount) in enumerate(paper.done):
        if place not in paper.undone:
            sums[kind, BOOKS[one % 3]] += amount
    for pool in pools(session, actor=district()):
        code = pool.township_code
        assert (pool.donated_minutes, pool.given_minutes) == (sums["donation", code], sums["help", code])
        opening = OPENING if code in BOOKS else 0
        assert pool.balance_minutes == opening + pool.donated_minutes - pool.given_minutes
