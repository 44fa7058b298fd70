"""Windows follow one another, move forward only and say what they said; their tally grows until they close."""

from __future__ import annotations

from collections.abc import Iterator

from tests.bank.clearing_life import changed, confirming, copy_of, raw, reviewing
from tests.bank.ledger_guards import Attempt, Guard, clause, constraint, trigger

WINDOW = "clearing_window"
FOLLOW = "a window opens where the one before it ends"
NEVER = "says never changes"
STEP = "does not go from"
NOT_REVIEWED = "is not reviewed"
GUARDED = trigger(WINDOW, "clearing_window_guarded")
ONE_OPEN = "DROP INDEX uq_clearing_window_open"
APART = constraint(WINDOW, "ex_clearing_window_apart")
NEWEST = "(SELECT max(seq) FROM ledger_transfer)"
SEALED = {"seal": "sha256('seal')", "settled_at": "opened_at"}
OF_CLOSED = ("to_seq", "last_leg_seq", "ends_at", "closed_at", "closed_by_name", "prices")
UNSEALED = {"seal": "NULL", "settled_at": "NULL"}


def check(name: str) -> str:
    return constraint(WINDOW, f"ck_clearing_window_{name}")


def cut(found: str, instead: str = "false") -> str:
    return clause("clearing_guard_window", found, instead)


def closing(**changes: str) -> str:
    """SQL that closes the open window."""
    said = {"status": "'closed'", "to_seq": NEWEST, "last_leg_seq": NEWEST, "closed_by_name": "'区'"}
    said |= {"ends_at": "opened_at + interval '1 day'", "closed_at": "opened_at + interval '2 days'"}
    said |= {"prices": "jsonb_build_object()"}
    return changed(WINDOW, "status = 'open'", **said | changes)


def opening(**changes: str) -> str:
    """SQL that opens a window after the newest one."""
    said = {"number": "r.number + 1", "name": "'9999-01'", "status": "'open'", "from_seq": "r.to_seq"}
    said |= {"opened_at": "r.closed_at", **UNSEALED}
    said |= dict.fromkeys(OF_CLOSED, "NULL")
    return copy_of(WINDOW, "r.number = (SELECT max(number) FROM clearing_window)", **said | changes)


def window(number: str, **changes: str) -> str:
    return changed(WINDOW, f"number = {{{number}}}", **changes)


ABORTING = changed(
    "clearing_settlement", "id = '{empty_settlement}'", status="'aborted'", abort_reason="'撤销'", ended_at="settled_at"
)
"""SQL that ends the settlement of the window that has nothing in it."""

NUMBERED = cut("NEW.number <> (SELECT coalesce(max(w.number), 0) + 1 FROM clearing_window w)")
FROM_END = cut("NEW.from_seq <> (SELECT coalesce(max(w.to_seq), 0) FROM clearing_window w)")
AS_CLOSED = {"to_seq": "r.from_seq", "last_leg_seq": "r.from_seq", "closed_by_name": "'区'"}
AS_CLOSED |= {"status": "'closed'", "prices": "jsonb_build_object()"}
AS_CLOSED |= {"ends_at": "r.opened_at", "closed_at": "r.opened_at"}
OPENED = [
    Guard(
        "a window that is closed from the start",
        raw(opening(from_seq="r.from_seq", opened_at="r.opened_at", **AS_CLOSED)),
        *(FOLLOW, (cut("NEW.status <> 'open'"),)),
    ),
    Guard("a number left out", raw(closing(), opening(number="r.number + 2")), FOLLOW, (NUMBERED,)),
    Guard("sequence numbers left out", raw(closing(), opening(from_seq="r.to_seq + 1")), FOLLOW, (FROM_END,)),
    Guard("sequence numbers twice", raw(closing(), opening(from_seq="r.to_seq - 1")), FOLLOW, (FROM_END, APART)),
    Guard(
        "two windows over the same numbers",
        raw(opening(from_seq="r.from_seq", opened_at="r.opened_at")),
        *("ex_clearing_window_apart", (APART, ONE_OPEN)),
    ),
    Guard(
        "two windows open at once",
        raw(opening(from_seq="r.from_seq", opened_at="r.opened_at"), behind=[APART]),
        *("uq_clearing_window_open", (ONE_OPEN,)),
    ),
    Guard(
        "a name that is used already",
        raw(closing(), opening(name="(SELECT name FROM clearing_window WHERE number = {paid})")),
        *("uq_clearing_window_name", (constraint(WINDOW, "uq_clearing_window_name"),)),
    ),
    Guard(
        "a number that is used already",
        raw(closing(), opening(number="r.number"), behind=[NUMBERED]),
        *("pk_clearing_window", (f"{constraint(WINDOW, 'pk_clearing_window')} CASCADE",)),
    ),
]


