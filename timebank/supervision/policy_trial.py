"""Trying a policy set 办法试算: what would have been different over the bank's own history. Reads only.

Each figure is reckoned twice in the same way, under the district's policies now and under the set, each rule by itself;
what townships have of their own is left out of both, since a set speaks for the whole district.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.orm import Session

from timebank.allotments.rules import months_later
from timebank.clearing.queries import owed_minutes
from timebank.core import clock
from timebank.policies.comparing import PolicySet
from timebank.policies.definitions import DEFINITIONS
from timebank.policies.queries import in_force
from timebank.policies.rules import PolicyBook
from timebank.townships.queries import townships


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a trial, and the policy that it follows from."""

    key: str
    what: str
    unit: str
    now: int
    tried: int

    @property
    def label(self) -> str:
        """What the rule is called."""
        return DEFINITIONS[self.key].label


@dataclass(frozen=True, slots=True)
class Trial:
    """All figures of one set, reckoned over what happened since ``since``."""

    name: str
    title: str
    since: datetime
    until: datetime
    figures: list[Figure]


@dataclass(frozen=True, slots=True)
class _Question:
    """A query answering ``(count, amount)`` from the policies it names; 0 of ``off`` switches the rule off."""

    key: str
    counted: tuple[str, str]
    summed: tuple[str, str] | None
    query: str
    policies: tuple[str, ...]
    off: str | None = None


_SERVED = "task_assignment p WHERE p.status = 'confirmed'"
_AGE = "extract(year FROM age(CAST(:today AS date), h.born_on))"
_HOLDERS = """
    (SELECT h.id, h.born_on, coalesce(f.circumstances, '{}') AS circumstances, sum(a.posted) AS minutes
     FROM person h JOIN ledger_account a ON a.person_id = h.id AND a.kind = 'savings' AND a.unit = 'minute'
     LEFT JOIN elder_file f ON f.person_id = h.id
     WHERE h.left_at IS NULL GROUP BY h.id, f.person_id HAVING sum(a.posted) > 0) h
"""

_QUESTIONS = (
    _Question(
        "lifetime_cap_minutes",
        ("达到一生上限的志愿者", "人"),
        ("因一生上限转入公益时间池", "分钟"),
        f"""SELECT count(DISTINCT volunteer_id),
               coalesce(sum(least(payable_minutes, running - :lifetime_cap_minutes)), 0)
        FROM (SELECT p.volunteer_id, p.payable_minutes, p.confirmed_at,
                     sum(p.payable_minutes) OVER (PARTITION BY p.volunteer_id ORDER BY p.confirmed_at, p.id) AS running
              FROM {_SERVED}) p
        WHERE running > :lifetime_cap_minutes AND confirmed_at >= :since""",
        ("lifetime_cap_minutes",),
        off="lifetime_cap_minutes",
    ),
    _Question(
        "daily_cap_minutes",
        ("超过每天上限的志愿者", "人"),
        ("因每天上限转入公益时间池", "分钟"),
        f"""SELECT count(DISTINCT volunteer_id), coalesce(sum(minutes - :daily_cap_minutes), 0)
        FROM (SELECT p.volunteer_id, sum(p.payable_minutes) AS minutes
              FROM {_SERVED} AND lower(coalesce(p.served_during, p.planned_during)) >= :since
              GROUP BY p.volunteer_id,
                       (lower(coalesce(p.served_during, p.planned_during)) AT TIME ZONE 'Asia/Shanghai')::date) d
        WHERE minutes > :daily_cap_minutes""",
        ("daily_cap_minutes",),
        off="daily_cap_minutes",
    ),
    _Question(
        "volunteer_min_age",
        ("服务时未达志愿者年龄的", "人"),
        ("他们所得的时长", "分钟"),
        """SELECT count(DISTINCT h.id), coalesce(sum(p.payable_minutes), 0)
        FROM task_assignment p JOIN person h ON h.id = p.volunteer_id
        WHERE p.status = 'confirmed' AND p.confirmed_at >= :since
          AND extract(year FROM age((lower(coalesce(p.served_during, p.planned_during))
                                     AT TIME ZONE 'Asia/Shanghai')::date, h.born_on)) < :volunteer_min_age""",
        ("volunteer_min_age",),
    ),
    _Question(
        "redeem_min_age",
        ("有储蓄、还不到兑换年龄的", "人"),
        ("他们暂不能自用的时长", "分钟"),
        f"""SELECT count(*), coalesce(sum(minutes), 0) FROM {_HOLDERS}
        WHERE {_AGE} < CASE WHEN h.circumstances && CAST(:hardship_circumstances AS text[])
                            THEN least(:redeem_min_age, :redeem_min_age_hardship) ELSE :redeem_min_age END""",
        ("redeem_min_age", "redeem_min_age_hardship", "hardship_circumstances"),
    ),
    _Question(
        "vesting_min_minutes",
        ("有储蓄、还不满兑换所需服务的", "人"),
        ("他们暂不能自用的时长", "分钟"),
        f"""SELECT count(*), coalesce(sum(minutes), 0) FROM {_HOLDERS}
        JOIN LATERAL (SELECT sum(p.payable_minutes) AS served,
                             min((p.confirmed_at AT TIME ZONE 'Asia/Shanghai')::date) AS since
                      FROM {_SERVED} AND p.volunteer_id = h.id) s ON s.since IS NOT NULL
        WHERE (:vesting_min_minutes > 0 OR :vesting_min_days > 0)
          AND NOT (:vesting_min_minutes > 0 AND s.served >= :vesting_min_minutes)
          AND NOT (:vesting_min_days > 0 AND CAST(:today AS date) - s.since >= :vesting_min_days)""",
        ("vesting_min_minutes", "vesting_min_days"),
    ),
    _Question(
        "voucher_price_minutes",
        ("购买的用餐券", "张"),
        ("购买用餐券所付的时长", "分钟"),
        """SELECT count(*), count(*) * CAST(:voucher_price_minutes AS bigint)
        FROM voucher WHERE replaces_id IS NULL AND issued_at >= :since""",
        ("voucher_price_minutes",),
    ),
    _Question(
        "gift_relations",
        ("不合规定的赠与", "笔"),
        ("不合规定的赠与时长", "分钟"),
        """SELECT count(*), coalesce(sum(g.minutes), 0) FROM giving_gift g JOIN person h ON h.id = g.receiver_id
        WHERE g.given_at >= :since AND (g.relation <> ALL(CAST(:gift_relations AS text[]))
              OR extract(year FROM age((g.given_at AT TIME ZONE 'Asia/Shanghai')::date, h.born_on))
                 < :gift_receiver_min_age)""",
        ("gift_relations", "gift_receiver_min_age"),
    ),
    _Question(
        "seed_minutes",
        ("可领种子时长的老人", "人"),
        ("种子时长合计", "分钟"),
        f"""SELECT count(*), count(*) * CAST(:seed_minutes AS bigint)
        FROM person h JOIN elder_file f ON f.person_id = h.id
        WHERE h.left_at IS NULL
          AND ((f.circumstances && CAST(:alone_circumstances AS text[]) AND {_AGE} >= :seed_alone_min_age)
               OR (f.circumstances && CAST(:hardship_circumstances AS text[]) AND {_AGE} >= :seed_hardship_min_age
                   AND f.assessment_level >= :seed_hardship_min_level))""",
        (
            *("seed_minutes", "seed_alone_min_age", "alone_circumstances", "seed_hardship_min_age"),
            *("seed_hardship_min_level", "hardship_circumstances"),
        ),
        off="seed_minutes",
    ),
    _Question(
        "allotment_minutes_by_level",
        ("每月可得政府购买服务时长的老人", "人"),
        ("每月政府购买服务时长", "分钟"),
        """SELECT count(*), coalesce(sum(l.minutes), 0) FROM elder_file f JOIN person h ON h.id = f.person_id
        JOIN LATERAL (SELECT CAST(CAST(:allotment_minutes_by_level AS jsonb) ->> f.assessment_level::text AS bigint)
                      AS minutes) l ON l.minutes > 0
        WHERE h.left_at IS NULL""",
        ("allotment_minutes_by_level",),
    ),
)


