"""Tracing a transfer 逐笔追溯: its lines, its cause, what undid it, and its place in the seals. For the desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.core.actors import Actor
from timebank.core.amounts import Unit, hours_text, yuan_text
from timebank.core.errors import NotAllowed
from timebank.explaining.causes import Cause, cause_of, causes_under
from timebank.ledger.account_names import ACCOUNT_KIND_NAMES
from timebank.ledger.actions import movement_of, surplus_standing, why_not_reversible
from timebank.ledger.models import Account, ReversalRequest, Seal, Transfer
from timebank.ledger.queries import TRANSFER_KIND_NAMES
from timebank.ledger.rules import HOUSE, AccountKind
from timebank.people.login_models import Login
from timebank.people.models import Person
from timebank.people.rules import masked_name
from timebank.redemption.queries import order_of
from timebank.townships.models import Organisation
from timebank.townships.queries import township_names

Legs = Sequence[Transfer]
"""The rows of one movement: one within a book, two between books, in their order."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of a line's two accounts; ``person_id`` only where the asker may open that person's page."""

    account_name: str
    holder_name: str | None
    person_id: UUID | None
    balance: int | None


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the books."""

    leg_id: UUID
    seq: int
    book_code: str
    book_name: str
    source: Side
    target: Side
    amount: int


@dataclass(frozen=True, slots=True)
class Reversal:
    """Whether it may be undone, how far that is, and what would happen; ``will`` are lines that would be written.

    ``state``: ``reversible``, ``not_reversible`` (``why_not``), ``awaiting_second_person``, ``reversed``.
    """

    state: str
    why_not: str | None
    reason: str | None
    requested_by_name: str | None
    requested_at: datetime | None
    requested_by_me: bool
    reversal_transfer_id: UUID | None
    will: Sequence[Line]
    besides: Sequence[str]


@dataclass(frozen=True, slots=True)
class Brief:
    """One movement in a list; amounts in minutes or fen by ``unit``."""

    transfer_id: UUID
    recorded_at: datetime
    kind: str
    unit: str
    amount: int
    from_book_name: str
    to_book_name: str
    note: str
    reverses_id: UUID | None
    reversed: bool

    @property
    def kind_name(self) -> str:
        """What it is called."""
        return TRANSFER_KIND_NAMES.get(self.kind, self.kind)


@dataclass(frozen=True, slots=True)
class Trace:
    """Everything about one movement."""

    movement: Brief
    effective_at: datetime
    policy_version: int | None
    recorded_by_name: str | None
    approved_by_name: str | None
    lines: Sequence[Line]
    cause: Cause | None
    reversal: Reversal
    seal: Seal | None


def trace(session: Session, *, actor: Actor, transfer_id: UUID) -> Trace:
    """A movement from end to end, whichever of its legs is named. That it was looked at is written down.

    Raises NotAllowed ``books_not_yours``, ``other_township``; NotFound ``transfer_unknown``.
    """
    actor.must_see_books()
    first, last = movement_of(session, transfer_id)
    legs = [first] if first is last else [first, last]
    if not _concerning(session, actor, [legs]):
        raise NotAllowed("other_township", "只能查看与本镇街有关的划转")
    note_down(session, actor=actor, action="transfer_looked_at", subject=("transfer", first.id))
    names = _Names(session, actor, legs)
    return Trace(
        movement=_briefs(session, [legs], names)[0],
        effective_at=first.effective_at,
        policy_version=first.policy_version,
        recorded_by_name=names.login(first.recorded_by),
        approved_by_name=names.login(first.approved_by),
        lines=[names.line(leg) for leg in legs],
        cause=_cause(session, actor, first),
        reversal=_reversal(session, actor, legs, names),
        seal=session.scalar(select(Seal).where(Seal.to_seq >= first.seq).order_by(Seal.to_seq).limit(1)),
    )


def of_cause(session: Session, *, actor: Actor, cause_id: UUID) -> list[Brief]:
    """The movements that one thing caused, oldest first.

    ``cause_id`` is a cause's own id, or a task's or a loan's, whose services and days are causes. A township steward
    is told of those that concern the own township. Raises NotAllowed ``books_not_yours``.
    """
    actor.must_see_books()
    caused = select(Transfer).where(Transfer.cause_id.in_(causes_under(session, cause_id)))
    movements: dict[UUID, list[Transfer]] = {}
    for leg in session.scalars(caused.order_by(Transfer.seq)):
        movements.setdefault(leg.link_id or leg.id, []).append(leg)
    seen = _concerning(session, actor, list(movements.values()))
    note_down(session, actor=actor, action="transfers_looked_at", subject=("cause", cause_id))
    return _briefs(session, seen, _Names(session, actor, [leg for legs in seen for leg in legs]))


def _concerning(session: Session, actor: Actor, movements: Sequence[Legs]) -> list[Legs]:
    """Those that a township is in: by a book, by somebody who lives there, or by a canteen that lies there."""
    if not actor.is_steward or actor.is_district:
        return list(movements)
    of = select(Account.id).where(Account.id.in_({id_ for legs in movements for leg in legs for id_ in _accounts(leg)}))
    people = of.join(Person, Person.id == Account.person_id).where(Person.township_code == actor.township_code)
    places = of.join(Organisation, Organisation.id == Account.organisation_id)
    here = {*session.scalars(people), *session.scalars(places.where(Organisation.township_code == actor.township_code))}
    return [
        legs
        for legs in movements
        if any(leg.book_code == actor.township_code or here.intersection(_accounts(leg)) for leg in legs)
    ]


def _cause(session: Session, actor: Actor, first: Transfer) -> Cause | None:
    """What it was caused by; whose that was only where the asker may open that person's page."""
    if first.cause_kind is None or first.cause_id is None:
        return None
    cause = cause_of(session, first.cause_kind, first.cause_id)
    if cause.person_id is None or _may_open(actor, session.get_one(Person, cause.person_id)):
        return cause
    return replace(cause, person_id=None)


