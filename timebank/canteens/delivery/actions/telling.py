"""What diners, those who act for them, and stewards are told about deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from timebank.canteens.delivery.models import DeliveryRound, DeliveryStop
from timebank.canteens.delivery.rules import REASON_NAMES, UndeliveredReason
from timebank.canteens.orders.actions.telling import order_words, tell_diner
from timebank.canteens.orders.models import MealOrder
from timebank.canteens.pricing.rules import MEAL_NAMES, Meal
from timebank.core import clock
from timebank.core.amounts import yuan_text
from timebank.notifications.actions import notify_stewards
from timebank.townships.models import Organisation


def round_words(round_: DeliveryRound, canteen_name: str) -> str:
    """``西坞食堂11月23日午餐第2趟``."""
    return f"{canteen_name}{round_.served_on:%m月%d日}{MEAL_NAMES[Meal(round_.meal)]}第{round_.number}趟"


def tell_of_late_doors(session: Session, rounds: Sequence[DeliveryRound], place: Organisation) -> None:
    """Name, for the stewards of the canteen's township, the rounds that cannot be in time or of which nobody knows."""
    late, unlocated = [r.number for r in rounds if r.late], [r.number for r in rounds if r.unlocated]
    said = []
    if late:
        said.append(f"第{'、'.join(map(str, late))}趟路太远，不能按时送到")
    if unlocated:
        said.append(f"第{'、'.join(map(str, unlocated))}趟的地址在地图上没有位置，请补登坐标")
    if said:
        of_meal = f"{place.name}{rounds[0].served_on:%m月%d日}{MEAL_NAMES[Meal(rounds[0].meal)]}配送"
        notify_stewards(
            session,
            township_code=place.township_code,
            title="送餐可能超时",
            body=f"{of_meal}：{'；'.join(said)}。",
        )


def tell_of_departure(session: Session, stop: DeliveryStop, order: MealOrder, place: Organisation, code: str) -> None:
    """The meal is on its way: about when it comes, and the code to say at the door."""
    when = ""
    if stop.planned_minutes is not None:
        arrives = clock.now().astimezone(clock.LOCAL) + timedelta(minutes=stop.planned_minutes)
        when = f"大约{arrives:%H:%M}送到。"
    body = f"{order_words(order, place.name)}已出发。{when}请把交接码{code}告诉送餐的人。"
    tell_diner(session, order, title="您的饭正在路上", body=body, proxies=True)


def tell_undelivered(
    session: Session, order: MealOrder, place: Organisation, reason: UndeliveredReason, charged_fen: int
) -> None:
    """Diner and proxies hear why and what it costs; where nobody was at home, somebody should look after the elder."""
    cost = f"按规定扣{yuan_text(charged_fen)}，其余已退回。" if charged_fen else "没有扣款，已全部退回。"
    body = f"{order_words(order, place.name)}没有送到：{REASON_NAMES[reason]}。{cost}"
    if reason is UndeliveredReason.NOBODY_HOME:
        body += "请尽快联系老人，确认平安。"
        notify_stewards(
            session,
            township_code=place.township_code,
            title="送餐时家中无人",
            body=f"{order_words(order, place.name)}送到时家中无人，请联系老人或家属，确认平安。",
        )
    tell_diner(session, order, title="送餐没有送到", body=body, proxies=True)
