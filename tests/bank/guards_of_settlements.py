"""A settlement is whole and ends once, and so does each of its payments."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from tests.bank.clearing_life import Life, changed, copy_of, raw
from tests.bank.guards_of_reviews import one_of
from tests.bank.ledger_books import move
from tests.bank.ledger_guards import Attempt, Guard, clause, constraint, take_away, trigger
from tests.factories.people import DAYAN, SHANGTIAN, XIWU
from timebank.clearing.models import Statement
from timebank.core.ids import new_id
from timebank.ledger.actions import post_one, township_accounts
from timebank.ledger.rules import HOUSE, AccountKind

SETTLEMENT, PAYMENT = "clearing_settlement", "clearing_payment"
SETTLED_ONCE = "ends once"
PAID_ONCE = "a payment ends once"
INSTRUCTED = "a payment is instructed for a settlement that stands"
AT_ONCE = "SET CONSTRAINTS ALL IMMEDIATE"
ABORTED = {"status": "'aborted'", "abort_reason": "'账号有误'", "ended_at": "settled_at", "ended_by_name": "'区'"}
STANDING = {"status": "'instructed'", "abort_reason": "NULL", "ended_at": "NULL", "ended_by_name": "NULL"}


def cut(found: str, instead: str = "false") -> str:
    return clause("clearing_guard_settlement", found, instead)


def settlement(name: str, **changes: str) -> str:
    return changed(SETTLEMENT, f"id = '{{{name}_settlement}}'", **changes)


def second_try(**changes: str) -> str:
    """SQL that settles the window under review again, moving nothing."""
    said = {"id": "gen_random_uuid()", "attempt": "2", **STANDING}
    return copy_of(SETTLEMENT, "r.id = '{aborted_settlement}'", **said | changes)


OTHERWISE_SETTLED = {
    "id": "gen_random_uuid()",
    "window_number": "{closed}",
    "attempt": "9",
    "settled_at": "settled_at - interval '1 day'",
    "settled_by": "gen_random_uuid()",
    "settled_by_name": "'别人'",
}
AS_MADE = cut(
    "OR (NEW.id, NEW.window_number, NEW.attempt, NEW.method",
    "OR false AND (NEW.id, NEW.window_number, NEW.attempt, NEW.method",
)
SAME_INTO = cut("NEW.carried_into IS DISTINCT FROM OLD.carried_into")
STILL = cut("(OLD.status = 'aborted' OR NEW.status = OLD.status) AND NEW IS DISTINCT FROM OLD")
UNPAID = cut("NEW.status = 'aborted' AND EXISTS", "false AND EXISTS")


def _settlements() -> Iterator[Guard]:
    def refused(promise: str, attempt: Attempt, *taken_away: str) -> Guard:
        return Guard(promise, attempt, SETTLED_ONCE, taken_away)

    gone = raw("DELETE FROM clearing_settlement WHERE id = '{empty_settlement}'")
    yield refused("a settlement removed", gone, trigger(SETTLEMENT, "clearing_settlement_guarded"))
    for column, value in OTHERWISE_SETTLED.items():
        other = raw(settlement("empty", **{column: value}))
        yield refused(f"another {column} of a settlement", other, AS_MADE, STILL)
        # Not even where its status changes as well.
        aborted = raw(settlement("empty", **ABORTED | {column: value}))
        yield refused(f"another {column} of a settlement that is aborted", aborted, AS_MADE)
    paid = raw(settlement("carried", method="'pay'", carried_into="NULL"))
    yield refused("a settlement that was carried over made one that is paid", paid, AS_MADE, SAME_INTO, STILL)
    into = settlement("carried", **ABORTED | {"carried_into": "{open}"})
    yield refused("a settlement carried into another window", raw(into), SAME_INTO)
    for column, value in {"ended_by_name": "'别人'", "ended_at": "now()"}.items():
        for name in ("empty", "aborted"):
            other = raw(settlement(name, **{column: value}))
            yield refused(f"another {column} of a settlement: {name}", other, STILL)
    yield refused("another reason of an aborted one", raw(settlement("aborted", abort_reason="'另'")), STILL)
    yield refused("an aborted settlement instructed again", raw(settlement("aborted", **STANDING)), STILL)
    completed = raw(settlement("aborted", status="'completed'", abort_reason="NULL"))
    yield refused("an aborted settlement completed", completed, STILL)
    instructed = raw(settlement("empty", **STANDING))
    yield refused(
        "a completed settlement instructed again",
        instructed,
        cut("OLD.status = 'completed' AND NEW.status = 'instructed'"),
    )
    withdrawn = changed(PAYMENT, "settlement_id = '{paid_settlement}' AND state = 'instructed'", state="'withdrawn'")
    withdrawn = withdrawn.replace("state = 'withdrawn'", "state = 'withdrawn', ended_at = now()", 1)
    yield refused("a settlement aborted that is partly paid", raw(withdrawn, settlement("paid", **ABORTED)), UNPAID)
    fresh = "id = (SELECT id FROM clearing_settlement WHERE window_number = {review} AND status = 'instructed')"
    instructed_only = raw(second_try(), payment_of_second_try(), changed(SETTLEMENT, fresh, **ABORTED))
    yield refused("a settlement aborted while a payment is instructed", instructed_only, UNPAID)


def payment_of_second_try(**changes: str) -> str:
    """SQL that instructs a payment for the window that is settled again."""
    of_it = "(SELECT id FROM clearing_settlement WHERE window_number = {review} AND status = 'instructed')"
    said = {"id": "gen_random_uuid()", "settlement_id": of_it}
    return copy_of(PAYMENT, "r.id = '{payment_instructed}'", **said | changes)


def _checks_of_settlements() -> Iterator[Guard]:
    def checked(promise: str, name: str, **changes: str) -> Guard:
        return one_of(SETTLEMENT, promise, second_try(**changes), f"ck_clearing_settlement_{name}")

    ended = {"status": "'completed'", "ended_at": "now()"}
    yield checked("a method nobody knows", "method_known", method="'barter'")
    yield checked("a settlement's status nobody knows", "status_known", **ended | {"status": "'lost'"})
    yield checked("minutes carried nowhere", "carried_somewhere", method="'carry'")
    yield checked("minutes paid and carried", "carried_somewhere", carried_into="{open}")
    yield checked("an end of what goes on", "ended_whole", ended_at="now()")
    yield checked("a completed settlement without an end", "ended_whole", status="'completed'")
    yield checked("an aborted settlement without a reason", "abort_reasoned", **ABORTED | {"abort_reason": "NULL"})
    yield checked("a completed settlement with a reason to abort", "abort_reasoned", **ended, abort_reason="'x'")
    name = "uq_clearing_settlement_window_number_attempt"
    yield one_of(SETTLEMENT, "a window's first settlement twice", second_try(attempt="1"), name)
    again = raw(copy_of(SETTLEMENT, "r.id = '{empty_settlement}'", id="gen_random_uuid()", attempt="2"))
    name = "uq_clearing_settlement_standing"
    yield Guard("a window settled twice", again, name, (f"DROP INDEX {name}",))
    same = raw(second_try(id="'{aborted_settlement}'"))
    name = "pk_clearing_settlement"
    yield Guard("a settlement's id twice", same, name, (f"{constraint(SETTLEMENT, name)} CASCADE",))


def posted(cause_id: UUID, session: Session, *steps: tuple[str, int, str]) -> None:
    """Move minutes from what a township has settled to the house, or (negative) back, by the given kinds."""
    settled = township_accounts(session, [DAYAN, SHANGTIAN, XIWU], AccountKind.SETTLED)
    house = township_accounts(session, [HOUSE], AccountKind.NETTING)[HOUSE]
    for code, minutes, kind in steps:
        pair = (settled[code], house) if minutes > 0 else (house, settled[code])
        post_one(session, (move(*pair, abs(minutes), kind=kind, cause_kind="settlement", cause_id=cause_id),))


def settling(*steps: tuple[str, int, str]) -> Attempt:
    """The window under review settled again: everybody's position, changed by what is said in ``steps``."""

    def attempt(session: Session, life: Life) -> None:
        settlement_id = new_id()
        raw(second_try(id=f"'{settlement_id}'"))(session, life)
        said = session.scalars(select(Statement).where(Statement.window_number == life.review))
        owed = [(one.township_code, one.position_minutes, "settlement") for one in said]
        posted(settlement_id, session, *(one for one in owed if one[1]), *steps)
        session.execute(text(AT_ONCE))

    return attempt


