"""Recomputing clearing from raw transfers, and naming the first row that does not fit."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from timebank.clearing.models import ClearingWindow, Settlement, Statement
from timebank.clearing.queries import owed_minutes, sums_of
from timebank.clearing.queries.seals import seal_of
from timebank.clearing.rules import Net, WindowStatus, nets, nets_by_kind, price
from timebank.ledger.rules import HOUSE
from timebank.ledger.verify import Check, Misfit, sql_check
from timebank.townships.queries import townships

_SQL_CHECKS: tuple[tuple[str, str, str, str], ...] = (
    (
        "windows_follow",
        "清算周期首尾相接，只有一个进行中",
        "clearing_window",
        """SELECT w.name, 'does not begin where the one before it ends' FROM (
            SELECT name, number, from_seq, status, lag(to_seq, 1, 0::bigint) OVER n AS ended,
                   row_number() OVER n AS place, lead(number) OVER n AS following
            FROM clearing_window WINDOW n AS (ORDER BY number)) w
        WHERE w.from_seq IS DISTINCT FROM w.ended OR w.number <> w.place
           OR (w.status = 'open') <> (w.following IS NULL) ORDER BY w.number LIMIT 1""",
    ),
    (
        "tallies_agree",
        "镇街往来累计与逐笔划转相符",
        "clearing_tally",
        """SELECT concat_ws(' ', c.name, coalesce(y.debtor, r.debtor), coalesce(y.creditor, r.creditor),
                          coalesce(y.kind, r.kind)),
               'tallied ' || coalesce(y.minutes, 0) || ' minutes in ' || coalesce(y.transfers, 0)
               || ' transfers; the transfers make ' || coalesce(r.minutes, 0) || ' in ' || coalesce(r.transfers, 0)
        FROM clearing_tally y
        FULL JOIN (SELECT w.number, t.book_code AS debtor, t.counterpart_book_code AS creditor, t.kind,
                          sum(t.amount) AS minutes, count(*) AS transfers
                   FROM ledger_transfer t
                   JOIN clearing_window w ON t.seq > w.from_seq AND (w.to_seq IS NULL OR t.seq <= w.to_seq)
                   WHERE t.unit = 'minute' AND t.id = t.link_id AND t.kind NOT IN ('settlement', 'settlement_undone')
                     AND t.seq <= (SELECT upto_seq FROM clearing_tally_mark)
                   GROUP BY 1, 2, 3, 4) r
            ON (r.number, r.debtor, r.creditor, r.kind) = (y.window_number, y.debtor, y.creditor, y.kind)
        LEFT JOIN clearing_window c ON c.number = coalesce(y.window_number, r.number)
        WHERE y.minutes IS DISTINCT FROM r.minutes OR y.transfers IS DISTINCT FROM r.transfers
        ORDER BY 1 LIMIT 1""",
    ),
    (
        "lines_reached",
        "关账周期的每笔往来都能列出",
        "clearing_window",
        """SELECT w.name, 'its lines are read up to ' || w.last_leg_seq || ', the last one has ' || max(s.seq)
        FROM clearing_window w
        JOIN ledger_transfer f ON f.seq > w.from_seq AND f.seq <= w.to_seq AND f.unit = 'minute' AND f.id = f.link_id
        JOIN ledger_transfer s ON s.id <> f.id AND s.link_id = f.id
        GROUP BY w.number, w.name, w.last_leg_seq HAVING max(s.seq) > w.last_leg_seq ORDER BY w.number LIMIT 1""",
    ),
    (
        "moved_lines_belong",
        "移到下期的明细确属原周期，且金额相符",
        "clearing_moved_line",
        """SELECT m.transfer_id, 'was not a line of the window that it left, or is not that transfer'
        FROM clearing_moved_line m
        LEFT JOIN ledger_transfer t ON t.id = m.transfer_id AND t.id = t.link_id
        LEFT JOIN clearing_window w ON w.number = m.from_window
        WHERE t.id IS NULL OR (t.book_code, t.counterpart_book_code, t.kind, t.amount)
                              IS DISTINCT FROM (m.debtor, m.creditor, m.kind, m.minutes)
           OR NOT (t.seq > w.from_seq AND t.seq <= w.to_seq
                   OR EXISTS (SELECT FROM clearing_moved_line b
                              WHERE b.transfer_id = m.transfer_id AND b.to_window = m.from_window))
        ORDER BY 1 LIMIT 1""",
    ),
    (
        "house_keeps_nothing",
        "区清算中心除结算之外不留分钟",
        "ledger_account",
        """SELECT a.id, a.kind || ' of the house holds ' || i.total - o.total FROM ledger_account a
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                            WHERE to_account_id = a.id) i
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS total FROM ledger_transfer
                            WHERE from_account_id = a.id) o
        WHERE a.book_code = 'house' AND a.unit = 'minute' AND a.kind IN ('netting', 'clearing') AND i.total <> o.total
        ORDER BY a.id LIMIT 1""",
    ),
    (
        "settlements_whole",
        "结算划转与已结算周期的头寸相符",
        "clearing_settlement",
        """SELECT concat_ws(' ', coalesce(p.id, m.cause_id), coalesce(p.township_code, m.book_code)),
               CASE WHEN coalesce(p.carried, m.carried) THEN 'to be carried ' ELSE 'to be settled ' END
               || coalesce(p.minutes, 0) || ', moved ' || coalesce(m.minutes, 0)
        FROM (SELECT s.id, y.township_code, k.carried,
                     CASE WHEN s.status = 'aborted' OR k.carried AND s.method = 'pay' THEN 0
                          WHEN k.carried THEN -y.position_minutes ELSE y.position_minutes END AS minutes
              FROM clearing_settlement s JOIN clearing_statement y ON y.window_number = s.window_number
              CROSS JOIN (VALUES (false), (true)) k (carried)) p
        FULL JOIN (SELECT t.cause_id, t.book_code, t.kind IN ('carried_meal', 'carried_care', 'carried_aid') AS carried,
                          sum(CASE WHEN a.kind = 'clearing' THEN t.amount ELSE -t.amount END) AS minutes
                   FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_account_id
                   WHERE t.kind IN ('settlement', 'settlement_undone', 'carried_meal', 'carried_care', 'carried_aid')
                     AND t.book_code <> 'house'
                   GROUP BY 1, 2, 3) m ON (m.cause_id, m.book_code, m.carried) = (p.id, p.township_code, p.carried)
        WHERE coalesce(p.minutes, 0) <> coalesce(m.minutes, 0) ORDER BY 1 LIMIT 1""",
    ),
    (
        "payments_agree",
        "付款清单与对账单金额相符，付清才算完成",
        "clearing_payment",
        """SELECT concat_ws(' ', coalesce(w.id, p.settlement_id), coalesce(w.township_code, p.township_code)),
               'the statement makes ' || coalesce(w.fen, 0) || ' fen; its payments say ' || coalesce(p.said, 'nothing')
        FROM (SELECT s.id, s.status, y.township_code, y.position_fen AS fen
              FROM clearing_settlement s JOIN clearing_statement y ON y.window_number = s.window_number
              WHERE s.method = 'pay' AND s.status <> 'aborted' AND y.position_fen <> 0) w
        FULL JOIN (SELECT p.settlement_id, p.township_code,
                          min(CASE direction WHEN 'receive' THEN amount_fen ELSE -amount_fen END) AS least,
                          max(CASE direction WHEN 'receive' THEN amount_fen ELSE -amount_fen END) AS most,
                          bool_or(state = 'paid') AS paid, string_agg(direction || ' ' || amount_fen, ', ') AS said
                   FROM clearing_payment p JOIN clearing_settlement s ON s.id = p.settlement_id
                   WHERE s.status <> 'aborted' GROUP BY 1, 2) p
            ON (p.settlement_id, p.township_code) = (w.id, w.township_code)
        WHERE w.fen IS DISTINCT FROM p.least OR w.fen IS DISTINCT FROM p.most
           OR w.status = 'completed' AND NOT p.paid ORDER BY 1 LIMIT 1""",
    ),
    (
        "guarantees_fit",
        "保障金垫付与核销、限额相符",
        "clearing_guarantee_call",
        """SELECT c.transfer_id, 'is no meal of that township, or not the part of it beyond the limit'
        FROM clearing_guarantee_call c LEFT JOIN ledger_transfer t ON t.id = c.transfer_id
        WHERE (t.seq, t.id, t.book_code, t.counterpart_book_code, t.kind)
              IS DISTINCT FROM (c.seq, t.link_id, c.township_code, c.creditor, 'voucher_redemption')
           OR c.minutes <> least(t.amount, c.owed_minutes - c.hard_limit_minutes)
        ORDER BY c.seq LIMIT 1""",
    ),
    (
        "settled_windows_settled",
        "已结算的周期各有一次有效结算",
        "clearing_window",
        """SELECT w.name, 'status ' || w.status || ', settlements in force ' || count(s.id) FROM clearing_window w
        LEFT JOIN clearing_settlement s ON s.window_number = w.number AND s.status <> 'aborted'
        GROUP BY w.number, w.name, w.status HAVING count(s.id) <> (w.status = 'settled')::int
        ORDER BY w.number LIMIT 1""",
    ),
)


# The transfers of a settlement carry the window's seal, and lie under the seals of the ledger themselves. Where nobody
# was owed a minute there are none; then the trace of the settling still has it.
_OTHER_SEAL = text("""
SELECT true FROM clearing_settlement s JOIN ledger_transfer t ON t.cause_id = s.id AND t.kind = 'settlement'
WHERE s.window_number = :number AND s.status <> 'aborted' AND right(t.note, 64) <> :seal
UNION ALL
SELECT true FROM (SELECT facts ->> 'seal' AS seal FROM audit_entry
                  WHERE action = 'window_settled' AND subject_kind = 'clearing_window' AND subject_id = :name
                  ORDER BY id DESC LIMIT 1) e WHERE e.seal <> :seal