def _never_changes() -> Iterator[Guard]:
    always = cut(
        "(NEW.number, NEW.name, NEW.from_seq, NEW.opened_at)\n"
        "           IS DISTINCT FROM (OLD.number, OLD.name, OLD.from_seq, OLD.opened_at)"
    )
    newest = "number = (SELECT max(number) FROM clearing_window)"
    of_any = {"name": "'9999-12'", "from_seq": "from_seq + 1", "opened_at": "opened_at - interval '1 day'"}
    for column, value in of_any.items():
        yield Guard(f"another {column} of a window", raw(window("open", **{column: value})), NEVER, (always,))
    yield Guard(
        "another number of a window",
        raw(closing(), opening(), changed(WINDOW, newest, number="number + 1")),
        *(NEVER, (always,)),
    )
    closed = cut("OLD.status <> 'open'\n          AND (NEW.to_seq", "false\n          AND (NEW.to_seq")
    of_closed = {"to_seq": "to_seq - 1", "last_leg_seq": "last_leg_seq + 1", "prices": "jsonb_build_object('meal', 1)"}
    of_closed |= {"closed_at": "closed_at + interval '1 day'", "closed_by": "NULL", "closed_by_name": "'别人'"}
    for column, value in of_closed.items():
        for number in ("closed", "paid"):
            yield Guard(
                f"another {column} of a window that is {number}",
                raw(window(number, **{column: value})),
                *(NEVER, (closed,)),
            )
    for number in ("closed", "paid"):
        yield Guard(
            f"another end of a window's time: {number}",
            raw(window(number, ends_at="ends_at - interval '1 second'"), behind=[check("closed_after_opened")]),
            *(NEVER, (closed,)),
        )
    settled = cut("OLD.status = 'settled' AND NEW.status = 'settled'")
    for column, value in {"seal": "sha256('other')", "settled_at": "settled_at + interval '1 day'"}.items():
        yield Guard(f"another {column} of a settled window", raw(window("paid", **{column: value})), NEVER, (settled,))


STEPS = cut(
    "(OLD.status, NEW.status) NOT IN (('open', 'closed'), ('closed', 'under_review'), ('closed', 'settled'),\n"
    "                                            ('under_review', 'settled'), ('settled', 'under_review'))"
)
SETTLED_FOR_GOOD = cut("OLD.status = 'settled' AND NEW.status <> 'settled'")
WHOLE = (check("closed_whole"), ONE_OPEN)


def _steps() -> Iterator[Guard]:
    tries = [
        ("open", "under review", (closing(status="'under_review'"),), ()),
        ("open", "settled", (closing(status="'settled'", **SEALED),), ()),
        ("closed", "open", (window("closed", status="'open'"),), WHOLE),
        ("under review", "open", (window("review", status="'open'"),), WHOLE),
        ("under review", "closed", (window("review", status="'closed'"),), ()),
        ("settled", "open", (ABORTING, window("empty", status="'open'", **UNSEALED)), WHOLE),
        ("settled", "closed", (ABORTING, window("empty", status="'closed'", **UNSEALED)), ()),
    ]
    for before, after, statements, also in tries:
        yield Guard(f"a window from {before} to {after}", raw(*statements), STEP, (STEPS, *also))
    for how in ("paid", "carried", "empty"):
        yield Guard(
            f"a settled window under review again while its settlement stands ({how})",
            raw(window(how, status="'under_review'", **UNSEALED)),
            *(STEP, (SETTLED_FOR_GOOD,)),
        )


