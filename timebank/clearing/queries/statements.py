"""Drawing up a statement 对账单: the same sums that make the positions, seen by one township, and every line of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session, aliased

from timebank.clearing.models import ClearingWindow, Dispute, MovedLine, Payment, Settlement, Statement
from timebank.clearing.queries.lines import Line, lines
from timebank.clearing.queries.positions import HOUSE_NAME, priced, prices_of, standings
from timebank.clearing.queries.seals import seal_of
from timebank.clearing.queries.statement_view import (
    BothWays,
    ConfirmationView,
    CounterpartTotal,
    DisputeView,
    Gross,
    KindTotal,
    MovedView,
    PaymentPart,
    SettlementView,
    StatementView,
)
from timebank.clearing.queries.windows import window_view
from timebank.clearing.rules import PRICE_KIND_NAMES, PricedSum, PriceKind, WindowStatus
from timebank.core.errors import Conflict
from timebank.ledger.models import Transfer
from timebank.ledger.queries import TRANSFER_KIND_NAMES
from timebank.ledger.rules import HOUSE
from timebank.townships.queries import township_names

RULING_NAMES = {"moved": "移入下一周期", "stays": "维持在本周期"}
DIRECTION_NAMES = {"pay": "付款", "receive": "收款"}
PAYMENT_STATE_NAMES = {"instructed": "待支付", "paid": "已支付", "failed": "支付失败", "withdrawn": "已撤回"}
METHOD_NAMES = {"pay": "付款结算", "carry": "结转下一周期"}
SETTLEMENT_STATUS_NAMES = {"instructed": "支付中", "completed": "已完成"}


def statement(session: Session, window: ClearingWindow, township_code: str) -> StatementView:
    """The statement of a township that exists; of the open window it says what stands at this moment."""
    names = {**township_names(session), HOUSE: HOUSE_NAME}
    own = [one for one in priced(session, window) if township_code in (one.debtor, one.creditor)]
    moved_in = _moved(session, MovedLine.to_window == window.number, township_code, names)
    moved_out = _moved(session, MovedLine.from_window == window.number, township_code, names)
    seal = None if window.status == WindowStatus.OPEN else window.seal or seal_of(session, window)
    return StatementView(
        window=window_view(session, window),
        prices_fen_per_hour=prices_of(session, window),
        township_code=township_code,
        township_name=names[township_code],
        total=BothWays(**_ways(township_code, own)),
        kinds=[_kind_total(township_code, kind, own) for kind in PriceKind],
        counterparts=_counterparts(township_code, own, names),
        moved_in=moved_in,
        moved_out=moved_out,
        disputes=_disputes(session, window, township_code, names),
        confirmation=_confirmation(session, window, township_code),
        settlement=_settlement(session, window, township_code),
        seal=seal.hex() if seal else None,
        seal_is_final=window.seal is not None,
        party_names=names,
        standing=None if window.status == WindowStatus.SETTLED else standings(session, [township_code])[township_code],
    )


def every_line(
    session: Session, window: ClearingWindow, said: StatementView, *, page_lines: int = 2000
) -> Iterator[Line]:
    """All lines behind a statement, read page by page, so that never more than one page is in memory.

    Raises Conflict ``lines_do_not_add_up`` at the end where they do not make the statement's totals, as they may while
    lines come in or move: let the session read of one moment (``of_one_moment``).
    """
    seen: dict[PriceKind, dict[bool, Gross]] = {kind: {True: Gross(), False: Gross()} for kind in PriceKind}
    after: int | None = None
    while True:
        page = lines(session, window, said.township_code, limit=page_lines, after_seq=after)
        for line in page:
            ways, given = seen[line.price_kind], line.minutes > 0
            ways[given] = Gross(ways[given].transfers + 1, ways[given].minutes + abs(line.minutes))
            yield line
        if len(page) < page_lines:
            break
        after = page[-1].seq
    for total in said.kinds:
        for given, gross in ((True, total.given), (False, total.received)):
            found = seen[total.price_kind][given]
            if (found.transfers, found.minutes) != (gross.transfers, gross.minutes):
                raise Conflict("lines_do_not_add_up", "明细与合计不符，对账单不能出具", price_kind=total.price_kind)


def _ways(township_code: str, sums: Iterable[PricedSum]) -> dict[str, Gross]:
    given, received = Gross(), Gross()
    for one in sums:
        if one.creditor == township_code:
            given = given.plus(one)
        else:
            received = received.plus(one)
    return {"given": given, "received": received}


def _kind_total(township_code: str, kind: PriceKind, sums: Iterable[PricedSum]) -> KindTotal:
    ways = _ways(township_code, (one for one in sums if one.price_kind is kind))
    return KindTotal(**ways, price_kind=kind, price_kind_name=PRICE_KIND_NAMES[kind])


def _counterparts(township_code: str, sums: Iterable[PricedSum], names: Mapping[str, str]) -> list[CounterpartTotal]:
    with_each: dict[str, list[PricedSum]] = {}
    for one in sums:
        other = one.debtor if one.creditor == township_code else one.creditor
        with_each.setdefault(other, []).append(one)
    return [
        CounterpartTotal(
            **_ways(township_code, own),
            counterpart_township_code=other,
            counterpart_name=names[other],
            parts=[_kind_total(township_code, kind, own) for kind in PriceKind if kind in {x.price_kind for x in own}],
        )
        for other, own in sorted(with_each.items())
    ]


def _seen_from(township_code: str, debtor: str, creditor: str, minutes: int) -> tuple[str, int]:
    """The other party of a movement, and its minutes, positive where they are owed to the township."""
    return (debtor, minutes) if creditor == township_code else (creditor, -minutes)


def _moved(
    session: Session, where: ColumnElement[bool], township_code: str, names: Mapping[str, str]
) -> list[MovedView]:
    came_from, went_to = aliased(ClearingWindow), aliased(ClearingWindow)
    query = (
        select(MovedLine, came_from.name, went_to.name)
        .join(came_from, came_from.number == MovedLine.from_window)
        .join(went_to, went_to.number == MovedLine.to_window)
        .where(where, or_(MovedLine.debtor == township_code, MovedLine.creditor == township_code))
        .order_by(MovedLine.moved_at, MovedLine.transfer_id)
    )
    found = []
    for row, from_window, to_window in session.execute(query):
        other, minutes = _seen_from(township_code, row.debtor, row.creditor, row.minutes)
        kind_name = TRANSFER_KIND_NAMES.get(row.kind, row.kind)
        where_to = (from_window, to_window, other, names[other])
        found.append(MovedView(row.transfer_id, *where_to, kind_name, minutes, row.moved_at))
    return found


def _disputes(
    session: Session, window: ClearingWindow, township_code: str, names: Mapping[str, str]
) -> list[DisputeView]:
    query = (
        select(Dispute, Transfer)
        .join(Transfer, Transfer.id == Dispute.transfer_id)
        .where(Dispute.window_number == window.number)
        .where(or_(Transfer.book_code == township_code, Transfer.counterpart_book_code == township_code))
        .order_by(Dispute.raised_at, Dispute.id)
    )
    return [_dispute(township_code, dispute, line, names) for dispute, line in session.execute(query)]


def _dispute(township_code: str, dispute: Dispute, line: Transfer, names: Mapping[str, str]) -> DisputeView:
    assert line.counterpart_book_code is not None
    other, minutes = _seen_from(township_code, line.book_code, line.counterpart_book_code, line.amount)
    return DisputeView(
        dispute_id=dispute.id,
        transfer_id=dispute.transfer_id,
        recorded_at=line.recorded_at,
        counterpart_township_code=other,
        counterpart_name=names[other],
        minutes=minutes,
        raised_by_township_code=dispute.township_code,
        raised_by_township_name=names[dispute.township_code],
        reason=dispute.reason,
        raised_at=dispute.raised_at,
        raised_by_name=dispute.raised_by_name,
        ruling=dispute.ruling,
        ruling_name=RULING_NAMES[dispute.ruling] if dispute.ruling else None,
        ruling_reason=dispute.ruling_reason,
        ruled_at=dispute.ruled_at,
        ruled_by_name=dispute.ruled_by_name,
    )


def _confirmation(session: Session, window: ClearingWindow, township_code: str) -> ConfirmationView | None:
    row = session.get(Statement, (window.number, township_code), populate_existing=True)
    if row is None or row.confirmed_at is None or row.confirmed_by_name is None:
        return None
    return ConfirmationView(row.confirmed_at, row.confirmed_by_name, row.note)


def _settlement(session: Session, window: ClearingWindow, township_code: str) -> SettlementView | None:
    standing = (
        select(Settlement, ClearingWindow.name)
        .outerjoin(ClearingWindow, ClearingWindow.number == Settlement.carried_into)
        .where(Settlement.window_number == window.number, Settlement.status != "aborted")
    )
    found = session.execute(standing).one_or_none()
    if found is None:
        return None
    settlement, carried_into = found
    return SettlementView(
        settlement_id=settlement.id,
        method=settlement.method,
        method_name=METHOD_NAMES[settlement.method],
        status=settlement.status,
        status_name=SETTLEMENT_STATUS_NAMES[settlement.status],
        settled_at=settlement.settled_at,
        settled_by_name=settlement.settled_by_name,
        carried_into=carried_into,
        payments=_payments(session, settlement.id, township_code),
    )


def _payments(session: Session, settlement_id: UUID, township_code: str) -> list[PaymentPart]:
    query = select(Payment).where(Payment.settlement_id == settlement_id, Payment.township_code == township_code)
    return [
        PaymentPart(
            payment_id=one.id,
            attempt=one.attempt,
            direction=one.direction,
            direction_name=DIRECTION_NAMES[one.direction],
            amount_fen=one.amount_fen,
            state=one.state,
            state_name=PAYMENT_STATE_NAMES[one.state],
            outside_reference=one.outside_reference,
            problem=one.problem,
            instructed_at=one.instructed_at,
            ended_at=one.ended_at,
        )
        for one in session.scalars(query.order_by(Payment.attempt))
    ]
