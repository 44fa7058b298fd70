"""Finding claims: the standing one of a month, locked ones, and what is due."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import Date, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, aliased
from sqlalchemy.types import Text

from timebank.audit.models import AuditEntry
from timebank.canteens.subsidies.models import SubsidyClaim
from timebank.canteens.subsidies.rules import SHARE_OF_KIND, ClaimState, claim_unknown, claimable_from, months_back
from timebank.core import clock
from timebank.policies.queries import in_force
from timebank.redemption.care.rules import month_end, month_start

MONTHS_LOOKED_BACK = 12
"""Finished months in which the job looks for meals that nobody has claimed."""

HELD_BACK = "claim_held_back"
"""The action under which it is kept that stewards were told of a month that waits for a returned one."""

# Canteens that earned something in a month of which there is no claim, and no live one of a later month. A month that
# waits for an earlier one, returned and not computed anew, is named until the stewards have been told of it.
_DUE = text("""
SELECT a.organisation_id, m.month
FROM unnest(:months, :starts, :ends) AS m (month, starts_on, ends_on)
CROSS JOIN ledger_account a
LEFT JOIN LATERAL (
    SELECT r.id FROM subsidy_claim r
    WHERE r.canteen_id = a.organisation_id AND r.month < m.month AND r.state = 'returned'
      AND NOT EXISTS (SELECT FROM subsidy_claim c WHERE c.canteen_id = r.canteen_id
                      AND c.month >= r.month AND c.state <> 'returned')
    ORDER BY r.month, r.id DESC LIMIT 1) held ON true
WHERE a.kind = 'canteen' AND a.closed_at IS NULL
  AND NOT EXISTS (SELECT FROM subsidy_claim c WHERE c.canteen_id = a.organisation_id
                  AND (c.month = m.month OR c.month > m.month AND c.state <> 'returned'))
  AND EXISTS (SELECT FROM ledger_transfer t
              WHERE t.to_account_id = a.id AND t.to_version IS NULL AND t.kind = ANY(:kinds)
                AND t.effective_at >= m.starts_on::timestamp AT TIME ZONE 'Asia/Shanghai'
                AND t.effective_at < m.ends_on::timestamp AT TIME ZONE 'Asia/Shanghai'
                AND NOT EXISTS (SELECT FROM ledger_transfer r WHERE r.reverses_id = t.id))
  AND NOT EXISTS (SELECT FROM audit_entry e
                  WHERE e.subject_kind = 'subsidy_claim' AND e.subject_id = held.id::text
                    AND e.action = :held_back AND e.facts ->> 'month' = m.month)