def _may_open(actor: Actor, someone: Person) -> bool:
    return actor.stewards(someone.township_code) or not actor.is_steward


def _accounts(leg: Transfer) -> tuple[int, int]:
    return leg.from_account_id, leg.to_account_id


class _Names:
    """What books, accounts and people are called for one asker; whoever does not steward them reads shortened names."""

    def __init__(self, session: Session, actor: Actor, legs: Legs) -> None:
        self._session, self._actor = session, actor
        self._books = {**township_names(session), HOUSE: "区清算中心"}
        rows = session.execute(
            select(Account, Person, Organisation.name)
            .outerjoin(Person, Person.id == Account.person_id)
            .outerjoin(Organisation, Organisation.id == Account.organisation_id)
            .where(Account.id.in_({account_id for leg in legs for account_id in _accounts(leg)}))
        )
        self._accounts: dict[int, tuple[Account, Person | None, str | None]] = {
            account.id: (account, holder, place) for account, holder, place in rows
        }

    def book(self, leg: Transfer) -> str:
        """The book that a row stands in."""
        return self._books.get(leg.book_code, leg.book_code)

    def line(self, leg: Transfer) -> Line:
        """One row of the books, in words."""
        source = self._side(leg.from_account_id, leg.from_balance)
        target = self._side(leg.to_account_id, leg.to_balance)
        return Line(leg.id, leg.seq, leg.book_code, self.book(leg), source, target, leg.amount)

    def mirrored(self, leg: Transfer) -> Line:
        """The row the other way round, as its reversal would write it."""
        source, target = self._side(leg.to_account_id, None), self._side(leg.from_account_id, None)
        return Line(leg.id, leg.seq, leg.book_code, self.book(leg), source, target, leg.amount)

    def is_left_behind(self, account_id: int) -> bool:
        """Whether its holder has moved away from it, or left."""
        account, holder, _ = self._accounts[account_id]
        return holder is not None and account.closed_at is not None

    def login(self, login_id: UUID | None) -> str | None:
        """Who stood behind a login; what the bank did by itself was done by nobody."""
        login = self._session.get(Login, login_id) if login_id is not None else None
        if login is None:
            return None
        behind = self._session.get(Person, login.person_id) if login.person_id is not None else None
        return login.display_name if behind is None else self._name(behind)

    def _side(self, account_id: int, balance: int | None) -> Side:
        account, holder, place = self._accounts[account_id]
        name = ACCOUNT_KIND_NAMES[AccountKind(account.kind)]
        if holder is None:
            return Side(name, place, None, balance)
        return Side(name, self._name(holder), holder.id if _may_open(self._actor, holder) else None, balance)

    def _name(self, someone: Person) -> str:
        return someone.name if self._actor.stewards(someone.township_code) else masked_name(someone.name)