def undone(*steps: tuple[str, int, str]) -> Attempt:
    """The settlement of the window that was carried over aborted, with these movements to undo it."""

    def attempt(session: Session, life: Life) -> None:
        posted(life.carried_settlement, session, *steps)
        raw(settlement("carried", **ABORTED), AT_ONCE)(session, life)

    return attempt


def touched(*steps: tuple[str, int, str]) -> Attempt:
    """Something moved for a settlement long made, whose row is written as it was."""

    def attempt(session: Session, life: Life) -> None:
        posted(life.carried_settlement, session, *steps)
        raw(settlement("carried", status="status"), AT_ONCE)(session, life)

    return attempt


def unwatched(guard: str, attempt: Attempt) -> Attempt:
    """The same with a guard in front of the one meant taken away."""

    def without(session: Session, life: Life) -> None:
        take_away(session, guard)
        attempt(session, life)

    return without


LEAVES = "where it should not be"
KEEPS = "leaves minutes with the house"
AT_POSITION = clause("clearing_check_settlement", "coalesce(wanted.minutes, 0) <> coalesce(made.minutes, 0)", "false")
HOUSE_EMPTY = clause("clearing_check_settlement", "n.kept <> 0", "false")
BOTH = (AT_POSITION, HOUSE_EMPTY)
CARRIED = {XIWU: -60, DAYAN: -60, SHANGTIAN: 120}
UNDOING = [(code, minutes, "settlement_undone") for code, minutes in CARRIED.items()]
BACK = [(code, -minutes, "carried_meal") for code, minutes in CARRIED.items()]
ONE_MORE, ONE_LESS = (DAYAN, 1, "settlement"), (DAYAN, -1, "settlement")
WHOLE = [
    Guard("a settlement that moves nothing", raw(second_try(), AT_ONCE), LEAVES, (AT_POSITION,)),
    Guard("one minute too many settled", settling(ONE_MORE), LEAVES, BOTH),
    Guard("one minute too few settled", settling(ONE_LESS), LEAVES, BOTH),
    Guard(
        "one minute of another's settled",
        settling(ONE_LESS, (SHANGTIAN, 1, "settlement")),
        *(LEAVES, (AT_POSITION,)),
    ),
    Guard(
        "a township settled that had nothing in the window",
        settling((XIWU, 5, "settlement"), (DAYAN, -5, "settlement")),
        *(LEAVES, (AT_POSITION,)),
    ),
    Guard("a settlement aborted that is not undone", undone(), LEAVES, (AT_POSITION,)),
    Guard("half a settlement undone", undone((XIWU, -60, "settlement_undone")), LEAVES, BOTH),
    Guard("a settlement undone whose carrying over stands", undone(*UNDOING), LEAVES, (AT_POSITION,)),
    Guard("minutes carried although they are paid", settling((DAYAN, -1, "carried_meal")), LEAVES, BOTH),
    Guard("minutes carried once more", touched((DAYAN, 1, "carried_care")), LEAVES, BOTH),
    Guard(
        "minutes carried out of the house",
        unwatched(AT_POSITION, touched((DAYAN, 1, "carried_care"))),
        *(KEEPS, (HOUSE_EMPTY,)),
    ),
]