LIMIT 1
""")

_CARRIED = text("""
SELECT t.book_code, t.kind, sum(CASE WHEN a.kind = 'clearing' THEN -t.amount ELSE t.amount END)::bigint
FROM ledger_transfer t JOIN ledger_account a ON a.id = t.to_account_id
WHERE t.cause_id = :id AND t.kind IN ('carried_meal', 'carried_care', 'carried_aid') AND t.book_code <> 'house'
GROUP BY 1, 2
""")


def clearing_checks() -> Iterator[Check]:
    """Every check of clearing."""
    for name, title, table, query in _SQL_CHECKS:
        yield sql_check(name, title, table, query)
    yield Check("statements_agree", "各镇街对账单与往来合计相符", _first_wrong_statement)
    yield Check("carried_as_it_was", "结转的分钟按原类别结转", _first_wrong_carrying)
    yield Check("window_seals_hold", "已结算周期与其封存相符", _first_broken_seal)
    yield Check("debts_agree", "各镇街未结算应付与清算账户、各周期头寸相符", _first_wrong_debt)


def _closed(session: Session) -> list[ClearingWindow]:
    query = select(ClearingWindow).where(ClearingWindow.status != WindowStatus.OPEN).order_by(ClearingWindow.number)
    return list(session.scalars(query))


def _first_wrong_statement(session: Session) -> Misfit | None:
    for window in _closed(session):
        wanted = nets(price(sums_of(session, window), window.prices or {}))
        said = {
            row.township_code: Net(row.position_minutes, row.position_fen)
            for row in session.scalars(select(Statement).where(Statement.window_number == window.number))
        }
        for code in sorted((set(wanted) | set(said)) - {HOUSE}):
            if wanted.get(code, Net()) != said.get(code, Net()):
                problem = f"says {said.get(code)}, its lines make {wanted.get(code)}"
                return Misfit("statements_agree", "clearing_statement", f"{window.name} {code}", problem)
    return None


def _first_wrong_carrying(session: Session) -> Misfit | None:
    """What was a meal is carried as a meal: the price of the window in which it is paid depends on it."""
    settlements = select(Settlement).where(Settlement.method == "carry", Settlement.status != "aborted")
    for settlement in session.scalars(settlements.order_by(Settlement.settled_at)):
        window = session.get_one(ClearingWindow, settlement.window_number)
        wanted = {
            (code, str(kind)): minutes
            for (code, kind), minutes in nets_by_kind(price(sums_of(session, window), {})).items()
            if minutes and code != HOUSE
        }
        carried = {
            (code, kind.removeprefix("carried_")): minutes
            for code, kind, minutes in session.execute(_CARRIED, {"id": settlement.id})
            if minutes
        }
        for code, kind in sorted(wanted.keys() | carried.keys()):
            if wanted.get((code, kind), 0) != carried.get((code, kind), 0):
                problem = f"{kind}: {wanted.get((code, kind), 0)} to be carried, {carried.get((code, kind), 0)} were"
                return Misfit("carried_as_it_was", "clearing_settlement", f"{settlement.id} {code}", problem)
    return None


def _first_broken_seal(session: Session) -> Misfit | None:
    for window in _closed(session):
        if window.status != WindowStatus.SETTLED or window.seal is None:
            continue
        if window.seal != seal_of(session, window):
            problem = "the seal is not that of what the window says"
            return Misfit("window_seals_hold", "clearing_window", window.name, problem)
        asked = {"number": window.number, "name": window.name, "seal": window.seal.hex()}
        if session.scalar(_OTHER_SEAL, asked) is not None:
            problem = "the seal is not the one that stood when the window was settled"
            return Misfit("window_seals_hold", "clearing_window", window.name, problem)
    return None


def _first_wrong_debt(session: Session) -> Misfit | None:
    unsettled = select(ClearingWindow).where(ClearingWindow.status != WindowStatus.SETTLED)
    made: dict[str, int] = {}
    for window in session.scalars(unsettled):
        for code, net in nets(price(sums_of(session, window), {})).items():
            made[code] = made.get(code, 0) - net.minutes
    owed = owed_minutes(session, [township.code for township in townships(session)])
    wrong = [code for code in sorted(owed) if owed[code] != made.get(code, 0)]
    if not wrong:
        return None
    problem = f"owes {owed[wrong[0]]} by its clearing account, {made.get(wrong[0], 0)} by its unsettled windows"
    return Misfit("debts_agree", "clearing_participant", wrong[0], problem)
