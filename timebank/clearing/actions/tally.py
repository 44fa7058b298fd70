"""Tallying: summing up new movements by window, debtor, creditor and kind, and watching the limits while doing so.

Only movements up to a settled sequence number are tallied, so that each is counted once and none is passed over.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, Text, bindparam, select, text
from sqlalchemy.orm import Session

from timebank.clearing.models import Participant, TallyMark
from timebank.clearing.queries import open_window
from timebank.clearing.rules import GUARANTEED_KINDS, LimitState, standing
from timebank.core import clock
from timebank.core.amounts import hours_text
from timebank.ledger.actions import settled_seq
from timebank.notifications.actions import notify_stewards
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.townships.queries import township_names

# Whatever lies beyond the mark belongs to the open window: a window is tallied to its end when it closes.
_ADD = text("""
INSERT INTO clearing_tally AS c (window_number, debtor, creditor, kind, minutes, transfers)
SELECT :number, book_code, counterpart_book_code, kind, sum(amount), count(*)
FROM ledger_transfer
WHERE seq > :since AND seq <= :upto AND unit = 'minute' AND id = link_id
  AND kind NOT IN ('settlement', 'settlement_undone')
GROUP BY book_code, counterpart_book_code, kind
ON CONFLICT (window_number, debtor, creditor, kind)
DO UPDATE SET minutes = c.minutes + excluded.minutes, transfers = c.transfers + excluded.transfers
""")

# What everybody owes after each movement, in the order of posting; what lies beyond the hard limit is the fund's.
_CALL_GUARANTEES = text("""
INSERT INTO clearing_guarantee_call
    (transfer_id, seq, window_number, township_code, creditor, minutes, owed_minutes, hard_limit_minutes, noted_at)
SELECT r.id, r.seq, :number, r.book_code, r.counterpart_book_code,
       least(r.amount, r.owed - r.hard), r.owed, r.hard, :now
FROM (SELECT t.id, t.seq, t.book_code, t.counterpart_book_code, t.amount, t.kind, t.id = t.link_id AS is_first, l.hard,
             p.owed_minutes + sum(CASE WHEN t.id = t.link_id THEN t.amount ELSE -t.amount END)
                              OVER (PARTITION BY t.book_code ORDER BY t.seq) AS owed
      FROM ledger_transfer t
      JOIN clearing_participant p ON p.township_code = t.book_code
      JOIN unnest(:codes, :limits) AS l (code, hard) ON l.code = t.book_code
      WHERE t.seq > :since AND t.seq <= :upto AND t.unit = 'minute' AND t.link_id IS NOT NULL) r
WHERE r.is_first AND r.kind = ANY(:kinds) AND r.owed > r.hard
""").bindparams(
    bindparam("codes", type_=ARRAY(Text)),
    bindparam("limits", type_=ARRAY(BigInteger)),
    bindparam("kinds", type_=ARRAY(Text)),
)

_OWE = text("""
UPDATE clearing_participant p SET owed_minutes = p.owed_minutes + d.owed
FROM (SELECT book_code, sum(CASE WHEN id = link_id THEN amount ELSE -amount END) AS owed
      FROM ledger_transfer WHERE seq > :since AND seq <= :upto AND unit = 'minute' AND link_id IS NOT NULL
      GROUP BY book_code) d
WHERE d.book_code = p.township_code AND d.owed <> 0
""")


def tally_new_movements(session: Session) -> int:
    """Tally what is settled and not tallied yet; answers how many sequence numbers that were.

    Nothing is done where another process is at it, or where somebody posts for very long.
    """
    mark = session.scalar(select(TallyMark).with_for_update(skip_locked=True))
    upto = settled_seq(session) if mark is not None else None
    if mark is None or upto is None:
        return 0
    return tally_up_to(session, mark, upto)


def lock_mark(session: Session) -> TallyMark:
    """The tally's mark, once nobody else is tallying."""
    return session.scalars(select(TallyMark).with_for_update().execution_options(populate_existing=True)).one()


def tally_up_to(session: Session, mark: TallyMark, upto: int) -> int:
    """Carry the tally from its mark, which is locked, to ``upto``, which is settled."""
    since, now = mark.upto_seq, clock.now()
    policies = in_force(session, at=now)
    if upto > since:
        number = open_window(session).number
        session.execute(_ADD, {"number": number, "since": since, "upto": upto})
        codes = list(session.scalars(select(Participant.township_code)))
        guarantees = {
            "codes": codes,
            "limits": [policies.whole("position_hard_limit_minutes", code) for code in codes],
            "kinds": sorted(GUARANTEED_KINDS),
            "number": number,
            "since": since,
            "upto": upto,
            "now": now,
        }
        session.execute(_CALL_GUARANTEES, guarantees)
        session.execute(_OWE, {"since": since, "upto": upto})
        mark.upto_seq = upto
        session.flush()
    _watch_limits(session, policies, now)
    return upto - since


def _watch_limits(session: Session, policies: PolicyBook, now: datetime) -> None:
    """Tell the stewards of the township and of the district, once, when a limit is reached."""
    participants = select(Participant).order_by(Participant.township_code).execution_options(populate_existing=True)
    for participant in session.scalars(participants).all():
        code, owed = participant.township_code, participant.owed_minutes
        now_at = standing(policies, code, owed)
        soft, hard, state = now_at.soft_limit_minutes, now_at.hard_limit_minutes, now_at.limit_state
        over_hard = state is LimitState.HARD
        over_soft = over_hard or state is LimitState.SOFT
        if over_hard and participant.hard_limit_since is None:
            _tell(
                session,
                code,
                "硬限额",
                owed,
                hard,
                "本镇街居民新购跨镇街用餐券须由区级管理员放行；已有的券照常使用，由保障金垫付。",
            )
        elif over_soft and participant.soft_limit_since is None:
            _tell(session, code, "软限额", owed, soft, "请留意，必要时提前结算。")
        participant.hard_limit_since = (participant.hard_limit_since or now) if over_hard else None
        participant.soft_limit_since = (participant.soft_limit_since or now) if over_soft else None
    session.flush()


def _tell(session: Session, code: str, limit_name: str, owed: int, limit: int, what_now: str) -> None:
    name = township_names(session)[code]
    title = f"{name}头寸已到{limit_name}"
    body = f"{name}未结算应付{hours_text(owed)}，{limit_name}{hours_text(limit)}。{what_now}"
    for audience in (code, None):
        notify_stewards(session, township_code=audience, title=title, body=body)
