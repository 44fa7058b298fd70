"""What a transfer was caused by: the task, voucher, order or window that its ``cause_kind`` and ``cause_id`` name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from timebank.allotments.models import Allotment, SeedGrant
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.purses.models import PurseEstate, PurseSlip, TillHandIn
from timebank.canteens.subsidies.models import DonationAllotment, ProduceGift
from timebank.clearing.models import ClearingWindow, Settlement
from timebank.leaving.models import Leaving
from timebank.redemption.aids.models import AidCharge, AidLoan
from timebank.redemption.care.models import CareBooking
from timebank.redemption.models import Voucher
from timebank.tasks.models import Assignment

CAUSE_NAMES = {
    "assignment": "服务",
    "voucher": "用餐券",
    "care_booking": "居家养老预约",
    "aid_charge": "辅具借用",
    "meal_order": "订餐",
    "purse_slip": "餐费收付单",
    "till_hand_in": "助餐点缴款",
    "purse_estate": "餐费余额继承",
    "produce_gift": "菜园食材",
    "meal_donation": "助餐捐款",
    "donation_allotment": "分配助餐捐款",
    "subsidy_claim": "补贴结算",
    "canteen_grade": "年度等级",
    "guarantee_loss": "断网用餐损失",
    "gift": "赠与亲属",
    "donation": "捐赠",
    "hardship_help": "困难帮扶",
    "allotment": "政府购买服务时长",
    "seed_grant": "种子时长",
    "leaving": "退出或身故",
    "settlement": "清算结算",
    "move": "迁往其他镇街",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a transfer was made: ``subject`` and ``subject_id`` are what can be opened, ``person_id`` is whose it was.

    ``subject`` is one of task, voucher, care_booking, aid_loan, order, claim, canteen, meal_donation, hardship, window,
    person; None where the transfer says all there is.
    """

    kind: str
    cause_id: UUID
    subject: str | None = None
    subject_id: str | None = None
    person_id: UUID | None = None

    @property
    def kind_name(self) -> str:
        """What it is called."""
        return CAUSE_NAMES.get(self.kind, self.kind)


Found = tuple[str | None, object, UUID | None]
"""What can be opened, its id, and whose it was."""

_ITSELF: dict[str, tuple[str, type[Any], str]] = {
    "voucher": ("voucher", Voucher, "holder_id"),
    "care_booking": ("care_booking", CareBooking, "elder_id"),
    "meal_order": ("order", MealOrder, "diner_id"),
}
"""Kinds of cause that are opened themselves: their table, and the column that says whose it is."""

_OF_A_PERSON: dict[str, type[Any]] = {
    "purse_slip": PurseSlip,
    "purse_estate": PurseEstate,
    "allotment": Allotment,
    "seed_grant": SeedGrant,
    "leaving": Leaving,
}
_OF_A_CANTEEN: dict[str, type[Any]] = {
    "till_hand_in": TillHandIn,
    "produce_gift": ProduceGift,
    "donation_allotment": DonationAllotment,
}
_BY_ID = {
    "subsidy_claim": "claim",
    "meal_donation": "meal_donation",
    "hardship_help": "hardship",
    "canteen_grade": "canteen",
    "move": "person",
}
"""Kinds whose ``cause_id`` is already the id of what can be opened."""


def cause_of(session: Session, kind: str, cause_id: UUID) -> Cause:
    """What stands behind ``kind`` and ``cause_id``, as far as it can be opened."""
    subject, subject_id, person_id = _found(session, kind, cause_id)
    return Cause(kind, cause_id, subject, None if subject is None else str(subject_id), person_id)


def causes_under(session: Session, subject_id: UUID) -> list[UUID]:
    """Under which ids its transfers stand: its own, the services of a task, the days of a loan."""
    services = select(Assignment.id).where(Assignment.task_id == subject_id)
    days = select(AidCharge.id).where(AidCharge.loan_id == subject_id)
    return [subject_id, *session.scalars(services), *session.scalars(days)]


def _found(session: Session, kind: str, cause_id: UUID) -> Found:
    if kind in _BY_ID:
        return _BY_ID[kind], cause_id, cause_id if kind == "move" else None
    if kind in _ITSELF:
        subject, table, whose = _ITSELF[kind]
        return subject, cause_id, getattr(session.get_one(table, cause_id), whose)
    if kind in _OF_A_PERSON:
        person_id = session.get_one(_OF_A_PERSON[kind], cause_id).person_id
        return "person", person_id, person_id
    if kind in _OF_A_CANTEEN:
        return "canteen", session.get_one(_OF_A_CANTEEN[kind], cause_id).canteen_id, None
    find = _FURTHER.get(kind)
    return find(session, cause_id) if find is not None else (None, None, None)


def _task(session: Session, cause_id: UUID) -> Found:
    return "task", session.get_one(Assignment, cause_id).task_id, None


def _loan(session: Session, cause_id: UUID) -> Found:
    loan = session.get_one(AidLoan, session.get_one(AidCharge, cause_id).loan_id)
    return "aid_loan", loan.id, loan.holder_id


def _window(session: Session, cause_id: UUID) -> Found:
    number = session.get_one(Settlement, cause_id).window_number
    return "window", session.get_one(ClearingWindow, number).name, None


_FURTHER: dict[str, Callable[[Session, UUID], Found]] = {
    "assignment": _task,
    "aid_charge": _loan,
    "settlement": _window,
}
