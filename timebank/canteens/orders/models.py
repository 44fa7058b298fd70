"""Tables of orders. What they promise beyond columns stands in triggers (``migrations/sql/orders.sql``)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, SmallInteger, false, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from timebank.canteens.orders.rules import OrderSource, OrderState
from timebank.canteens.pricing.rules import DietForm, Meal, Share, Way
from timebank.core.db import Base

_MEALS = ", ".join(f"'{m}'" for m in Meal)
_WAYS = ", ".join(f"'{w}'" for w in Way)
_FORMS = ", ".join(f"'{f}'" for f in DietForm)
_STATES = ", ".join(f"'{s}'" for s in OrderState)
_SOURCES = ", ".join(f"'{s}'" for s in OrderSource)
_SHARES = ", ".join(f"'{s}'" for s in Share)


class MealService(Base):
    """供餐场次: one meal of one day at one canteen: from when to when, for how many, and how many are ordered.

    The hours are those of the day itself, kept here since the canteen's week may be set anew any time later.
    """

    __tablename__ = "meal_service"
    __table_args__ = (
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        CheckConstraint("ordered_meals >= 0 AND ordered_meals <= capacity_meals", name="never_oversold"),
        Index("ix_meal_service_ordered", "served_on", postgresql_where="ordered_meals > 0"),
        CheckConstraint("opens_at < closes_at", name="hours_ordered"),
    )

    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"), primary_key=True)
    served_on: Mapped[date] = mapped_column(primary_key=True)
    meal: Mapped[str] = mapped_column(primary_key=True)
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    capacity_meals: Mapped[int]
    ordered_meals: Mapped[int] = mapped_column(server_default=text("0"))
    last_pickup_number: Mapped[int] = mapped_column(server_default=text("0"))


class MealOrder(Base):
    """订单: one diner's meal at one canteen. A guest at the counter has no ``diner_id`` and pays cash.

    A change before the cut-off is a new ``revision`` of items and lines; the sums are those of the newest one.
    ``cash_fen`` is what of the elder's share was paid in cash, the rest comes from the purse. ``household_id`` and
    ``assessment_level`` are what the price went by: elsewhere only today's are known.
    """

    __tablename__ = "meal_order"
    __table_args__ = (
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        CheckConstraint(f"way IN ({_WAYS})", name="way_known"),
        CheckConstraint(f"diet_form IN ({_FORMS})", name="diet_form_known"),
        CheckConstraint(f"state IN ({_STATES})", name="state_known"),
        CheckConstraint(f"source IN ({_SOURCES})", name="source_known"),
        CheckConstraint("revision > 0", name="revision_positive"),
        CheckConstraint(
            "(revision = 1) = (revised_at IS NULL) AND (revised_at IS NULL) = (revised_by_name IS NULL)"
            " AND (revised_at IS NOT NULL OR revised_by IS NULL)",
            name="revised_whole",
        ),
        CheckConstraint("portions > 0", name="portions_positive"),
        CheckConstraint(
            "list_fen = elder_fen + government_fen + donation_fen + garden_fen + volunteers_fen"
            " AND least(elder_fen, government_fen, donation_fen, garden_fen, volunteers_fen) >= 0 AND list_fen > 0",
            name="shares_add_up",
        ),
        CheckConstraint("cash_fen BETWEEN 0 AND elder_fen", name="cash_within_share"),
        CheckConstraint("(state = 'placed') = (ended_at IS NULL)", name="ended_whole"),
        CheckConstraint("(way = 'deliver') = (delivery_address IS NOT NULL)", name="delivered_somewhere"),
        CheckConstraint("diner_id IS NOT NULL OR elder_fen = list_fen AND voucher_id IS NULL", name="guest_pays_all"),
        CheckConstraint(
            "(diner_id IS NULL) = (household_id IS NULL) AND (diner_id IS NOT NULL OR assessment_level IS NULL)",
            name="facts_of_diner",
        ),
        CheckConstraint("assessment_level BETWEEN 0 AND 4", name="level_range"),
        Index(
            "uq_meal_order_one_a_meal",
            *("diner_id", "served_on", "meal"),
            unique=True,
            postgresql_where="state IN ('placed', 'served') AND diner_id IS NOT NULL",
        ),
        Index("uq_meal_order_pickup", "canteen_id", "served_on", "meal", "pickup_number", unique=True),
        Index("uq_meal_order_voucher", "voucher_id", unique=True, postgresql_where="state IN ('placed', 'served')"),
        Index("ix_meal_order_diner", "diner_id", "id", postgresql_where="diner_id IS NOT NULL"),
        Index("ix_meal_order_household", "household_id", "served_on", postgresql_where="household_id IS NOT NULL"),
        Index("ix_meal_order_service", "canteen_id", "served_on", "meal", "state"),
        Index("ix_meal_order_to_plan", "cut_off_at", postgresql_where="state = 'placed' AND way = 'deliver'"),
        Index("ix_meal_order_waiting", "served_on", "meal", postgresql_where="state = 'placed'"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    diner_id: Mapped[UUID | None] = mapped_column(ForeignKey("diner.person_id"))
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    served_on: Mapped[date]
    meal: Mapped[str]
    way: Mapped[str]
    diet_form: Mapped[str]
    household_id: Mapped[UUID | None]
    assessment_level: Mapped[int | None] = mapped_column(SmallInteger)
    state: Mapped[str]
    source: Mapped[str]
    revision: Mapped[int]
    portions: Mapped[int]
    list_fen: Mapped[int]
    elder_fen: Mapped[int]
    government_fen: Mapped[int]
    donation_fen: Mapped[int]
    garden_fen: Mapped[int]
    volunteers_fen: Mapped[int]
    cash_fen: Mapped[int] = mapped_column(server_default=text("0"))
    voucher_id: Mapped[UUID | None] = mapped_column(ForeignKey("voucher.id"))
    policy_version: Mapped[int]
    pickup_number: Mapped[int]
    delivery_address: Mapped[str | None]
    delivery_note: Mapped[str]
    note: Mapped[str]
    unsuitable_accepted: Mapped[bool] = mapped_column(server_default=false())
    cut_off_at: Mapped[datetime]
    standing_order_id: Mapped[UUID | None] = mapped_column(ForeignKey("standing_order.id"))
    placed_at: Mapped[datetime]
    placed_by: Mapped[UUID | None]
    placed_by_name: Mapped[str]
    revised_at: Mapped[datetime | None]
    revised_by: Mapped[UUID | None]
    revised_by_name: Mapped[str | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]
    ended_by_name: Mapped[str | None]
    end_reason: Mapped[str]


class MealOrderItem(Base):
    """订单菜品: a dish of one revision at the price of that moment. Never changed."""

    __tablename__ = "meal_order_item"
    __table_args__ = (
        CheckConstraint("quantity > 0 AND price_fen > 0", name="positive"),
        Index("ix_meal_order_item_menu", "menu_item_id"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    menu_item_id: Mapped[UUID] = mapped_column(ForeignKey("menu_item.id"))
    name: Mapped[str]
    quantity: Mapped[int]
    price_fen: Mapped[int]
    is_love_meal: Mapped[bool]


class MealOrderLine(Base):
    """价格明细: one line of one revision's receipt, with its rule and the version of policy. Never changed.

    Lines without a share are what is listed; the others say who bears how much. Both sum to the same.
    """

    __tablename__ = "meal_order_line"
    __table_args__ = (
        CheckConstraint(f"share IN ({_SHARES})", name="share_known"),
        CheckConstraint("fen > 0", name="positive"),
        CheckConstraint("rule_key <> '' AND label <> ''", name="named"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"), primary_key=True)
    revision: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    share: Mapped[str | None]
    rule_key: Mapped[str]
    label: Mapped[str]
    fen: Mapped[int]
    policy_version: Mapped[int]


class SubsidyUse(Base):
    """已用额度: what orders have taken of a rule's limit for one person and day, or one household and meal."""

    __tablename__ = "subsidy_use"
    __table_args__ = (
        CheckConstraint("scope IN ('person_day', 'household_meal')", name="scope_known"),
        CheckConstraint("used_fen BETWEEN 0 AND limit_fen", name="within_limit"),
    )

    scope: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    served_on: Mapped[date] = mapped_column(primary_key=True)
    meal: Mapped[str] = mapped_column(primary_key=True)
    rule_key: Mapped[str] = mapped_column(primary_key=True)
    used_fen: Mapped[int]
    limit_fen: Mapped[int]


