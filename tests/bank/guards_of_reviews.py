"""Statements and disputes change only while their window is under review; lines move from there into the open one."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bank.clearing_life import CONFIRMED, RULING, changed, confirming, copy_of, raw
from tests.bank.guards_of_windows import SEALED, UNRULED, window
from tests.bank.ledger_guards import Guard, clause, constraint, trigger
from tests.factories.people import DAYAN, XIWU

STATEMENT, DISPUTE, MOVED = "clearing_statement", "clearing_dispute", "clearing_moved_line"
SETTLING_REVIEWED = window("review", status="'settled'", **SEALED)
NOBODY_YET = "(SELECT code FROM township WHERE code NOT IN (SELECT township_code FROM clearing_statement) LIMIT 1)"


def check(table: str, name: str) -> str:
    return constraint(table, f"ck_{table}_{name}")


def one_of(table: str, promise: str, statement: str, name: str) -> Guard:
    """A constraint of a table, by its name, against one statement."""
    return Guard(promise, raw(statement), name, (constraint(table, name),))


def statement(number: str, **changes: str) -> str:
    return changed(STATEMENT, f"window_number = {{{number}}} AND township_code = '{XIWU}'", **changes)


def copy_of_statement(**changes: str) -> str:
    """SQL that inserts a copy of 西坞's statement in the closed window."""
    return copy_of(STATEMENT, f"r.window_number = {{closed}} AND r.township_code = '{XIWU}'", **changes)


SAID = "a statement changes only while its window is under review"
UNDER_REVIEW = clause("clearing_guard_statement", "stands NOT IN ('closed', 'under_review')", "false")
WHOSE = clause(
    "clearing_guard_statement",
    "(NEW.window_number, NEW.township_code) IS DISTINCT FROM (OLD.window_number, OLD.township_code)",
    "false",
)


def _statements() -> Iterator[Guard]:
    gone = raw("DELETE FROM clearing_statement WHERE window_number = {closed}")
    yield Guard("a statement removed", gone, SAID, (trigger(STATEMENT, "clearing_statement_guarded"),))
    for number in ("open", "empty"):
        new = raw(copy_of_statement(window_number=f"{{{number}}}"))
        yield Guard(f"a new statement of a window: {number}", new, SAID, (UNDER_REVIEW,))
    for column in ("position_minutes", "position_fen"):
        other = raw(statement("paid", **{column: f"{column} + 1"}))
        yield Guard(f"another {column} in a settled statement", other, SAID, (UNDER_REVIEW,))
    taken_back = raw(statement("paid", **dict.fromkeys((*CONFIRMED, "note"), "NULL")))
    yield Guard("a confirmation of a settled statement taken back", taken_back, SAID, (UNDER_REVIEW,))
    to_another = raw(statement("closed", window_number="{review}"))
    yield Guard("a statement put into another window", to_another, SAID, (WHOSE,))
    yield Guard("a statement given to another", raw(statement("closed", township_code=NOBODY_YET)), SAID, (WHOSE,))
    for column in CONFIRMED:
        half = statement("closed", **{name: value for name, value in CONFIRMED.items() if name != column})
        name = "ck_clearing_statement_confirmed_whole"
        yield one_of(STATEMENT, f"a statement confirmed without {column}", half, name)
    noted = statement("closed", note="'备注'")
    yield one_of(STATEMENT, "a note without a confirmation", noted, "ck_clearing_statement_note_of_confirmation")
    yield one_of(STATEMENT, "a second statement", copy_of_statement(position_fen="0"), "pk_clearing_statement")


