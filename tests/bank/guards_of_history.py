"""What is written stays as it was written: the database refuses raw SQL that would change the past or an account."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bank.ledger_guards import Guard, clause, constraint, sql, trigger

CLEARING_STAYS = (
    *(
        trigger(f"clearing_{t}", f"clearing_{t}_immutable")
        for t in ("moved_line", "limit_override", "guarantee_call", "recomputation", "reconciliation")
    ),
    *(
        trigger(f"clearing_{t}", f"clearing_{t}_stays")
        for t in (
            "window",
            "tally",
            "tally_mark",
            "participant",
            "statement",
            "dispute",
            "settlement",
            "payment",
            "break",
        )
    ),
)
"""What keeps the rows of clearing, which name transfers and books, from being emptied with them."""

ALL_STAY = (
    *CLEARING_STAYS,
    *(
        trigger(f"ledger_{t}", f"ledger_{t}_immutable")
        for t in ("transfer", "seal", "seal_handout", "checkpoint", "book")
    ),
    *(trigger(f"ledger_{t}", f"ledger_{t}_stays") for t in ("account", "hold")),
    # What refers to the ledger is emptied with it.
    *(trigger(f"clearing_{t}", f"clearing_{t}_stays") for t in ("dispute", "tally", "break")),
    *(trigger(f"clearing_{t}", f"clearing_{t}_immutable") for t in ("moved_line", "guarantee_call")),
    *(trigger(t, f"{t}_stays") for t in ("care_charge", "giving_hardship_request", "guarantee_loss")),
    *(trigger(t, f"{t}_stays") for t in ("voucher", "voucher_ending")),
    *(trigger(t, f"{t}_immutable") for t in ("giving_donation", "giving_gift", "voucher_scan")),
    *(
        trigger(t, f"{t}_stays")
        for t in (
            "delivery_plan",
            "delivery_round",
            "delivery_stop",
            "follow_up",
            "meal_correction",
            "meal_order",
            "meal_service",
            "order_subsidy_use",
            "purse_estate",
            "standing_order",
            "subsidy_claim",
            "subsidy_finding",
            "subsidy_use",
        )
    ),
    *(
        trigger(t, f"{t}_immutable")
        for t in (
            "donation_allotment",
            "follow_up_call",
            "follow_up_draw",
            "kitchen_batch",
            "meal_donation",
            "meal_order_item",
            "meal_order_line",
            "meal_rating",
            "meal_rating_hiding",
            "meal_rating_reply",
            "produce_gift",
            "purse_slip",
            "standing_order_day",
            "subsidy_claim_line",
            "subsidy_claim_meal",
            "till_hand_in",
        )
    ),
)
CHANGED = {
    "transfer": "UPDATE ledger_transfer SET note = note || '.'",
    "seal": "UPDATE ledger_seal SET sealed_at = sealed_at",
    "seal_handout": "UPDATE ledger_seal_handout SET seal_number = seal_number",
    "checkpoint": "UPDATE ledger_checkpoint SET balance = balance + 1",
    "book": "UPDATE ledger_book SET township_code = township_code",
}
REMOVED = {
    "transfer": "DELETE FROM ledger_transfer",
    "seal": "DELETE FROM ledger_seal",
    "seal_handout": "DELETE FROM ledger_seal_handout",
    "checkpoint": "DELETE FROM ledger_checkpoint",
    "book": "DELETE FROM ledger_book WHERE false",
    "account": "DELETE FROM ledger_account WHERE id = {mei}",
    "hold": "DELETE FROM ledger_hold",
}


def _history() -> Iterator[Guard]:
    tries = [(table, "changed", statement) for table, statement in CHANGED.items()]
    tries += [(table, "removed", statement) for table, statement in REMOVED.items()]
    tries += [(table, "emptied", f"TRUNCATE ledger_{table} CASCADE") for table in REMOVED]
    for table, how, statement in tries:
        said = f"rows of ledger_{table} are never changed or removed"
        yield Guard(f"no row of {table} is {how}", sql(statement), said, ALL_STAY)


GUARDED = trigger("ledger_account", "ledger_account_guarded")
OPENING = "INSERT INTO ledger_account (book_code, unit, kind, floored, opened_at{0}) VALUES ('house', 'minute', {1})"


def _set(what: str, named: str, *also: str) -> Guard:
    return Guard(what, sql(f"UPDATE ledger_account SET {what} WHERE id = {{mei}}"), named, (GUARDED, *also))


def _opened(what: str, columns: str, values: str, named: str, guard: str) -> Guard:
    return Guard(what, sql(OPENING.format(columns, values)), named, (guard,))


def _check(name: str) -> str:
    return constraint("ledger_account", f"ck_ledger_account_{name}")


GUARDS = [
    *_history(),
    _set("posted = posted + 1", "only through transfers and holds"),
    _set("held = held + 1", "only through transfers and holds"),
    _set("version = version + 1", "only through transfers and holds"),
    _set("last_recorded_at = NULL", "only through transfers and holds"),
    _set("last_recorded_at = last_recorded_at - interval '1 day'", "only through transfers and holds"),
    _set("book_code = 'house'", "never changes"),
    _set("unit = 'fen'", "never changes"),
    _set("kind = 'fund'", "never changes"),
    _set("person_id = NULL", "never changes"),
    _set("opened_at = opened_at - interval '1 day'", "never changes"),
    _set("kind = 'granted', expires_on = '2027-01-01'", "never changes"),
    _opened("an account opened with money", ", posted", "'savings', true, now(), 1", "is opened empty", GUARDED),
    _opened("an account opened with a version", ", version", "'savings', true, now(), 1", "is opened empty", GUARDED),
    _opened(
        "an account that has moved before",
        ", last_recorded_at",
        "'savings', true, now(), now()",
        "opened empty",
        GUARDED,
    ),
    _opened(
        "a savings account without a floor", "", "'savings', false, now()", "floor_fits_kind", _check("floor_fits_kind")
    ),
    _opened(
        "an issuance account with a floor", "", "'cash', true, now()", "floor_fits_kind", _check("floor_fits_kind")
    ),
    _opened("a kind nobody knows", "", "'jar', false, now()", "kind_known", _check("kind_known")),
    _opened("a lot that never expires", "", "'granted', true, now()", "only_lots_expire", _check("only_lots_expire")),
    _opened(
        *("savings that expire", ", expires_on", "'savings', true, now(), '2027-01-01'"),
        *("only_lots_expire", _check("only_lots_expire")),
    ),
    _opened("a second pool of a book", "", "'pool', true, now()", "holder", "DROP INDEX uq_ledger_account_holder"),
    Guard(
        "an account closed with money in it",
        sql("UPDATE ledger_account SET closed_at = now() WHERE id = {mei}"),
        "ck_ledger_account_closed_empty",
        (_check("closed_empty"),),
    ),
    Guard(
        "a closed account opened again",
        sql("UPDATE ledger_account SET closed_at = NULL WHERE id = {closed}"),
        "never changes",
        (
            clause(
                "ledger_guard_account",
                "(OLD.closed_at IS NOT NULL AND NEW.closed_at IS DISTINCT FROM OLD.closed_at)",
                "false",
            ),
        ),
    ),
]
