"""Paying a claim 拨付: one posting that settles a canteen's month to the fen."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from timebank.audit.actions import note_down
from timebank.canteens.subsidies.actions.review import locked_for_stewards
from timebank.canteens.subsidies.models import SubsidyClaim
from timebank.canteens.subsidies.rules import CAUSE, Settlement, after, settle
from timebank.clearing.rules import reason_given
from timebank.core import clock
from timebank.core.actors import Actor
from timebank.core.errors import NotAllowed
from timebank.core.ids import new_id
from timebank.ledger.actions.accounts import ensure_organisation_accounts, house_account
from timebank.ledger.actions.post import lock_accounts, post_one
from timebank.ledger.queries import BALANCES
from timebank.ledger.rules import AccountKind, Movement
from timebank.notifications.actions import notify_stewards

_BALANCE = text(f"SELECT balance FROM ({BALANCES} AND a.id = :account_id) b").bindparams(unit="fen")


def pay_claim(session: Session, *, actor: Actor, claim_id: UUID, reference: str) -> SubsidyClaim:
    """Pay an approved claim, by the district, with the reference of the payment.

    What was disallowed goes back to the subsidies, what was had in kind leaves the account, cash in the canteen's
    drawer is netted, and the rest is paid. Raises NotFound ``claim_unknown``; NotAllowed ``steward_only``,
    ``district_only``; Refused ``reason_needed``; Conflict ``wrong_state``.
    """
    actor.must_be_steward()
    actor.must_be_district()
    claim, organisation = locked_for_stewards(session, actor, claim_id)
    state = after("pay", claim.state)
    reference = reason_given(reference, field="reference")
    if actor.login_id == claim.computed_by:
        raise NotAllowed("second_person_needed", "算出和拨付须由不同的人办理")
    accounts = _accounts(session, claim.canteen_id)
    lock_accounts(session, accounts.values())
    assert claim.disallowed_fen is not None
    parts = settle(
        claimed_fen=claim.list_fen + claim.operating_fen,
        disallowed_fen=claim.disallowed_fen,
        garden_fen=claim.garden_fen,
        volunteers_in_kind_fen=claim.volunteers_in_kind_fen,
        cash_fen=-int(session.execute(_BALANCE, {"account_id": accounts[AccountKind.TILL]}).scalar_one()),
    )
    movements = _movements(actor, claim, accounts, parts, reference)
    if movements:
        post_one(session, movements)
    claim.state, claim.netted_fen, claim.paid_fen = state, parts.netted_fen, parts.paid_fen
    claim.paid_at, claim.paid_by, claim.paid_by_name = clock.now(), actor.login_id, actor.name
    claim.paid_reference = reference
    session.flush()
    note_down(session, actor=actor, action="claim_paid", subject=("subsidy_claim", claim_id), paid_fen=parts.paid_fen)
    body = f"{organisation.name}{claim.month}补贴已结清。"
    notify_stewards(session, township_code=organisation.township_code, title="助餐补贴已拨付", body=body)
    return claim


def _accounts(session: Session, canteen_id: UUID) -> dict[AccountKind, int]:
    own = {
        kind: ensure_organisation_accounts(session, [canteen_id], kind)[canteen_id]
        for kind in (AccountKind.CANTEEN, AccountKind.TILL)
    }
    house = (AccountKind.SUBSIDY, AccountKind.IN_KIND, AccountKind.VOLUNTEERED, AccountKind.CASH)
    return own | {kind: house_account(session, kind) for kind in house}


def _movements(
    actor: Actor, claim: SubsidyClaim, accounts: dict[AccountKind, int], parts: Settlement, reference: str
) -> tuple[Movement, ...]:
    """Everything that leaves the canteen's account; a negative part comes back into it."""
    wanted = (
        ("subsidy_disallowed", AccountKind.SUBSIDY, parts.disallowed_fen),
        ("in_kind_settled", AccountKind.IN_KIND, parts.garden_in_kind_fen),
        ("in_kind_settled", AccountKind.VOLUNTEERED, parts.volunteers_in_kind_fen),
        ("till_netted", AccountKind.TILL, parts.netted_fen),
        ("canteen_paid", AccountKind.CASH, parts.paid_fen),
    )
    canteen = accounts[AccountKind.CANTEEN]
    return tuple(
        Movement(
            id=new_id(),
            from_account_id=canteen if fen > 0 else accounts[kind],
            to_account_id=accounts[kind] if fen > 0 else canteen,
            amount=abs(fen),
            kind=name,
            effective_at=clock.now(),
            cause_kind=CAUSE,
            cause_id=claim.id,
            note=f"{claim.month}助餐补贴结算 {reference}",
            policy_version=claim.policy_version,
            recorded_by=actor.login_id,
        )
        for name, kind, fen in wanted
        if fen
    )