RAISED = "a dispute is raised under review and ruled upon once"
REVIEWED = clause(
    "clearing_guard_dispute",
    "(SELECT w.status FROM clearing_window w WHERE w.number = NEW.window_number)\n"
    "          NOT IN ('closed', 'under_review')",
    "false",
)
UNRULED_AT_FIRST = clause("clearing_guard_dispute", "NEW.ruling IS NOT NULL", "false")
BY_A_PARTY = clause("clearing_guard_dispute", "NEW.township_code IN (t.book_code, t.counterpart_book_code)", "true")
BY_FIRST_LEG = clause("clearing_guard_dispute", "t.id = t.link_id", "true")
SECOND_LEG = "(SELECT id FROM ledger_transfer WHERE link_id = '{line_free}' AND id <> link_id)"
ONCE = clause("clearing_guard_dispute", "OLD.ruling IS NOT NULL", "false")
AS_RAISED = clause(
    "clearing_guard_dispute",
    "OR (NEW.id, NEW.window_number, NEW.transfer_id, NEW.township_code",
    "OR false AND (NEW.id, NEW.window_number, NEW.transfer_id, NEW.township_code",
)
OTHERWISE_RAISED = {
    "id": "gen_random_uuid()",
    "window_number": "{closed}",
    "transfer_id": "'{line_free}'",
    "township_code": f"'{DAYAN}'",
    "reason": "'另有原因'",
    "raised_at": "raised_at - interval '1 day'",
    "raised_by": "gen_random_uuid()",
    "raised_by_name": "'别人'",
}


def dispute(name: str, **changes: str) -> str:
    return changed(DISPUTE, f"id = '{{dispute_{name}}}'", **changes)


def copy_of_dispute(**changes: str) -> str:
    """SQL that inserts a copy of the dispute that waits, about another line."""
    said = {"id": "gen_random_uuid()", "transfer_id": "'{line_free}'"}
    return copy_of(DISPUTE, "r.id = '{dispute_waiting}'", **said | changes)


def _disputes() -> Iterator[Guard]:
    gone = raw("DELETE FROM clearing_dispute WHERE id = '{dispute_waiting}'")
    yield Guard("a dispute removed", gone, RAISED, (trigger(DISPUTE, "clearing_dispute_guarded"),))
    for number in ("open", "paid"):
        new = raw(copy_of_dispute(window_number=f"{{{number}}}"))
        yield Guard(f"a dispute in a window: {number}", new, RAISED, (REVIEWED,))
    ruled = raw(copy_of_dispute(**RULING | {"ruled_at": "r.raised_at"}))
    yield Guard("a dispute that is ruled from the start", ruled, RAISED, (UNRULED_AT_FIRST,))
    by_another = raw(copy_of_dispute(township_code=f"'{XIWU}'"))
    yield Guard("a dispute by a township that is no party", by_another, RAISED, (BY_A_PARTY,))
    yield Guard("a dispute of a second leg", raw(copy_of_dispute(transfer_id=SECOND_LEG)), RAISED, (BY_FIRST_LEG,))
    late = raw(confirming("review"), SETTLING_REVIEWED, dispute("waiting", **RULING), behind=[UNRULED])
    yield Guard("a ruling after the window was settled", late, RAISED, (REVIEWED,))
    for name in ("moved", "stays"):
        again = raw(dispute(name, **RULING))
        yield Guard(f"a second ruling on what was ruled: {name}", again, RAISED, (ONCE,))
    for column, value in OTHERWISE_RAISED.items():
        other = raw(dispute("waiting", **{column: value}))
        yield Guard(f"another {column} of a dispute", other, RAISED, (AS_RAISED,))
    for column in RULING:
        half = dispute("waiting", **{name: value for name, value in RULING.items() if name != column})
        yield one_of(DISPUTE, f"a ruling without {column}", half, "ck_clearing_dispute_ruled_whole")
    unknown = dispute("waiting", **RULING | {"ruling": "'lost'"})
    yield one_of(DISPUTE, "a ruling nobody knows", unknown, "ck_clearing_dispute_ruling_known")
    yield one_of(DISPUTE, "a dispute without a reason", copy_of_dispute(reason="''"), "ck_clearing_dispute_reasoned")
    twice = copy_of_dispute(transfer_id="'{line_waiting}'")
    yield one_of(DISPUTE, "a line disputed twice", twice, "uq_clearing_dispute_window_number_transfer_id")
    yield one_of(DISPUTE, "a dispute's id twice", copy_of_dispute(id="'{dispute_waiting}'"), "pk_clearing_dispute")


MOVES = "a line moves from a window under review into the open one"
MOVED_GUARDED = trigger(MOVED, "clearing_moved_line_guarded")
OUT_OF_REVIEW = clause("clearing_guard_moved_line", "NOT IN ('closed', 'under_review')", "IS NULL")
INTO_OPEN = clause("clearing_guard_moved_line", "<> 'open'", "IS NULL")
BY_RULING = "a line moves by the ruling of a dispute"
RULED = clause("clearing_guard_moved_line", "NOT FOUND", "false")