OTHERWISE_PAID = {
    "id": "gen_random_uuid()",
    "settlement_id": "'{empty_settlement}'",
    "township_code": "'330213001'",
    "attempt": "9",
    "direction": "'pay'",
    "amount_fen": "amount_fen + 1",
    "instructed_at": "instructed_at - interval '1 day'",
}
PAID = {"state": "'paid'", "outside_reference": "'国库-9'", "ended_at": "now()"}
FAILED = {"state": "'failed'", "problem": "'户名不符'", "ended_at": "now()"}


def payment(name: str, **changes: str) -> str:
    return changed(PAYMENT, f"id = '{{payment_{name}}}'", **changes)


def another_payment(**changes: str) -> str:
    """SQL that tries once more what failed, beside the try that is under way or after it."""
    said = {"id": "gen_random_uuid()", "attempt": "3", "state": "'instructed'", "ended_at": "NULL", "problem": "NULL"}
    return copy_of(PAYMENT, "r.id = '{payment_failed}'", **said | changes)


def _payments() -> Iterator[Guard]:
    gone = raw("DELETE FROM clearing_payment WHERE id = '{payment_instructed}'")
    yield Guard("a payment removed", gone, PAID_ONCE, (trigger(PAYMENT, "clearing_payment_guarded"),))
    ended = clause("clearing_guard_payment", "OLD.state <> 'instructed'", "false")
    unpaid = {"state": "'instructed'", "ended_at": "NULL"}
    yield Guard("a paid payment taken back", raw(payment("paid", **unpaid)), PAID_ONCE, (ended,))
    yield Guard("a paid payment failed", raw(payment("paid", **FAILED)), PAID_ONCE, (ended,))
    yield Guard(
        "another reference of what is paid", raw(payment("paid", outside_reference="'另'")), PAID_ONCE, (ended,)
    )
    yield Guard(
        "a failed payment paid", raw(payment("again", **FAILED), payment("failed", **PAID)), PAID_ONCE, (ended,)
    )
    yield Guard("another problem of what failed", raw(payment("failed", problem="'另'")), PAID_ONCE, (ended,))
    withdrawn = changed(PAYMENT, "settlement_id = '{aborted_settlement}'", state="'instructed'", ended_at="NULL")
    yield Guard("a withdrawn payment instructed again", raw(withdrawn), PAID_ONCE, (ended,))
    as_made = clause(
        "clearing_guard_payment",
        "OR (NEW.id, NEW.settlement_id, NEW.township_code",
        "OR false AND (NEW.id, NEW.settlement_id, NEW.township_code",
    )
    for column, value in OTHERWISE_PAID.items():
        other = raw(payment("instructed", **{column: value}))
        yield Guard(f"another {column} of a payment", other, PAID_ONCE, (as_made,))


