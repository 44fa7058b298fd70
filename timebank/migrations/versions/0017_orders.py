"""Orders, their items and lines, limits of subsidies used, standing orders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from timebank.migrations import sql

revision = "0017_orders"
down_revision = "0016_diners"
branch_labels = None
depends_on = None

_FUNCTIONS = (
    *("meal_guard_order", "meal_guard_items", "meal_guard_lines", "meal_check_order", "meal_check_service"),
    *("meal_guard_service", "meal_guard_order_use", "meal_check_use", "meal_guard_standing", "voucher_guard_aside"),
)


def upgrade() -> None:
    op.add_column("voucher", sa.Column("set_aside_for", sa.Uuid(), nullable=True))
    op.add_column("voucher", sa.Column("set_aside_at", postgresql.TIMESTAMP(timezone=True), nullable=True))
    op.create_check_constraint(
        op.f("ck_voucher_set_aside_whole"), "voucher", "(set_aside_for IS NULL) = (set_aside_at IS NULL)"
    )
    op.create_check_constraint(
        op.f("ck_voucher_set_aside_is_used"), "voucher", "set_aside_for IS NULL OR status IN ('issued', 'redeemed')"
    )
    op.create_index(
        "uq_voucher_set_aside", "voucher", ["set_aside_for"], unique=True, postgresql_where="set_aside_for IS NOT NULL"
    )
    op.create_table(
        "meal_service",
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("opens_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("closes_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("capacity_meals", sa.BigInteger(), nullable=False),
        sa.Column("ordered_meals", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_pickup_number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_meal_service_meal_known")),
        sa.CheckConstraint(
            "ordered_meals >= 0 AND ordered_meals <= capacity_meals", name=op.f("ck_meal_service_never_oversold")
        ),
        sa.CheckConstraint("opens_at < closes_at", name=op.f("ck_meal_service_hours_ordered")),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_meal_service_canteen_id")),
        sa.PrimaryKeyConstraint("canteen_id", "served_on", "meal", name=op.f("pk_meal_service")),
    )
    op.create_index(
        "ix_meal_service_ordered", "meal_service", ["served_on"], unique=False, postgresql_where="ordered_meals > 0"
    )
    op.create_table(
        "standing_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("diner_id", sa.Uuid(), nullable=False),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("use_vouchers", sa.Boolean(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("paused_from", sa.Date(), nullable=True),
        sa.Column("paused_until", sa.Date(), nullable=True),
        sa.Column("made_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("made_by_name", sa.Text(), nullable=False),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("choice IN ('love_meal', 'cheapest')", name=op.f("ck_standing_order_choice_known")),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_standing_order_meal_known")),
        sa.CheckConstraint("way IN ('eat_in', 'take_away', 'deliver')", name=op.f("ck_standing_order_way_known")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_standing_order_days_ordered")),
        sa.CheckConstraint(
            "paused_until IS NULL OR paused_from <= paused_until", name=op.f("ck_standing_order_pause_ordered")
        ),
        sa.CheckConstraint(
            "weekdays <@ ARRAY[1, 2, 3, 4, 5, 6, 7]::smallint[] AND cardinality(weekdays) > 0",
            name=op.f("ck_standing_order_weekdays_known"),
        ),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_standing_order_canteen_id")),
        sa.ForeignKeyConstraint(["diner_id"], ["diner.person_id"], name=op.f("fk_standing_order_diner_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_order")),
    )
    op.create_index(
        "uq_standing_order_active",
        "standing_order",
        ["diner_id", "meal"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )
    op.create_index(
        "ix_standing_order_place",
        "standing_order",
        ["canteen_id", "meal"],
        unique=False,
        postgresql_where="ended_at IS NULL",
    )
    op.create_table(
        "subsidy_use",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("rule_key", sa.Text(), nullable=False),
        sa.Column("used_fen", sa.BigInteger(), nullable=False),
        sa.Column("limit_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("scope IN ('person_day', 'household_meal')", name=op.f("ck_subsidy_use_scope_known")),
        sa.CheckConstraint("used_fen BETWEEN 0 AND limit_fen", name=op.f("ck_subsidy_use_within_limit")),
        sa.PrimaryKeyConstraint("scope", "scope_id", "served_on", "meal", "rule_key", name=op.f("pk_subsidy_use")),
    )
    op.create_table(
        "meal_order",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("diner_id", sa.Uuid(), nullable=True),
        sa.Column("canteen_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("diet_form", sa.Text(), nullable=False),
        sa.Column("household_id", sa.Uuid(), nullable=True),
        sa.Column("assessment_level", sa.SmallInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("portions", sa.BigInteger(), nullable=False),
        sa.Column("list_fen", sa.BigInteger(), nullable=False),
        sa.Column("elder_fen", sa.BigInteger(), nullable=False),
        sa.Column("government_fen", sa.BigInteger(), nullable=False),
        sa.Column("donation_fen", sa.BigInteger(), nullable=False),
        sa.Column("garden_fen", sa.BigInteger(), nullable=False),
        sa.Column("volunteers_fen", sa.BigInteger(), nullable=False),
        sa.Column("cash_fen", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("voucher_id", sa.Uuid(), nullable=True),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.Column("pickup_number", sa.BigInteger(), nullable=False),
        sa.Column("delivery_address", sa.Text(), nullable=True),
        sa.Column("delivery_note", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("unsuitable_accepted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("cut_off_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("standing_order_id", sa.Uuid(), nullable=True),
        sa.Column("placed_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=True),
        sa.Column("placed_by_name", sa.Text(), nullable=False),
        sa.Column("revised_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("revised_by", sa.Uuid(), nullable=True),
        sa.Column("revised_by_name", sa.Text(), nullable=True),
        sa.Column("ended_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by_name", sa.Text(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("(state = 'placed') = (ended_at IS NULL)", name=op.f("ck_meal_order_ended_whole")),
        sa.CheckConstraint(
            "(way = 'deliver') = (delivery_address IS NOT NULL)", name=op.f("ck_meal_order_delivered_somewhere")
        ),
        sa.CheckConstraint(
            "diet_form IN ('normal', 'soft', 'minced', 'liquid')", name=op.f("ck_meal_order_diet_form_known")
        ),
        sa.CheckConstraint("meal IN ('breakfast', 'lunch', 'supper')", name=op.f("ck_meal_order_meal_known")),
        sa.CheckConstraint(
            "source IN ('phone', 'proxy', 'counter', 'steward', 'standing')", name=op.f("ck_meal_order_source_known")
        ),
        sa.CheckConstraint(
            "state IN ('placed', 'served', 'cancelled', 'missed', 'undelivered', 'corrected')",
            name=op.f("ck_meal_order_state_known"),
        ),
        sa.CheckConstraint("way IN ('eat_in', 'take_away', 'deliver')", name=op.f("ck_meal_order_way_known")),
        sa.CheckConstraint("cash_fen BETWEEN 0 AND elder_fen", name=op.f("ck_meal_order_cash_within_share")),
        sa.CheckConstraint(
            "diner_id IS NOT NULL OR elder_fen = list_fen AND voucher_id IS NULL",
            name=op.f("ck_meal_order_guest_pays_all"),
        ),
        sa.CheckConstraint(
            "(diner_id IS NULL) = (household_id IS NULL) AND (diner_id IS NOT NULL OR assessment_level IS NULL)",
            name=op.f("ck_meal_order_facts_of_diner"),
        ),
        sa.CheckConstraint("assessment_level BETWEEN 0 AND 4", name=op.f("ck_meal_order_level_range")),
        sa.CheckConstraint(
            "list_fen = elder_fen + government_fen + donation_fen + garden_fen + volunteers_fen AND least(elder_fen, government_fen, donation_fen, garden_fen, volunteers_fen) >= 0 AND list_fen > 0",
            name=op.f("ck_meal_order_shares_add_up"),
        ),
        sa.CheckConstraint("portions > 0", name=op.f("ck_meal_order_portions_positive")),
        sa.CheckConstraint("revision > 0", name=op.f("ck_meal_order_revision_positive")),
        sa.CheckConstraint(
            "(revision = 1) = (revised_at IS NULL) AND (revised_at IS NULL) = (revised_by_name IS NULL)"
            " AND (revised_at IS NOT NULL OR revised_by IS NULL)",
            name=op.f("ck_meal_order_revised_whole"),
        ),
        sa.ForeignKeyConstraint(["canteen_id"], ["canteen.id"], name=op.f("fk_meal_order_canteen_id")),
        sa.ForeignKeyConstraint(["diner_id"], ["diner.person_id"], name=op.f("fk_meal_order_diner_id")),
        sa.ForeignKeyConstraint(
            ["standing_order_id"], ["standing_order.id"], name=op.f("fk_meal_order_standing_order_id")
        ),
        sa.ForeignKeyConstraint(["voucher_id"], ["voucher.id"], name=op.f("fk_meal_order_voucher_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meal_order")),
    )
    op.create_index(
        "ix_meal_order_diner", "meal_order", ["diner_id", "id"], unique=False, postgresql_where="diner_id IS NOT NULL"
    )
    op.create_index(
        "ix_meal_order_household",
        "meal_order",
        ["household_id", "served_on"],
        unique=False,
        postgresql_where="household_id IS NOT NULL",
    )
    op.create_index("ix_meal_order_service", "meal_order", ["canteen_id", "served_on", "meal", "state"], unique=False)
    op.create_index(
        "ix_meal_order_to_plan",
        "meal_order",
        ["cut_off_at"],
        unique=False,
        postgresql_where="state = 'placed' AND way = 'deliver'",
    )
    op.create_index(
        "ix_meal_order_waiting", "meal_order", ["served_on", "meal"], unique=False, postgresql_where="state = 'placed'"
    )
    op.create_index(
        "uq_meal_order_one_a_meal",
        "meal_order",
        ["diner_id", "served_on", "meal"],
        unique=True,
        postgresql_where="state IN ('placed', 'served') AND diner_id IS NOT NULL",
    )
    op.create_index(
        "uq_meal_order_pickup", "meal_order", ["canteen_id", "served_on", "meal", "pickup_number"], unique=True
    )
    op.create_index(
        "uq_meal_order_voucher",
        "meal_order",
        ["voucher_id"],
        unique=True,
        postgresql_where="state IN ('placed', 'served')",
    )
    op.create_table(
        "meal_order_item",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("menu_item_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("is_love_meal", sa.Boolean(), nullable=False),
        sa.CheckConstraint("quantity > 0 AND price_fen > 0", name=op.f("ck_meal_order_item_positive")),
        sa.ForeignKeyConstraint(["menu_item_id"], ["menu_item.id"], name=op.f("fk_meal_order_item_menu_item_id")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_meal_order_item_order_id")),
        sa.PrimaryKeyConstraint("order_id", "revision", "line", name=op.f("pk_meal_order_item")),
    )
    op.create_index("ix_meal_order_item_menu", "meal_order_item", ["menu_item_id"], unique=False)
    op.create_table(
        "meal_order_line",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("line", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("share", sa.Text(), nullable=True),
        sa.Column("rule_key", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rule_key <> '' AND label <> ''", name=op.f("ck_meal_order_line_named")),
        sa.CheckConstraint(
            "share IN ('elder', 'government', 'donation', 'garden', 'volunteers')",
            name=op.f("ck_meal_order_line_share_known"),
        ),
        sa.CheckConstraint("fen > 0", name=op.f("ck_meal_order_line_positive")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_meal_order_line_order_id")),
        sa.PrimaryKeyConstraint("order_id", "revision", "line", name=op.f("pk_meal_order_line")),
    )
    op.create_table(
        "order_subsidy_use",
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("meal", sa.Text(), nullable=False),
        sa.Column("rule_key", sa.Text(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fen >= 0", name=op.f("ck_order_subsidy_use_not_negative")),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_order_subsidy_use_order_id")),
        sa.ForeignKeyConstraint(
            ["scope", "scope_id", "served_on", "meal", "rule_key"],
            [
                "subsidy_use.scope",
                "subsidy_use.scope_id",
                "subsidy_use.served_on",
                "subsidy_use.meal",
                "subsidy_use.rule_key",
            ],
            name="fk_order_subsidy_use_use",
        ),
        sa.PrimaryKeyConstraint(
            "order_id", "scope", "scope_id", "served_on", "meal", "rule_key", name=op.f("pk_order_subsidy_use")
        ),
    )
    op.create_table(
        "standing_order_day",
        sa.Column("standing_order_id", sa.Uuid(), nullable=False),
        sa.Column("served_on", sa.Date(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("refusal_code", sa.Text(), nullable=True),
        sa.Column("refusal_title", sa.Text(), nullable=True),
        sa.Column("done_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(order_id IS NULL) = (refusal_code IS NOT NULL)", name=op.f("ck_standing_order_day_one_outcome")
        ),
        sa.CheckConstraint(
            "(refusal_code IS NULL) = (refusal_title IS NULL)", name=op.f("ck_standing_order_day_refusal_whole")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["meal_order.id"], name=op.f("fk_standing_order_day_order_id")),
        sa.ForeignKeyConstraint(
            ["standing_order_id"], ["standing_order.id"], name=op.f("fk_standing_order_day_standing_order_id")
        ),
        sa.PrimaryKeyConstraint("standing_order_id", "served_on", name=op.f("pk_standing_order_day")),
    )
    op.create_index(
        "ix_standing_order_day_order",
        "standing_order_day",
        ["order_id"],
        unique=True,
        postgresql_where="order_id IS NOT NULL",
    )
    op.create_index(
        "ix_order_subsidy_use_use",
        "order_subsidy_use",
        ["scope", "scope_id", "served_on", "meal", "rule_key"],
        unique=False,
    )
    op.execute(sql("orders.sql"))


def downgrade() -> None:
    op.execute("DROP TRIGGER voucher_aside_guarded ON voucher")
    op.execute("DROP FUNCTION meal_receipt_misfit(meal_order)")
    for table in (
        "standing_order_day",
        "order_subsidy_use",
        "meal_order_line",
        "meal_order_item",
        "meal_order",
        "subsidy_use",
        "standing_order",
        "meal_service",
    ):
        op.drop_table(table)
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.drop_index("uq_voucher_set_aside", "voucher", postgresql_where="set_aside_for IS NOT NULL")
    op.drop_constraint(op.f("ck_voucher_set_aside_is_used"), "voucher")
    op.drop_constraint(op.f("ck_voucher_set_aside_whole"), "voucher")
    op.drop_column("voucher", "set_aside_at")
    op.drop_column("voucher", "set_aside_for")