def moving(line: str, source: str, target: str, **changes: str) -> str:
    """SQL that moves a line from a window into another one."""
    said = {"transfer_id": f"'{{{line}}}'", "from_window": f"{{{source}}}", "to_window": f"{{{target}}}"}
    return copy_of(MOVED, "r.transfer_id = '{line_moved}'", **said | changes)


def ruling(line: str, source: str) -> tuple[str, str]:
    """SQL by which a line of a window is disputed, and ruled to move."""
    found = f"transfer_id = '{{{line}}}' AND window_number = {{{source}}}"
    raised = copy_of_dispute(transfer_id=f"'{{{line}}}'", window_number=f"{{{source}}}")
    return raised, changed(DISPUTE, found, **RULING | {"ruling": "'moved'"})


def _moved_lines() -> Iterator[Guard]:
    paid = raw(moving("line_paid", "paid", "open"))
    yield Guard("a line moved out of a settled window", paid, MOVES, (OUT_OF_REVIEW, RULED))
    for how, number in {"a closed": "closed", "a settled": "empty"}.items():
        into = raw(*ruling("line_free", "review"), moving("line_free", "review", number))
        yield Guard(f"a line moved into {how} window", into, MOVES, (INTO_OPEN,))
    forward = check(MOVED, "forward")
    within = raw(moving("line_free", "open", "open"))
    yield Guard("a line moved from the open window into itself", within, MOVES, (OUT_OF_REVIEW, forward, RULED))
    back = raw(moving("line_closed", "closed", "review"), behind=[MOVED_GUARDED])
    yield Guard("a line moved back", back, "ck_clearing_moved_line_forward", (forward,))
    nothing = raw(*ruling("line_free", "review"), moving("line_free", "review", "open", minutes="0"))
    name = "ck_clearing_moved_line_positive"
    yield Guard("a line of nothing moved", nothing, name, (constraint(MOVED, name),))
    again = moving("line_moved", "review", "open")
    yield one_of(MOVED, "a line moved twice out of a window", again, "pk_clearing_moved_line")
    name = "uq_clearing_moved_line_transfer_id_to_window"
    both = [each for source in ("review", "closed") for each in ruling("line_free", source)]
    both += [moving("line_free", "review", "open"), moving("line_free", "closed", "open")]
    yield Guard("a line moved twice into a window", raw(*both), name, (constraint(MOVED, name),))


def _moved_by_ruling() -> Iterator[Guard]:
    def refused(promise: str, line: str, source: str, found: str) -> Guard:
        cut = clause("clearing_guard_moved_line", found, "true")
        return Guard(promise, raw(moving(line, source, "open")), BY_RULING, (cut,))

    never = raw(moving("line_closed", "closed", "open"))
    yield Guard("a line moved of a window without disputes", never, BY_RULING, (RULED,))
    yield refused("a line moved that nobody disputed", "line_free", "review", "d.transfer_id = NEW.transfer_id")
    elsewhere = "d.window_number = NEW.from_window"
    yield refused("a line moved by a ruling in another window", "line_moved", "closed", elsewhere)
    for how, line in {"that was ruled to stay": "line_stays", "before the ruling": "line_waiting"}.items():
        yield refused(f"a line moved {how}", line, "review", "d.ruling = 'moved'")


REVIEWS_THAT_FIT = {
    "a statement confirmed, changed and taken back": raw(
        statement("closed", **CONFIRMED),
        statement("closed", position_minutes="0", position_fen="0"),
        statement("closed", **dict.fromkeys(CONFIRMED, "NULL")),
    ),
    "a dispute ruled upon": raw(dispute("waiting", **RULING)),
    "a dispute raised and ruled in a closed window": raw(*ruling("line_closed", "closed")),
    "a dispute by the other party": raw(copy_of_dispute(township_code=f"'{DAYAN}'")),
    "lines moved into the open window": raw(
        *(*ruling("line_free", "review"), *ruling("line_closed", "closed")),
        *(moving("line_free", "review", "open"), moving("line_closed", "closed", "open")),
    ),
}
GUARDS = [*_statements(), *_disputes(), *_moved_lines(), *_moved_by_ruling()]