UNCONFIRMED = cut(
    "EXISTS (SELECT FROM clearing_statement s WHERE s.window_number = OLD.number AND s.confirmed_at IS NULL)"
)
UNRULED = cut("EXISTS (SELECT FROM clearing_dispute d WHERE d.window_number = OLD.number AND d.ruling IS NULL)")


def _reviewed() -> Iterator[Guard]:
    settling = {number: window(number, status="'settled'", **SEALED) for number in ("closed", "review")}
    last = "window_number = {closed} AND township_code = (SELECT max(township_code) FROM clearing_statement"
    last += " WHERE window_number = {closed})"
    taken_back = dict.fromkeys(("confirmed_at", "confirmed_by", "confirmed_by_name"), "NULL")
    but_one = raw(confirming("closed"), changed("clearing_statement", last, **taken_back), settling["closed"])
    disputed = raw(confirming("review"), settling["review"])
    yield Guard("a window settled that nobody confirmed", raw(settling["closed"]), NOT_REVIEWED, (UNCONFIRMED,))
    yield Guard("a window settled that one has not confirmed", but_one, NOT_REVIEWED, (UNCONFIRMED,))
    yield Guard("a window settled while a dispute waits", disputed, NOT_REVIEWED, (UNRULED,))


STEPS_THAT_FIT = {
    "open, closed, under review, settled": raw(
        closing(),
        opening(),
        changed(WINDOW, "number = {open}", status="'under_review'"),
        changed(WINDOW, "number = {open}", status="'settled'", **SEALED),
    ),
    "closed, settled": raw(*reviewing("closed"), window("closed", status="'settled'", **SEALED)),
    "under review, settled": raw(*reviewing("review"), window("review", status="'settled'", **SEALED)),
    "a window closed at the moment its time ends": raw(closing(closed_at="opened_at + interval '1 day'")),
    "a window closed as it opens": raw(closing(ends_at="opened_at", closed_at="opened_at")),
    "settled, under review, settled": raw(
        ABORTING, window("empty", status="'under_review'", **UNSEALED), window("empty", status="'settled'", **SEALED)
    ),
}


def _checks() -> Iterator[Guard]:
    def checked(promise: str, attempt: Attempt, name: str, *also: str) -> Guard:
        return Guard(promise, attempt, f"ck_clearing_window_{name}", (check(name), *also))

    yield checked("a status nobody knows", raw(window("closed", status="'lost'"), behind=[GUARDED]), "status_known")
    for column in OF_CLOSED:
        yield checked(f"a window closed without {column}", raw(closing(**{column: "NULL"})), "closed_whole")
    for column, value in {"to_seq": NEWEST, "ends_at": "opened_at"}.items():
        yield checked(f"an open window with {column}", raw(window("open", **{column: value})), "closed_whole")
    for column in SEALED:
        yield checked(
            f"a window settled without {column}",
            raw(*reviewing("review"), window("review", status="'settled'", **SEALED | {column: "NULL"})),
            "settled_whole",
        )
        yield checked(
            f"a closed window with {column}", raw(window("closed", **{column: SEALED[column]})), "settled_whole"
        )
    yield checked("an end before the beginning", raw(closing(to_seq="from_seq - 1")), "range_order", APART)
    yield checked("a last leg before the end", raw(closing(last_leg_seq=f"{NEWEST} - 1")), "range_order")
    early = raw(closing(ends_at="opened_at - interval '1 day'"))
    yield checked("a window whose time ends before it opened", early, "closed_after_opened")
    early = raw(closing(closed_at="opened_at + interval '1 hour'"))
    yield checked("a window closed before its time ended", early, "closed_after_opened")
    short = window("review", status="'settled'", **SEALED | {"seal": "substr(sha256('seal'), 2)"})
    yield checked("a seal of another length", raw(*reviewing("review"), short), "digest_length")


TALLY = "is final, that of an open one grows"
TALLY_GUARDED = trigger("clearing_tally", "clearing_tally_guarded")
FINAL = clause(
    "clearing_guard_tally",
    "(SELECT w.status FROM clearing_window w WHERE w.number = NEW.window_number) <> 'open'",
    "false",
)
KEYS = clause(
    "clearing_guard_tally",
    "(NEW.window_number, NEW.debtor, NEW.creditor, NEW.kind)\n"
    "                   IS DISTINCT FROM (OLD.window_number, OLD.debtor, OLD.creditor, OLD.kind)",
    "false",
)