def _instructed() -> Iterator[Guard]:
    stands = clause("clearing_guard_payment", "s.status = 'instructed'", "true")
    for name in ("aborted", "empty", "carried"):
        new = payment_of_second_try(settlement_id=f"'{{{name}_settlement}}'", attempt="9")
        yield Guard(f"a payment instructed for a settlement that is over: {name}", raw(new), INSTRUCTED, (stands,))
    as_instructed = clause("clearing_guard_payment", "NEW.state = 'instructed'", "true")
    for ended in (PAID, FAILED, {"state": "'withdrawn'", "ended_at": "now()"}):
        new = payment_of_second_try(**ended)
        promise = f"a payment that is {ended['state']} from the start"
        yield Guard(promise, raw(second_try(), new), INSTRUCTED, (as_instructed,))


def _checks_of_payments() -> Iterator[Guard]:
    def tried_again(promise: str, name: str, **changes: str) -> Guard:
        attempt = raw(payment("again", **FAILED), another_payment(**changes))
        return Guard(promise, attempt, name, (constraint(PAYMENT, name),))

    yield tried_again("a direction nobody knows", "ck_clearing_payment_direction_known", direction="'away'")
    yield tried_again("a payment of nothing", "ck_clearing_payment_positive", amount_fen="0")
    lost = payment("instructed", state="'lost'", ended_at="now()")
    yield one_of(PAYMENT, "a payment's state nobody knows", lost, "ck_clearing_payment_state_known")
    endless = payment("instructed", **FAILED | {"ended_at": "NULL"})
    yield one_of(PAYMENT, "a failed payment without an end", endless, "ck_clearing_payment_ended_whole")
    instructed = payment("instructed", ended_at="now()")
    yield one_of(PAYMENT, "an end of a payment under way", instructed, "ck_clearing_payment_ended_whole")
    for reference in ("NULL", "''"):
        paid = payment("instructed", **PAID | {"outside_reference": reference})
        name = "ck_clearing_payment_paid_with_reference"
        yield one_of(PAYMENT, f"a payment paid under the reference {reference}", paid, name)
        failed = payment("instructed", **FAILED | {"problem": reference})
        name = "ck_clearing_payment_failed_with_problem"
        yield one_of(PAYMENT, f"a payment failed for the problem {reference}", failed, name)
    name = "uq_clearing_payment_settlement_id_township_code_attempt"
    yield tried_again("a first try twice", name, attempt="1")
    name = "uq_clearing_payment_standing"
    yield Guard("a payment instructed twice", raw(another_payment()), name, (f"DROP INDEX {name}",))
    name = "uq_clearing_payment_reference"
    reused = payment("instructed", **PAID | {"outside_reference": "'国库-1'"})
    yield Guard("a reference used twice", raw(reused), name, (f"DROP INDEX {name}",))
    yield tried_again("a payment's id twice", "pk_clearing_payment", id="'{payment_failed}'")


SETTLEMENTS_THAT_FIT = {
    "a window settled again": settling(),
    "one minute more carried and taken back": settling((DAYAN, 1, "carried_meal"), (DAYAN, -1, "carried_meal")),
    "a settlement undone": undone(*UNDOING, *BACK),
    "a payment paid": raw(payment("instructed", **PAID)),
    "a payment failed": raw(payment("instructed", **FAILED)),
    "a payment failed and tried again": raw(payment("again", **FAILED), another_payment()),
    "a payment instructed for a window settled again": raw(second_try(), payment_of_second_try()),
}
GUARDS = [*_settlements(), *_checks_of_settlements(), *WHOLE, *_payments(), *_instructed(), *_checks_of_payments()]
