"""Tables of dishes and menus. What they promise beyond columns stands in triggers (``migrations/sql/menus.sql``)."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import ARRAY, TEXT
from sqlalchemy.orm import Mapped, mapped_column

from timebank.canteens.pricing.rules import DietForm, Meal
from timebank.core.db import Base

_MEALS = ", ".join(f"'{m}'" for m in Meal)
_FORMS = ", ".join(f"'{f}'" for f in DietForm)


class MenuDish(Base):
    """菜品: a dish of a canteen's book of dishes, with its usual price; a menu takes a copy of it."""

    __tablename__ = "menu_dish"
    __table_args__ = (
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("price_fen > 0", name="price_positive"),
        CheckConstraint(f"diet_forms <@ ARRAY[{_FORMS}] AND cardinality(diet_forms) > 0", name="diet_forms_known"),
        Index("uq_menu_dish_name", "canteen_id", "name", unique=True, postgresql_where="archived_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    name: Mapped[str]
    portion: Mapped[str]
    price_fen: Mapped[int]
    diet_forms: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    diet_tags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    allergens: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    sources: Mapped[str]
    entered_at: Mapped[datetime]
    entered_by: Mapped[UUID | None]
    entered_by_name: Mapped[str]
    archived_at: Mapped[datetime | None]


class Menu(Base):
    """一周菜单: what a canteen offers in the week that begins on Monday ``week_starts_on``."""

    __tablename__ = "menu"
    __table_args__ = (
        CheckConstraint("state IN ('draft', 'released')", name="state_known"),
        CheckConstraint("extract(isodow FROM week_starts_on) = 1", name="starts_on_monday"),
        CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name="released_whole"),
        CheckConstraint("(released_at IS NULL) = (released_by_name IS NULL)", name="released_by_somebody"),
        UniqueConstraint("canteen_id", "week_starts_on"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    week_starts_on: Mapped[date]
    state: Mapped[str]
    drafted_at: Mapped[datetime]
    drafted_by: Mapped[UUID | None]
    drafted_by_name: Mapped[str]
    released_at: Mapped[datetime | None]
    released_by: Mapped[UUID | None]
    released_by_name: Mapped[str | None]


class MenuItem(Base):
    """菜单条目: one dish at one meal of one day. ``portions_ordered`` never passes the limit.

    A price may be missing in a draft; a released menu has them all. Orders keep the price that they were made at.
    """

    __tablename__ = "menu_item"
    __table_args__ = (
        CheckConstraint(f"meal IN ({_MEALS})", name="meal_known"),
        CheckConstraint("price_fen > 0", name="price_positive"),
        CheckConstraint("portions_limit >= 0", name="limit_not_negative"),
        CheckConstraint(
            "portions_ordered >= 0 AND (portions_limit IS NULL OR portions_ordered <= portions_limit)",
            name="never_oversold",
        ),
        CheckConstraint(f"diet_forms <@ ARRAY[{_FORMS}] AND cardinality(diet_forms) > 0", name="diet_forms_known"),
        CheckConstraint("name <> ''", name="named"),
        CheckConstraint("withdrawn_at IS NULL OR portions_ordered = 0", name="withdrawn_unordered"),
        Index(
            "uq_menu_item_once",
            *("menu_id", "served_on", "meal", "name"),
            unique=True,
            postgresql_where="withdrawn_at IS NULL",
        ),
        Index("ix_menu_item_menu", "menu_id", "served_on"),
        Index("ix_menu_item_day", "canteen_id", "served_on", "meal"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    menu_id: Mapped[UUID] = mapped_column(ForeignKey("menu.id"))
    canteen_id: Mapped[UUID] = mapped_column(ForeignKey("canteen.id"))
    dish_id: Mapped[UUID | None] = mapped_column(ForeignKey("menu_dish.id"))
    served_on: Mapped[date]
    meal: Mapped[str]
    name: Mapped[str]
    portion: Mapped[str]
    price_fen: Mapped[int | None]
    is_love_meal: Mapped[bool]
    diet_forms: Mapped[list[str]] = mapped_column(ARRAY(TEXT))
    diet_tags: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    allergens: Mapped[list[str]] = mapped_column(ARRAY(TEXT), server_default=text("'{}'"))
    sources: Mapped[str]
    portions_limit: Mapped[int | None]
    portions_ordered: Mapped[int] = mapped_column(server_default=text("0"))
    sold_out_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class MenuPriceChange(Base):
    """价格变动: one change of a released price, counted from 1. Orders made before keep theirs. Never changed."""

    __tablename__ = "menu_price_change"
    __table_args__ = (
        CheckConstraint("old_price_fen > 0 AND new_price_fen > 0", name="prices_positive"),
        CheckConstraint("old_price_fen <> new_price_fen", name="prices_differ"),
        CheckConstraint("reason <> ''", name="reasoned"),
        UniqueConstraint("menu_item_id", "number"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    menu_item_id: Mapped[UUID] = mapped_column(ForeignKey("menu_item.id"))
    number: Mapped[int]
    old_price_fen: Mapped[int]
    new_price_fen: Mapped[int]
    reason: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID | None]
    changed_by_name: Mapped[str]