def try_set(session: Session, *, wanted: PolicySet, months: int) -> Trial:
    """Every figure under the policies now and under ``wanted``, over the last ``months`` months."""
    now = clock.now()
    since = _months_ago(clock.today(), months)
    books = (_district(in_force(session, at=now)), wanted.book())
    figures: list[Figure] = []
    for question in _QUESTIONS:
        present, tried = (_answers(session, question, book, since) for book in books)
        named = [question.counted, *([question.summed] if question.summed else [])]
        figures += [
            Figure(question.key, what, unit, present[place], tried[place]) for place, (what, unit) in enumerate(named)
        ]
    return Trial(wanted.name, wanted.title, since, now, [*figures, *_limits(session, books)])


def _answers(session: Session, question: _Question, book: PolicyBook, since: datetime) -> tuple[int, int]:
    if question.off is not None and book.whole(question.off) == 0:
        return 0, 0
    given: dict[str, Any] = {key: _plain(book.value(key)) for key in question.policies}
    asked = {name: value for name, value in {**given, "since": since, "today": clock.today()}.items()}
    statement = text(question.query)
    lists = [bindparam(key, type_=ARRAY(Text)) for key, value in given.items() if isinstance(value, list)]
    used = {name: value for name, value in asked.items() if f":{name}" in question.query}
    row = session.execute(statement.bindparams(*lists), used).one()
    return int(row[0]), int(row[1])


def _plain(value: Any) -> Any:
    """A value as a statement takes it: tables of minutes as JSON."""
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{key}": {minutes}' for key, minutes in value.items()) + "}"
    return value


def _limits(session: Session, books: tuple[PolicyBook, PolicyBook]) -> Iterator[Figure]:
    owed: Mapping[str, int] = owed_minutes(session, [one.code for one in townships(session)])
    for key, what in (
        ("position_soft_limit_minutes", "应付时长达到软限额的镇街"),
        ("position_hard_limit_minutes", "应付时长达到硬限额的镇街"),
    ):
        present, tried = (sum(1 for minutes in owed.values() if minutes >= book.whole(key)) for book in books)
        yield Figure(key, what, "个", present, tried)


def _district(book: PolicyBook) -> PolicyBook:
    return PolicyBook(book.version, {(key, None): book.value(key) for key in DEFINITIONS})


def _months_ago(today: date, months: int) -> datetime:
    month = months_later(today.replace(day=1), -months)
    return clock.day_start(month)
