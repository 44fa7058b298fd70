"""Loans of aids: reserve, lend, extend, return, cancel, lost; list and show."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from app.api.aid_loans.schemas import (
    AidLoanAnswer,
    AidLoanPage,
    AidLoansQuery,
    CancelAidBody,
    ExtendAidBody,
    LendAidBody,
    LostAidBody,
    ReserveAidBody,
    ReturnAidBody,
)
from app.api.operation import operation
from app.api.parser import Doors
from app.api.sorting import listed, part_of
from timebank.core.actors import Actor
from timebank.redemption.aids import actions, views
from timebank.redemption.aids.actions import Wish
from timebank.redemption.aids.models import AidLoan
from timebank.redemption.aids.rules import LOAN_STATUS_NAMES, LoanStatus
from timebank.redemption.aids.views import AID_LOAN_ORDERS, LoanFilter, LoanView

doors = Doors("aid_loans", __name__, url_prefix="/api/v1/aid-loans", description="康复辅具借用")

_OF_THE_LOAN = (
    *("status", "item_id", "holder_id", "days", "price_minutes", "reserved_at", "reserved_by_name", "reserved_until"),
    *("lent_at", "lent_by_name", "lent_condition", "due_on", "ended_at", "ended_by_name", "ended_reason"),
    *("returned_condition", "returned_township_code"),
)
_OF_THE_ITEM = ("serial", "kind", "home_township_code", "at_township_code")
_OF_THE_VIEW = (
    *("kind_name", "holder_name", "holder_township_code", "code", "overdue_days", "used_days", "charged_minutes"),
    *("reversed_minutes", "held_minutes", "owed_days", "owed_minutes", "agreed"),
)


@operation(
    doors, "", "aid_loans.reserve", "预约辅具",
    method="POST", body=ReserveAidBody, answers=AidLoanAnswer, status=201, key="required",
)  # fmt: skip
def reserve(session: Session, actor: Actor, body: dict[str, Any]) -> dict[str, Any]:
    return _changed(session, actor, actions.reserve(session, actor=actor, wish=Wish(**body)))


@operation(doors, "", "aid_loans.list", "辅具借用列表", query=AidLoansQuery, answers=AidLoanPage)
def list_loans(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    named = ("for_person_id", "status", "township_code", "serial")
    wanted = LoanFilter(**{name: query.get(name) for name in named}, overdue=query["overdue"])
    found = views.find_loans(session, actor=actor, wanted=wanted, part=part_of(query, AID_LOAN_ORDERS))
    return listed(found.holding([_loan(view) for view in found.items]), AID_LOAN_ORDERS)


@operation(doors, "/<uuid:loan_id>", "aid_loans.show", "辅具借用详情", answers=AidLoanAnswer)
def show(session: Session, actor: Actor, loan_id: UUID) -> dict[str, Any]:
    return _loan(views.loan_for(session, actor=actor, loan_id=loan_id))


@operation(
    doors, "/<uuid:loan_id>/lend", "aid_loans.lend", "借出辅具",
    method="POST", body=LendAidBody, answers=AidLoanAnswer, key="required",
)  # fmt: skip
def lend(session: Session, actor: Actor, body: dict[str, Any], loan_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.lend(session, actor=actor, loan_id=loan_id, **body))


@operation(
    doors, "/<uuid:loan_id>/extend", "aid_loans.extend", "续借辅具",
    method="POST", body=ExtendAidBody, answers=AidLoanAnswer, key="required",
)  # fmt: skip
def extend(session: Session, actor: Actor, body: dict[str, Any], loan_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.extend(session, actor=actor, loan_id=loan_id, **body))


@operation(
    doors, "/<uuid:loan_id>/cancel", "aid_loans.cancel", "取消辅具预约",
    method="POST", body=CancelAidBody, answers=AidLoanAnswer, key="required",
)  # fmt: skip
def cancel(session: Session, actor: Actor, body: dict[str, Any], loan_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.cancel(session, actor=actor, loan_id=loan_id, **body))


@operation(
    doors, "/<uuid:loan_id>/return", "aid_loans.return_", "归还辅具",
    method="POST", body=ReturnAidBody, answers=AidLoanAnswer, key="required",
)  # fmt: skip
def return_(session: Session, actor: Actor, body: dict[str, Any], loan_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.return_aid(session, actor=actor, loan_id=loan_id, **body))


@operation(
    doors, "/<uuid:loan_id>/lost", "aid_loans.lost", "辅具遗失",
    method="POST", body=LostAidBody, answers=AidLoanAnswer, key="required",
)  # fmt: skip
def lost(session: Session, actor: Actor, body: dict[str, Any], loan_id: UUID) -> dict[str, Any]:
    return _changed(session, actor, actions.lose(session, actor=actor, loan_id=loan_id, **body))


def _changed(session: Session, actor: Actor, loan: AidLoan) -> dict[str, Any]:
    return _loan(views.see_loan(session, actor=actor, loan=loan))


def _loan(view: LoanView) -> dict[str, Any]:
    return {
        "loan_id": view.loan.id,
        "status_name": LOAN_STATUS_NAMES[LoanStatus(view.loan.status)],
        "item_name": view.item.name,
        **{name: getattr(view.loan, name) for name in _OF_THE_LOAN},
        **{name: getattr(view.item, name) for name in _OF_THE_ITEM},
        **{name: getattr(view, name) for name in _OF_THE_VIEW},
    }
