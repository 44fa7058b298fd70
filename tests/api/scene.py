"""A small bank with everybody in it: staff of three townships, people, and tasks and vouchers in every state."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from clients.fake_wechat.state import openid_of
from tests.api.scene_aids import add_aids
from tests.api.scene_canteens import add_canteens, add_clerks_canteen
from tests.api.scene_care import add_care
from tests.api.scene_delivery import add_rounds
from tests.api.scene_diners import add_diners
from tests.api.scene_giving import add_family
from tests.api.scene_imports import add_import
from tests.api.scene_leaving import add_death
from tests.api.scene_menus import add_menus
from tests.api.scene_offline import add_loss
from tests.api.scene_orders import add_orders
from tests.api.scene_ratings import add_ratings
from tests.api.scene_subsidies import Claims, add_claims
from tests.factories.people import (
    DAYAN,
    SHANGTIAN,
    XIWU,
    add_person,
    add_provider,
    add_staff_login,
    district,
    steward,
)
from timebank.clearing import actions as clearing
from timebank.clearing.actions import TownshipList
from timebank.clearing.models import Payment
from timebank.clearing.queries import open_window
from timebank.clearing.reconciliation_models import Break
from timebank.clearing.township_lists import ListedLine
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.ledger.models import Transfer
from timebank.people.actions import register_proxy, wechat_login
from timebank.people.login_models import Login
from timebank.people.queries import actor_of
from timebank.policies.actions import NewValue, propose_change
from timebank.redemption.actions import buy_vouchers, redeem_vouchers
from timebank.redemption.rules import Scan
from timebank.tasks import actions as tasks
from timebank.tasks.actions import BackFill, Confirmation, Request

PASSWORD = "a password of some length"
STAFF = {
    "district": (StaffRole.DISTRICT_STEWARD, None),
    "district_2": (StaffRole.DISTRICT_STEWARD, None),
    "steward_xiwu": (StaffRole.TOWNSHIP_STEWARD, XIWU),
    "steward_shangtian": (StaffRole.TOWNSHIP_STEWARD, SHANGTIAN),
    "auditor": (StaffRole.AUDITOR, None),
    "clerk": (StaffRole.CANTEEN_CLERK, DAYAN),
    "provider": (StaffRole.CARE_PROVIDER, XIWU),
}
PEOPLE = {
    "volunteer": (SHANGTIAN, 66, ("volunteer",), "林志远"),
    "elder": (XIWU, 82, ("elder",), "周桂芬"),
    "proxy": (XIWU, 45, ("volunteer",), "周小敏"),
    "stranger": (DAYAN, 70, ("volunteer",), "陈建国"),
}
FRESH = "fresh"
ROLES = (*STAFF, *PEOPLE, FRESH)


@dataclass
class Scene:
    """Ids of what is there, by name; tasks under the status that they stand in."""

    people: dict[str, Actor] = field(default_factory=dict)
    tasks: dict[str, UUID] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    vouchers: dict[str, UUID] = field(default_factory=dict)
    voucher_codes: dict[str, str] = field(default_factory=dict)
    transfer_id: UUID | None = None
    proxy_registration_id: UUID | None = None
    change_id: int = 0
    settled_window: str = ""
    reviewed_window: str = ""
    disputed_line: UUID | None = None
    dispute_id: UUID | None = None
    payment_id: UUID | None = None
    break_id: UUID | None = None
    reconciliation_id: UUID | None = None
    loss_id: UUID | None = None
    aid_items: dict[str, UUID] = field(default_factory=dict)
    aid_loans: dict[str, UUID] = field(default_factory=dict)
    care_provider_id: UUID | None = None
    care_bookings: dict[str, UUID] = field(default_factory=dict)
    canteens: dict[str, UUID] = field(default_factory=dict)
    menus: dict[str, UUID] = field(default_factory=dict)
    diners: dict[str, UUID] = field(default_factory=dict)
    orders: dict[str, UUID] = field(default_factory=dict)
    rounds: dict[str, UUID] = field(default_factory=dict)
    diner_category_id: UUID | None = None
    rated_order_id: UUID | None = None
    follow_up_id: UUID | None = None
    claims: Claims | None = None

    proposals: dict[str, UUID] = field(default_factory=dict)
    relation_id: UUID | None = None
    hardship_id: UUID | None = None
    death_report_id: UUID | None = None
    import_id: UUID | None = None

    def person_id(self, who: str) -> UUID:
        return self.people[who].person()


def set_scene(bank: Database) -> Scene:
    """Fill an empty bank; what happened lies in the last days, and the clock runs on as it did."""
    scene = Scene()
    begin = clock.now() - timedelta(days=5)
    clock.freeze(begin)
    with bank.unit_of_work() as session:
        _add_logins(session, scene)
    for day, status in enumerate(("confirmed", "checked_out", "disputed")):
        _serve(bank, scene, status, begin + timedelta(days=day))
    clock.freeze(None)
    with bank.unit_of_work() as session:
        _settle_a_window(session, scene)
    with bank.unit_of_work() as session:
        _add_unserved(session, scene)
        _add_vouchers(session, scene)
        _add_papers(session, scene)
        scene.canteens |= add_canteens(session)
        scene.menus = add_menus(session, scene.canteens["clerks"])
        found = add_diners(session, scene.people["elder"], scene.canteens["clerks"])
        scene.diners, scene.diner_category_id = found
        rated = add_ratings(session, scene.people["elder"], scene.canteens["clerks"])
        scene.rated_order_id, scene.follow_up_id = rated
        clerks, dish = scene.canteens["clerks"], scene.menus["released_item"]
        scene.orders = add_orders(session, scene.people["elder"], clerks, dish)
        scene.rounds = add_rounds(session, clerks)
        scene.claims = add_claims(session, scene.canteens["open"])
        scene.aid_items, scene.aid_loans = add_aids(session, scene.people["elder"])
        scene.care_provider_id, scene.care_bookings = add_care(session, scene.people["elder"])
        scene.relation_id, scene.proposals, scene.hardship_id = add_family(session, scene.people)
        scene.death_report_id = add_death(session)
        scene.import_id = add_import(session)
    with bank.unit_of_work() as session:
        _dispute_a_line(session, scene)
        _hand_a_list_in(session, scene)
    return scene


def _add_logins(session: Session, scene: Scene) -> None:
    scene.canteens["clerks"] = add_clerks_canteen(session)
    workplaces = {
        StaffRole.CANTEEN_CLERK: scene.canteens["clerks"],
        StaffRole.CARE_PROVIDER: add_provider(session, XIWU, "西坞居家养老服务中心").id,
    }
    for username, (role, township_code) in STAFF.items():
        where: dict[str, Any] = {"township_code": township_code} if township_code else {}
        if role in workplaces:
            where["organisation_id"] = workplaces[role]
        add_staff_login(session, username, PASSWORD, role, **where)
    for who, (township_code, age, roles, name) in PEOPLE.items():
        actor = add_person(session, township_code, age=age, roles=roles, name=name)
        session.get_one(Login, actor.login_id).openid = openid_of(who)
        scene.people[who] = actor
    wechat_login(session, openid=openid_of(FRESH))


def _request(session: Session, scene: Scene, status: str, starts_at: datetime, minutes: int = 120) -> None:
    task = tasks.request(
        session, actor=scene.people["elder"], wanted=Request("companionship", starts_at, minutes, note="读报")
    )
    scene.tasks[status], scene.codes[status] = task.id, task.service_code or ""


def _serve(bank: Database, scene: Scene, status: str, start: datetime) -> None:
    volunteer = scene.people["volunteer"]
    with bank.unit_of_work() as session:
        _request(session, scene, status, start + timedelta(minutes=1))
        task_id = scene.tasks[status]
        tasks.accept(session, actor=volunteer, task_id=task_id)
        clock.freeze(start + timedelta(minutes=1))
        tasks.check_in(session, actor=volunteer, task_id=task_id, service_code=scene.codes[status])
        clock.freeze(start + timedelta(minutes=121))
        tasks.check_out(session, actor=volunteer, task_id=task_id)
        if status == "confirmed":
            tasks.confirm(session, confirmation=Confirmation(task_id, scene.people["elder"], rating=5))
            scene.transfer_id = session.scalars(select(Transfer.id).where(Transfer.id == Transfer.link_id)).one()
        if status == "disputed":
            tasks.dispute(session, actor=scene.people["elder"], task_id=task_id, reason="只来了一小时")


def _add_unserved(session: Session, scene: Scene) -> None:
    now = clock.now()
    _request(session, scene, "open", now + timedelta(days=2))
    _request(session, scene, "accepted", now + timedelta(days=3))
    tasks.accept(session, actor=scene.people["volunteer"], task_id=scene.tasks["accepted"])
    _request(session, scene, "checked_in", now)
    serving = scene.tasks["checked_in"]
    tasks.accept(session, actor=scene.people["proxy"], task_id=serving)
    tasks.check_in(session, actor=scene.people["proxy"], task_id=serving, service_code=scene.codes["checked_in"])
    span = (now - timedelta(days=1, hours=2), now - timedelta(days=1))
    people = scene.person_id("stranger"), scene.person_id("elder")
    form = BackFill("companionship", *people, *span, evidence="签到表第3页")
    scene.tasks["recorded"] = tasks.record(session, actor=steward(XIWU), form=form).id


def _add_vouchers(session: Session, scene: Scene) -> None:
    bought = buy_vouchers(session, actor=scene.people["volunteer"], quantity=2)
    for status, voucher in zip(("redeemed", "issued"), bought, strict=True):
        scene.vouchers[status], scene.voucher_codes[status] = voucher.id, voucher.code
    at_the_counter = session.scalars(select(Login.id).where(Login.username == "clerk")).one()
    clerk = actor_of(session, at_the_counter)
    assert clerk is not None
    redeem_vouchers(session, actor=clerk, scans=[Scan(bought[0].code, "scene-1")])
    scene.loss_id = add_loss(session, bought[0].id)


def _settle_a_window(session: Session, scene: Scene) -> None:
    """The first window, with the confirmed service: 西坞 owes 尚田; its payments are instructed."""
    scene.settled_window = _close(session)
    for code in (XIWU, SHANGTIAN):
        clearing.confirm_statement(session, actor=steward(code), window_name=scene.settled_window)
    clearing.settle_window(session, actor=district(), window_name=scene.settled_window)
    scene.payment_id = session.scalars(select(Payment.id).where(Payment.township_code == XIWU)).one()


def _dispute_a_line(session: Session, scene: Scene) -> None:
    """The second window, with the redeemed voucher: 尚田 owes 大堰 and objects."""
    scene.reviewed_window = _close(session)
    meal = select(Transfer.id).where(Transfer.kind == "voucher_redemption", Transfer.id == Transfer.link_id)
    scene.disputed_line = session.scalars(meal).one()
    scene.dispute_id = clearing.dispute_line(
        session,
        actor=steward(SHANGTIAN),
        window_name=scene.reviewed_window,
        transfer_id=scene.disputed_line,
        reason="当天没有外出",
    ).id


def _hand_a_list_in(session: Session, scene: Scene) -> None:
    """尚田's own list of the second window: a service for 大堰 of which the books know nothing, and no meal there."""
    rows = [ListedLine(2, clock.today(), 90, counterpart=DAYAN, name="林志远")]
    made = clearing.reconcile(
        session,
        actor=steward(SHANGTIAN),
        window_name=scene.reviewed_window,
        handed_in=TownshipList("往来.xlsx", bytes(32), rows, [(3, "day_unreadable")]),
    )
    kept = select(Break.id).where(Break.reconciliation_id == made.id, Break.type == "missing_there")
    scene.break_id = session.scalars(kept).one()
    scene.reconciliation_id = made.id


def _close(session: Session) -> str:
    window = open_window(session)
    return clearing.close_window(session, actor=district(), window_name=window.name).name


def _add_papers(session: Session, scene: Scene) -> None:
    registered = register_proxy(
        session,
        actor=district(),
        elder_id=scene.person_id("elder"),
        proxy_id=scene.person_id("proxy"),
        relation="女儿",
        consent_evidence="委托书1号",
    )
    scene.proxy_registration_id = registered.id
    change = propose_change(
        session,
        actor=district(),
        values=[NewValue("voucher_valid_days", 200)],
        effective_at=clock.now() + timedelta(days=30),
        reason="试点评估",
        source="区民政局会议纪要",
    )
    scene.change_id = change.id