def tally(number: str, **changes: str) -> str:
    return changed("clearing_tally", f"window_number = {{{number}}}", **changes)


def _tally() -> Iterator[Guard]:
    gone = raw("DELETE FROM clearing_tally WHERE window_number = {open}")
    yield Guard("a tally removed", gone, TALLY, (TALLY_GUARDED,))
    for column, value in {"debtor": "'house'", "creditor": "'house'", "kind": "'gift'"}.items():
        yield Guard(f"a tally of another {column}", raw(tally("open", **{column: value})), TALLY, (KEYS,))
    into_next = raw(closing(), opening(), tally("open", window_number="window_number + 1"))
    yield Guard("a tally taken along into the next window", into_next, TALLY, (KEYS,))
    for column in ("minutes", "transfers"):
        less = clause("clearing_guard_tally", f"NEW.{column} < OLD.{column}", "false")
        yield Guard(
            f"fewer {column} in the tally",
            raw(copy_of_tally("open", **{column: "2"}), tally_gift(column)),
            TALLY,
            (less,),
        )
    more = {"minutes": "minutes + 1", "transfers": "transfers + 1"}
    for number in ("closed", "review", "paid"):
        yield Guard(f"more in the tally of a window: {number}", raw(tally(number, **more)), TALLY, (FINAL,))
        yield Guard(f"a new sum in the tally of a window: {number}", raw(copy_of_tally(number)), TALLY, (FINAL,))
    for column in ("minutes", "transfers"):
        yield Guard(
            f"a tally of no {column}",
            raw(copy_of_tally("open", **{column: "0"})),
            *("ck_clearing_tally_positive", (constraint("clearing_tally", "ck_clearing_tally_positive"),)),
        )
    yield Guard(
        "the same sum twice in the tally",
        raw(copy_of_tally("open"), copy_of_tally("open")),
        *("pk_clearing_tally", (constraint("clearing_tally", "pk_clearing_tally"),)),
    )


def copy_of_tally(number: str, **changes: str) -> str:
    """SQL that adds a sum of gifts to a window's tally."""
    found = "(r.window_number, r.debtor, r.creditor) = ({open}, '330213007', '330213107')"
    return copy_of("clearing_tally", found, window_number=f"{{{number}}}", kind="'gift'", **changes)


def tally_gift(column: str) -> str:
    return changed("clearing_tally", "kind = 'gift'", **{column: "1"})


MARK = "the mark of the tally moves forward only"
MARK_GUARDED = trigger("clearing_tally_mark", "clearing_tally_mark_guarded")
ONE_ROW = constraint("clearing_tally_mark", "ck_clearing_tally_mark_one_row")
MARKED = [
    Guard("the mark removed", raw("DELETE FROM clearing_tally_mark"), MARK, (MARK_GUARDED,)),
    Guard(
        "the mark moved back",
        raw("UPDATE clearing_tally_mark SET upto_seq = upto_seq - 1"),
        *(MARK, (clause("clearing_guard_mark", "OR NEW.upto_seq < OLD.upto_seq", ""),)),
    ),
    Guard(
        "a second mark",
        raw("INSERT INTO clearing_tally_mark VALUES (2, 0)"),
        "ck_clearing_tally_mark_one_row",
        (ONE_ROW,),
    ),
    Guard(
        "the same mark twice",
        raw("INSERT INTO clearing_tally_mark VALUES (1, 0)"),
        *("pk_clearing_tally_mark", (constraint("clearing_tally_mark", "pk_clearing_tally_mark"),)),
    ),
    Guard(
        "a mark before everything",
        raw("UPDATE clearing_tally_mark SET upto_seq = -1", behind=[MARK_GUARDED]),
        *("ck_clearing_tally_mark_one_row", (ONE_ROW,)),
    ),
]
GUARDS = [*OPENED, *_never_changes(), *_steps(), *_reviewed(), *_checks(), *_tally(), *MARKED]