def _briefs(session: Session, movements: Sequence[Legs], names: _Names) -> list[Brief]:
    firsts = [legs[0].id for legs in movements]
    undone = set(session.scalars(select(Transfer.reverses_id).where(Transfer.reverses_id.in_(firsts))))
    return [
        Brief(
            transfer_id=legs[0].id,
            recorded_at=legs[0].recorded_at,
            kind=legs[0].kind,
            unit=legs[0].unit,
            amount=legs[0].amount,
            from_book_name=names.book(legs[0]),
            to_book_name=names.book(legs[-1]),
            note=legs[0].note,
            reverses_id=legs[0].reverses_id,
            reversed=legs[0].id in undone,
        )
        for legs in movements
    ]


def _reversal(session: Session, actor: Actor, legs: Legs, names: _Names) -> Reversal:
    first = legs[0]
    request = session.get(ReversalRequest, first.id)
    done = session.scalar(select(Transfer).where(Transfer.reverses_id == first.id))
    refusal = why_not_reversible(session, first, order_of)
    if done is not None:
        state = "reversed"
    elif request is not None and request.approved_by is None:
        state = "awaiting_second_person"
    else:
        state = "reversible" if refusal is None else "not_reversible"
    opens = state in ("reversible", "awaiting_second_person")
    along = [leg for surplus in surplus_standing(session, first) for leg in movement_of(session, surplus.id)]
    more = _Names(session, actor, along)
    will = [names.mirrored(leg) for leg in reversed(legs)]
    will += [more.mirrored(leg) for leg in dict.fromkeys(reversed(along))]
    return Reversal(
        state=state,
        why_not=refusal.title if refusal is not None and state == "not_reversible" else None,
        reason=request.reason if request is not None else None,
        requested_by_name=names.login(request.requested_by) if request is not None else None,
        requested_at=request.requested_at if request is not None else None,
        requested_by_me=request is not None and request.requested_by == actor.login_id,
        reversal_transfer_id=(done.link_id or done.id) if done is not None else None,
        will=will if opens else (),
        besides=_besides(legs, names) if opens else (),
    )


def _besides(legs: Legs, names: _Names) -> list[str]:
    """What else a reversal would do, where that is settled only when it is approved."""
    first, said = legs[0], []
    amount = hours_text(first.amount) if first.unit == Unit.MINUTE else yuan_text(first.amount)
    got, paid = legs[-1].to_account_id, first.from_account_id
    if names.is_left_behind(got):
        said.append(f"得到的人已经迁出或退出：先从现在的账户取回{amount}；不够就办不成")
    if names.is_left_behind(paid):
        said.append(f"付出的人已经迁出或退出：{amount}再转到现在的账户")
    if first.kind == "voucher_redemption":
        said.append(f"这一餐作废，{amount}再从用餐券退回当初付券的账户")
    return said