ORDER BY m.month, a.organisation_id LIMIT :most
""").bindparams(
    bindparam("months", type_=ARRAY(Text)),
    bindparam("starts", type_=ARRAY(Date)),
    bindparam("ends", type_=ARRAY(Date)),
    bindparam("kinds", type_=ARRAY(Text)),
)


def claims_due(session: Session, *, limit: int) -> list[tuple[UUID, str]]:
    """Canteens and finished months whose claims are to be computed from the policy's day on, oldest months first.

    Also those that wait for an earlier month which was returned, once for each, so that the stewards are told.
    """
    now = clock.now()
    claim_day = in_force(session, at=now).whole("claim_day")
    months = [month for month in months_back(now, MONTHS_LOOKED_BACK) if claimable_from(month, claim_day) <= now]
    wanted = {
        "months": months,
        "starts": [month_start(month).date() for month in months],
        "ends": [month_end(month).date() for month in months],
        "kinds": [*SHARE_OF_KIND, "operating_subsidy"],
        "held_back": HELD_BACK,
        "most": limit,
    }
    return [(row.organisation_id, row.month) for row in session.execute(_DUE, wanted)]


def live_claim(session: Session, canteen_id: UUID, month: str) -> SubsidyClaim | None:
    """The claim of a month that was not returned, if there is one."""
    query = select(SubsidyClaim).where(
        SubsidyClaim.canteen_id == canteen_id,
        SubsidyClaim.month == month,
        SubsidyClaim.state != ClaimState.RETURNED,
    )
    return session.scalar(query)


def later_claim(session: Session, canteen_id: UUID, month: str) -> SubsidyClaim | None:
    """The next claim of a later month that was not returned."""
    query = select(SubsidyClaim).where(
        SubsidyClaim.canteen_id == canteen_id,
        SubsidyClaim.month > month,
        SubsidyClaim.state != ClaimState.RETURNED,
    )
    return session.scalar(query.order_by(SubsidyClaim.month).limit(1))


def returned_before(session: Session, canteen_id: UUID, month: str) -> SubsidyClaim | None:
    """The first earlier month's claim that was returned and neither computed anew nor taken along by a later one."""
    live = aliased(SubsidyClaim)
    taken_up = select(live.id).where(
        live.canteen_id == canteen_id, live.month >= SubsidyClaim.month, live.state != ClaimState.RETURNED
    )
    query = select(SubsidyClaim).where(
        SubsidyClaim.canteen_id == canteen_id,
        SubsidyClaim.month < month,
        SubsidyClaim.state == ClaimState.RETURNED,
        ~taken_up.exists(),
    )
    return session.scalar(query.order_by(SubsidyClaim.month, SubsidyClaim.id.desc()).limit(1))


def told_of(session: Session, returned: SubsidyClaim, month: str) -> bool:
    """Whether stewards were told that ``month`` waits for this returned claim."""
    query = select(func.count()).where(
        AuditEntry.subject_kind == "subsidy_claim",
        AuditEntry.subject_id == str(returned.id),
        AuditEntry.action == HELD_BACK,
        AuditEntry.facts["month"].astext == month,
    )
    return bool(session.scalar(query))


def earlier_unpaid_claim(session: Session, canteen_id: UUID, month: str) -> SubsidyClaim | None:
    """The first claim of an earlier month that is neither paid nor returned."""
    query = select(SubsidyClaim).where(
        SubsidyClaim.canteen_id == canteen_id,
        SubsidyClaim.month < month,
        SubsidyClaim.state.not_in([ClaimState.PAID, ClaimState.RETURNED]),
    )
    return session.scalar(query.order_by(SubsidyClaim.month).limit(1))


def lock_claim(session: Session, claim_id: UUID) -> SubsidyClaim:
    """One claim, nobody else changing it until the unit of work ends. Raises NotFound ``claim_unknown``."""
    query = select(SubsidyClaim).where(SubsidyClaim.id == claim_id).with_for_update(key_share=True)
    found = session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise claim_unknown(claim_id)
    return found


# Of each meal no more than the government gave; what was disallowed of a meal that was undone since is given back.
_DISALLOWED = text("""
WITH upheld AS (
    SELECT f.claim_id, f.order_id, least(sum(f.fen), max(m.government_fen)) AS fen
    FROM subsidy_finding f JOIN subsidy_claim_meal m ON m.claim_id = f.claim_id AND m.order_id = f.order_id
    WHERE f.decision = 'upheld' AND m.meals > 0
    GROUP BY f.claim_id, f.order_id)
SELECT (SELECT coalesce(sum(fen), 0) FROM upheld WHERE claim_id = :claim_id)
     - (SELECT coalesce(sum(u.fen), 0) FROM subsidy_claim_meal m
        JOIN upheld u ON u.order_id = m.order_id AND u.claim_id <> m.claim_id
        JOIN subsidy_claim c ON c.id = u.claim_id AND c.state = 'paid'
        WHERE m.claim_id = :claim_id AND m.meals < 0)
""")


def disallowed_fen(session: Session, claim_id: UUID) -> int:
    """What of the government's share the upheld findings disallow; less than 0 where it comes back."""
    return int(session.execute(_DISALLOWED, {"claim_id": claim_id}).scalar_one())
