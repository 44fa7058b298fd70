"""Rows of clearing rewritten past every guard, and who is to find it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from tests.bank.clearing_life import Life, changed, copy_of, raw
from tests.bank.ledger_guards import Attempt, insert, leg
from tests.factories.people import DAYAN, SHANGTIAN, XIWU
from timebank.ledger.actions import township_accounts
from timebank.ledger.rules import HOUSE, AccountKind

WINDOW, TALLY, STATEMENT, MOVED = "clearing_window", "clearing_tally", "clearing_statement", "clearing_moved_line"


@dataclass(frozen=True, slots=True)
class Tampering:
    """What is rewritten, and which checks find it, each at which row of which table; no other check may."""

    what: str
    rewrite: Attempt
    found: Mapping[str, tuple[str, str]]

    def __str__(self) -> str:
        return self.what


def seen(check: str, table: str, row: str) -> dict[str, tuple[str, str]]:
    return {check: (table, row)}


def out_of_netting(session: Session, _life: Life) -> None:
    """Five minutes leave what the house nets, for an account beside it."""
    netting, issuance = (
        township_accounts(session, [HOUSE], kind)[HOUSE] for kind in (AccountKind.NETTING, AccountKind.ISSUANCE)
    )
    insert(session, [leg(session, netting, issuance, 5)])


ANOTHER = UUID(int=1)
OPEN_SUM = "window_number = {open}"
ONE_MORE_OWED = (
    changed(TALLY, OPEN_SUM, minutes="minutes + 1"),
    changed("clearing_participant", f"township_code = '{SHANGTIAN}'", owed_minutes="owed_minutes + 1"),
    changed("clearing_participant", f"township_code = '{DAYAN}'", owed_minutes="owed_minutes - 1"),
)
OF_ITSELF = {"from_window": "{review}", "to_window": "{open}"}
CANCELLING = (
    copy_of(MOVED, "r.transfer_id = '{line_moved}'", transfer_id="'{line_free}'", **OF_ITSELF),
    copy_of(
        *(MOVED, "r.transfer_id = '{line_moved}'"),
        **{"transfer_id": "'{line_waiting}'", "debtor": "r.creditor", "creditor": "r.debtor", **OF_ITSELF},
    ),
)
XIWU_SETTLED = (
    "link_id IN (SELECT link_id FROM ledger_transfer"
    f" WHERE cause_id = '{{paid_settlement}}' AND kind = 'settlement' AND book_code = '{XIWU}')"
)
PAYMENT, WAITING = "clearing_payment", "id = '{payment_instructed}'"
CLOSED_XIWU = f"window_number = {{closed}} AND township_code = '{XIWU}'"
PAID_SUM = f"window_number = {{paid}} AND creditor = '{XIWU}'"
TAMPERED = [
    Tampering(
        "the end up to which a window's lines are read is moved back",
        raw(changed(WINDOW, "number = {paid}", last_leg_seq="to_seq - 1")),
        seen("lines_reached", WINDOW, "{paid_name}"),
    ),
    Tampering(
        "the open window begins a number later",
        raw(changed(WINDOW, "number = {open}", from_seq="from_seq + 1")),
        seen("windows_follow", WINDOW, "{open_name}"),
    ),
    Tampering(
        "a window that had nothing in it is gone",
        raw(
            "DELETE FROM clearing_settlement WHERE window_number = {empty}",
            "DELETE FROM clearing_window WHERE number = {empty}",
        ),
        seen("windows_follow", WINDOW, "{open_name}"),
    ),
    Tampering(
        "a tally under another kind of the same price",
        raw(changed(TALLY, OPEN_SUM, kind="'carried_meal'")),
        seen("tallies_agree", TALLY, f"{{open_name}} {SHANGTIAN} {DAYAN} carried_meal"),
    ),
    Tampering(
        "a minute more in the tally, and in what both townships owe",
        raw(*ONE_MORE_OWED),
        seen("tallies_agree", TALLY, f"{{open_name}} {SHANGTIAN} {DAYAN} voucher_redemption"),
    ),
    Tampering(
        "the tally's mark is gone",
        raw("DELETE FROM clearing_tally_mark"),
        seen("tallies_agree", TALLY, f"{{paid_name}} {SHANGTIAN} {XIWU} voucher_redemption"),
    ),
    Tampering(
        "two moved lines that cancel out, one of them the wrong way round",
        raw(*CANCELLING),
        seen("moved_lines_belong", MOVED, "{line_waiting}"),
    ),
    Tampering(
        "minutes taken out of what the house nets",
        out_of_netting,
        seen("house_keeps_nothing", "ledger_account", "{netting}"),
    ),
    Tampering(
        "a township's settling laid to nobody's charge",
        raw(changed("ledger_transfer", XIWU_SETTLED, cause_id="NULL")),
        {
            "settlements_whole": ("clearing_settlement", f"{{paid_settlement}} {XIWU}"),
            "seals_hold": ("ledger_seal", "1"),
        },
    ),
    Tampering(
        "a settlement put in the place of the one that moved the minutes",
        raw(changed("clearing_settlement", "id = '{carried_settlement}'", id=f"'{ANOTHER}'")),
        {
            "settlements_whole": ("clearing_settlement", f"{ANOTHER} {XIWU}"),
            "carried_as_it_was": ("clearing_settlement", f"{ANOTHER} {XIWU}"),
        },
    ),
    Tampering(
        "meals carried over as care",
        raw(
            changed(
                "ledger_transfer", "cause_id = '{carried_settlement}' AND kind = 'carried_meal'", kind="'carried_care'"
            ),
            changed(TALLY, "kind = 'carried_meal'", kind="'carried_care'"),
        ),
        {
            "carried_as_it_was": ("clearing_settlement", f"{{carried_settlement}} {XIWU}"),
            "seals_hold": ("ledger_seal", "1"),
        },
    ),
    Tampering(
        "the guarantee fund standing in for a minute less",
        raw(changed("clearing_guarantee_call", "true", minutes="minutes - 1")),
        seen("guarantees_fit", "clearing_guarantee_call", "{guaranteed}"),
    ),
    Tampering(
        "a settlement that moved minutes is gone",
        raw("DELETE FROM clearing_settlement WHERE window_number = {carried}"),
        {
            "settlements_whole": ("clearing_settlement", f"{{carried_settlement}} {XIWU}"),
            "settled_windows_settled": (WINDOW, "{carried_name}"),
        },
    ),
    *(
        Tampering(what, raw(rewrite), seen("payments_agree", PAYMENT, f"{{{of}_settlement}} {XIWU}"))
        for what, rewrite, of in (
            ("a fen more in a payment", changed(PAYMENT, WAITING, amount_fen="amount_fen + 1"), "paid"),
            ("a payment the other way round", changed(PAYMENT, WAITING, direction="'pay'"), "paid"),
            ("a payment is gone", f"DELETE FROM clearing_payment WHERE {WAITING}", "paid"),
            (
                "a payment of what was carried over",
                copy_of(PAYMENT, f"r.{WAITING}", id="gen_random_uuid()", settlement_id="'{carried_settlement}'"),
                "carried",
            ),
            (
                "a settlement completed of which somebody is not paid",
                changed("clearing_settlement", "id = '{paid_settlement}'", status="'completed'"),
                "paid",
            ),
        )
    ),
    Tampering(
        "a settlement is gone",
        raw("DELETE FROM clearing_settlement WHERE window_number = {empty}"),
        seen("settled_windows_settled", WINDOW, "{empty_name}"),
    ),
    Tampering(
        "a fen more in a statement",
        raw(changed(STATEMENT, CLOSED_XIWU, position_fen="position_fen + 1")),
        seen("statements_agree", STATEMENT, f"{{closed_name}} {XIWU}"),
    ),
    Tampering(
        "a minute more in a statement",
        raw(changed(STATEMENT, CLOSED_XIWU, position_minutes="position_minutes + 1")),
        seen("statements_agree", STATEMENT, f"{{closed_name}} {XIWU}"),
    ),
    Tampering(
        "a statement is gone",
        raw(f"DELETE FROM clearing_statement WHERE {CLOSED_XIWU}"),
        seen("statements_agree", STATEMENT, f"{{closed_name}} {XIWU}"),
    ),
    *(
        Tampering(
            f"another {column} of a settled window",
            raw(changed(WINDOW, "number = {paid}", **{column: value})),
            seen("window_seals_hold", WINDOW, "{paid_name}"),
        )
        for column, value in {
            "opened_at": "opened_at - interval '1 second'",
            "closed_at": "closed_at + interval '1 second'",
            "prices": "prices || jsonb_build_object('care', 1)",
            "seal": "sha256('seal')",
        }.items()
    ),
    Tampering(
        "another name of a settled window",
        raw(changed(WINDOW, "number = {paid}", name="'2026-02'")),
        seen("window_seals_hold", WINDOW, "2026-02"),
    ),
    Tampering(
        "another line moved than was ruled",
        raw(changed(MOVED, "true", transfer_id="'{line_free}'")),
        seen("window_seals_hold", WINDOW, "{carried_name}"),
    ),
    Tampering(
        "a minute more that a township owes",
        raw(changed("clearing_participant", f"township_code = '{XIWU}'", owed_minutes="owed_minutes + 1")),
        seen("debts_agree", "clearing_participant", XIWU),
    ),
    Tampering(
        "a minute more in the tally of a settled window",
        raw(changed(TALLY, PAID_SUM, minutes="minutes + 1")),
        {
            "tallies_agree": (TALLY, f"{{paid_name}} {SHANGTIAN} {XIWU} voucher_redemption"),
            "statements_agree": (STATEMENT, f"{{paid_name}} {XIWU}"),
            "window_seals_hold": (WINDOW, "{paid_name}"),
        },
    ),
]

STATEMENTS = (
    changed(STATEMENT, f"window_number = {{paid}} AND township_code = '{XIWU}'", position_minutes="61"),
    changed(STATEMENT, f"window_number = {{paid}} AND township_code = '{SHANGTIAN}'", position_minutes="-181"),
    changed(STATEMENT, f"window_number = {{paid}} AND township_code = '{XIWU}'", position_fen="3050"),
    changed(STATEMENT, f"window_number = {{paid}} AND township_code = '{SHANGTIAN}'", position_fen="-9050"),
)
TALLIED = changed(TALLY, PAID_SUM, minutes="minutes + 1")
SETTLED = changed("ledger_transfer", XIWU_SETTLED, amount="amount + 1")
EATEN = changed(
    "ledger_transfer",
    "link_id = (SELECT f.id FROM ledger_transfer f JOIN clearing_window w ON f.seq > w.from_seq AND f.seq <= w.to_seq"
    f" WHERE w.number = {{paid}} AND f.id = f.link_id AND f.counterpart_book_code = '{XIWU}')",
    amount="amount + 1",
)
SEALED_ANEW = [
    (STATEMENTS, {"statements_agree", "settlements_whole"}),
    ((*STATEMENTS, TALLIED), {"tallies_agree", "settlements_whole"}),
    ((*STATEMENTS, TALLIED, EATEN), {"settlements_whole", "balances_follow", "redemptions_paid_once", "seals_hold"}),
]
"""A minute more owed to 西坞 in a paid window, rewritten in ever more places and sealed anew, and who finds it."""

OTHER_PRICES = raw(
    changed(WINDOW, "number = {paid}", prices="prices || jsonb_build_object('meal', 6000)"),
    changed(STATEMENT, "window_number = {paid}", position_fen="position_fen * 2"),
)
"""Twice the price in a settled window, and everybody's fen with it."""
