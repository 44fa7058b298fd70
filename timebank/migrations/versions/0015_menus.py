"""Dishes, weekly menus, changes of price."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0015_menus"
down_revision = "0014_network"
branch_labels = None
depends_on = None

_FUNCTIONS = ("menu_guard_dish", "menu_guard", "menu_guard_item", "menu_guard_price_change", "menu_price_has_changed")


def upgrade() -> None:
    op.create_table(
        "menu_dish",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("portion", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("diet_forms", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("diet_tags", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("allergens", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("entered_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("entered_by_name", sa.Text(), nullable=False),
        sa.Column("archived_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "diet_forms <@ ARRAY['normal', 'soft', 'minced', 'liquid'] AND cardinality(diet_forms) > 0",
            name=op.f("ck_menu_dish_diet_forms_known"),
        ),
        sa.CheckConstraint("name <> ''", name=op.f("ck_menu_dish_named")),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_menu_dish_price_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_menu_dish_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_dish")),
    )
    op.create_index(
        "uq_menu_dish_name", "menu_dish", ["canteen_id", "name"], unique=True, postgresql_where="archived_at IS NULL"
    )
    op.create_table(
        "menu",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("week_starts_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("drafted_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=True),
        sa.Column("drafted_by_name", sa.Text(), nullable=False),
        sa.Column("released_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("released_by", sa.Uuid(), nullable=True),
        sa.Column("released_by_name", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'released') = (released_at IS NOT NULL)", name=op.f("ck_menu_released_whole")),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by_name IS NULL)", name=op.f("ck_menu_released_by_somebody")
        ),
        sa.CheckConstraint("state IN ('draft', 'released')", name=op.f("ck_menu_state_known")),
        sa.CheckConstraint("extract(isodow FROM week_starts_on) = 1", name=op.f("ck_menu_starts_on_monday")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_menu_canteen_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu")),
        sa.UniqueConstraint("canteen_id", "week_starts_on", name=op.f("uq_menu_canteen_id_week_starts_on")),
    )
    op.create_table(
        "menu_item",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("menu_id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("dish_id", sa.Uuid(), nullable=True),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("portion", sa.Text(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=True),
        sa.Column("is_love_meal", sa.Boolean(), nullable=False),
        sa.Column("diet_forms", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("diet_tags", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("allergens", postgresql.ARRAY(sa.TEXT()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("sources", sa.Text(), nullable=False),
        sa.Column("portions_limit", sa.BigInteger(), nullable=True),
        sa.Column("portions_ordered", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("sold_out_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("withdrawn_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.CheckConstraint(
            "diet_forms <@ ARRAY['normal', 'soft', 'minced', 'liquid'] AND cardinality(diet_forms) > 0",
            name=op.f("ck_menu_item_diet_forms_known"),
        ),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_menu_item_meal_known")),
        sa.CheckConstraint("portions_limit >= 0", name=op.f("ck_menu_item_limit_not_negative")),
        sa.CheckConstraint(
            "portions_ordered >= 0 AND (portions_limit IS NULL OR portions_ordered <= portions_limit)",
            name=op.f("ck_menu_item_never_oversold"),
        ),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_menu_item_price_positive")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_menu_item_canteen_id")),
        sa.ForeignKeyConstraint(["dish_id"], ["menu_dish.id"], name=op.f("fk_menu_item_dish_id")),
        sa.ForeignKeyConstraint(["menu_id"], ["menu.id"], name=op.f("fk_menu_item_menu_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_item")),
        sa.CheckConstraint("name <> ''", name=op.f("ck_menu_item_named")),
        sa.CheckConstraint(
            "withdrawn_at IS NULL OR portions_ordered = 0", name=op.f("ck_menu_item_withdrawn_unordered")
        ),
    )
    op.create_index(
        "uq_menu_item_once",
        "menu_item",
        ["menu_id", "served_on", "meal", "name"],
        unique=True,
        postgresql_where="withdrawn_at IS NULL",
    )
    op.create_index("ix_menu_item_menu", "menu_item", ["menu_id", "served_on"], unique=False)
    op.create_index("ix_menu_item_day", "menu_item", ["canteen_id", "served_on", "meal"], unique=False)
    op.create_table(
        "menu_price_change",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("menu_item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("old_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("new_price_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("changed_by_name", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "old_price_fen > 0 AND new_price_fen > 0", name=op.f("ck_menu_price_change_prices_positive")
        ),
        sa.CheckConstraint("old_price_fen <> new_price_fen", name=op.f("ck_menu_price_change_prices_differ")),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_menu_price_change_reasoned")),
        sa.ForeignKeyConstraint(["menu_item_id"], ["menu_item.id"], name=op.f("fk_menu_price_change_menu_item_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_price_change")),
        sa.UniqueConstraint("menu_item_id", "number", name=op.f("uq_menu_price_change_menu_item_id_number")),
    )
    op.execute(sql("menus.sql"))


def downgrade() -> None:
    for table in ("menu_price_change", "menu_item", "menu", "menu_dish"):
        op.drop_table(table)
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