class OrderSubsidyUse(Base):
    """What one order has taken of which limit, so that it can be given back; ``fen`` 0 once it was."""

    __tablename__ = "order_subsidy_use"
    __table_args__ = (
        CheckConstraint("fen >= 0", name="not_negative"),
        ForeignKeyConstraint(
            ["scope", "scope_id", "served_on", "meal", "rule_key"],
            [f"subsidy_use.{c}" for c in ("scope", "scope_id", "served_on", "meal", "rule_key")],
            name="fk_order_subsidy_use_use",
        ),
        Index("ix_order_subsidy_use_use", "scope", "scope_id", "served_on", "meal", "rule_key"),
    )

    order_id: Mapped[UUID] = mapped_column(ForeignKey("meal_order.id"), primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    scope_id: Mapped[UUID] = mapped_column(primary_key=True)
    served_on: Mapped[date] = mapped_column(primary_key=True)
    meal: Mapped[str] = mapped_column(primary_key=True)
    rule_key: Mapped[str] = mapped_column(primary_key=True)
    fen: Mapped[int]


class StandingOrder(Base):
    """长期订餐: the same meal on these weekdays until told otherwise; a job makes each day's order from it."""

    __tablename__ = "standing_order"
    __table_args__ = (
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        CheckConstraint(f"way IN ({_WAYS})", name="way_known"),
        CheckConstraint(
            "weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[] AND cardinality(weekdays) > 0", name="weekdays_known"
        ),
        CheckConstraint("choice IN ('love_meal', 'cheapest')", name="choice_known"),
        CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="days_ordered"),
        CheckConstraint("paused_until IS NULL OR paused_from <= paused_until", name="pause_ordered"),
        Index(
            "uq_standing_order_active",
            *("diner_id", "meal"),
            unique=True,
            postgresql_where="ended_at IS NULL",
        ),
        Index("ix_standing_order_place", "canteen_id", "meal", postgresql_where="ended_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    diner_id: Mapped[UUID] = mapped_column(ForeignKey("diner.person_id"))
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    meal: Mapped[str]
    way: Mapped[str]
    weekdays: Mapped[list[int]] = mapped_column(ARRAY(SmallInteger))
    choice: Mapped[str]
    use_vouchers: Mapped[bool]
    starts_on: Mapped[date]
    ends_on: Mapped[date | None]
    paused_from: Mapped[date | None]
    paused_until: Mapped[date | None]
    made_at: Mapped[datetime]
    made_by: Mapped[UUID]
    made_by_name: Mapped[str]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[UUID | None]


class StandingOrderDay(Base):
    """One day of a standing order, done once: the order that it became, or why it became none."""

    __tablename__ = "standing_order_day"
    __table_args__ = (
        CheckConstraint("(order_id IS NULL) = (refusal_code IS NOT NULL)", name="one_outcome"),
        CheckConstraint("(refusal_code IS NULL) = (refusal_title IS NULL)", name="refusal_whole"),
        Index("ix_standing_order_day_order", "order_id", unique=True, postgresql_where="order_id IS NOT NULL"),
    )

    standing_order_id: Mapped[UUID] = mapped_column(ForeignKey("standing_order.id"), primary_key=True)
    served_on: Mapped[date] = mapped_column(primary_key=True)
    order_id: Mapped[UUID | None] = mapped_column(ForeignKey("meal_order.id"))
    refusal_code: Mapped[str | None]
    refusal_title: Mapped[str | None]
    done_at: Mapped[datetime]
