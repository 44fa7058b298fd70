"""The twelve books and the house's as an office would keep them on paper: plain dictionaries, no database, no tally.

Written from what was asked for, not from the code: what is deposited in one township and used in another is owed by the
one to the other, by month; the month is closed, agreed line by line, and settled through the house.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from tests.bank.clearing_paper import (
    FENGHUA,
    HOUSE,
    Cheque,
    Coupon,
    Credit,
    Line,
    Month,
    Objection,
    Place,
    Settling,
    fen_owed_to,
    owed_to,
)


class TwelveBooks:
    """What should stand in every book. Each method answers with a word: what was done, or why not."""

    def __init__(self, townships: Sequence[str], opened_at: datetime, prices: dict[str, int]) -> None:
        self.books: dict[str, Counter[str]] = {code: Counter() for code in (*townships, HOUSE)}
        self.townships, self.prices, self.method = list(townships), prices, "pay"
        self.months = [Month(self._name(opened_at, []), opened_at)]
        self.tables = [(datetime(2020, 1, 1, tzinfo=FENGHUA), prices)]
        self.everything: list[Line] = []
        self.savings: dict[str, Place] = {}
        self.credits: list[Credit] = []
        self.coupons: list[Coupon] = []

    @property
    def open(self) -> Month:
        """The month into which everything new falls."""
        return self.months[-1]

    def settle_down(self, person: str, township: str, minutes: int) -> None:
        """Somebody new, with some savings."""
        self.savings[person] = (township, f"savings {person} 0")
        self._shift((township, "issuance"), self.savings[person], minutes, "care")

    def earn(self, person: str, where: str, minutes: int) -> str:
        """Help given somewhere is credited at home; the township that was helped owes it."""
        self.credits.append(Credit(person, (where, "issuance"), self.savings[person], minutes))
        self._shift(self.credits[-1].source, self.credits[-1].target, minutes, "care")
        return "done"

    def ask_back(self, credit: Credit) -> str:
        """One steward asks for a credit to be taken back, once."""
        if credit.state == "reversed":
            return "already_reversed"
        if credit.state == "asked":
            return "second_person_needed"
        credit.state = "asked"
        return "awaiting_second_person"

    def reverse(self, credit: Credit) -> str:
        """A second steward agrees: a credit is taken out of the account it was put into, and back to its source.

        Whoever has moved since brings the minutes back into that account first, from where the savings are now.
        """
        if credit.state == "reversed":
            return "already_reversed"
        book, account = now_in = self.savings[credit.person]
        if self.books[book][account] < credit.minutes:
            return "insufficient_minutes"
        credit.state = "reversed"
        if now_in != credit.target:
            self._shift(now_in, credit.target, credit.minutes, "care")
        self._shift(credit.target, credit.source, credit.minutes, "care")
        return "reversed"

    def borrow(self, person: str, where: str, minutes: int) -> str:
        """An aid used somewhere is paid for from the savings at home."""
        book, account = self.savings[person]
        if self.books[book][account] < minutes:
            return "insufficient_minutes"
        self._shift((book, account), (where, "redeemed"), minutes, "aid")
        return "done"

    def buy(self, person: str, price: int) -> str:
        """A coupon stays in the book in which it was bought, whoever moves."""
        book, account = self.savings[person]
        if self.books[book][account] < price:
            return "insufficient_minutes"
        coupon = Coupon(person, (book, f"vouchers {person}"), price)
        self._shift((book, account), coupon.place, price, "meal")
        self.coupons.append(coupon)
        return "done"

    def eat(self, coupon: Coupon, where: str) -> str:
        """A meal eaten somewhere is owed by the book in which the coupon was bought."""
        if coupon.state != "issued":
            return "already_redeemed" if coupon.state == "redeemed" else "voucher_void"
        coupon.state = "redeemed"
        self._shift(coupon.place, (where, "redeemed"), coupon.price, "meal")
        return "ok"

    def give_back(self, coupon: Coupon) -> str:
        """The minutes of a coupon go back to the holder's savings, wherever these are now."""
        if coupon.state != "issued":
            return "voucher_not_refundable"
        coupon.state = "refunded"
        self._shift(coupon.place, self.savings[coupon.person], coupon.price, "meal")
        return "done"

    def move(self, person: str, to: str) -> str:
        """Somebody goes to live elsewhere; all savings go along, into a new account."""
        book, account = self.savings[person]
        if book == to:
            return "already_there"
        self.savings[person] = (to, f"savings {person} {int(account.split()[-1]) + 1}")
        self._shift((book, account), self.savings[person], self.books[book][account], "care")
        return "done"

    def set_prices(self, table: dict[str, int], at: datetime) -> None:
        """Another table of prices, from a moment on."""
        self.prices = table
        self.tables.append((at, table))

    def prices_before(self, moment: datetime) -> dict[str, int]:
        """The prices that were in force right before a moment."""
        return [table for since, table in self.tables if since < moment][-1]

    def close(self, month: Month, now: datetime) -> str:
        """The open month ends; everybody with a line in it gets a statement, and the next month begins."""
        if month is not self.open:
            return "window_already_closed"
        prices = self.prices | self.prices_before(min(now, month.ends_by()))
        if any(line.sort not in prices for line in self.open.lines):
            return "price_missing"
        month.state, month.prices = "closed", prices
        parties = {party for line in month.lines for party in (line.debtor, line.creditor)}
        month.agreed = dict.fromkeys(parties - {HOUSE}, False)
        self.months.append(Month(self._name(now, [month.name for month in self.months]), now))
        return "done"

    def object(self, month: Month, line: Line, by: str) -> str:
        """A township objects to a line of its own in a month that is not settled."""
        if month.refusal_of_review():
            return month.refusal_of_review()
        if line not in month.lines:
            return "line_unknown"
        if by not in (line.debtor, line.creditor):
            return "line_of_others"
        if line.carried:
            return "line_carried_over"
        if any(objection.line is line for objection in month.objections):
            return "line_already_disputed"
        month.objections.append(Objection(month, line, by))
        month.state, month.agreed[by] = "under_review", False
        return "done"

    def rule(self, objection: Objection, ruling: str) -> str:
        """The district lets a line stay, or moves it into the open month; who is concerned agrees anew."""
        if objection.ruling:
            return "dispute_already_ruled"
        objection.ruling, month, line = ruling, objection.month, objection.line
        if ruling == "moved":
            month.lines.remove(line)
            self.open.lines.append(line)
            month.agreed.update({line.debtor: False, line.creditor: False})
        return "done"

    def agree(self, month: Month, township: str) -> str:
        """A township agrees to its statement, unless one of its lines waits for a ruling."""
        if month.refusal_of_review():
            return month.refusal_of_review()
        if township not in month.agreed:
            return "statement_unknown"
        if month.agreed[township]:
            return "statement_already_confirmed"
        waiting = [objection.line for objection in month.objections if not objection.ruling]
        if any(township in (line.debtor, line.creditor) for line in waiting):
            return "disputes_unruled"
        month.state, month.agreed[township] = "under_review", True
        return "done"

    def settle(self, month: Month) -> str:
        """Bring every township's clearing for the month to zero through the house, and pay or carry it over."""
        if month.refusal_of_review():
            return month.refusal_of_review()
        if not all(month.agreed.values()):
            return "window_not_reviewed"
        owed = owed_to(month.lines)
        shifts = [((code, "settled"), (HOUSE, "netting"), owed[code], "") for code in month.agreed]
        settling = Settling(month, self.method, shifts)
        if self.method == "carry":
            settling.into = self.open
            for sort in ("meal", "care", "aid"):
                owed = owed_to(line for line in month.lines if line.sort == sort)
                shifts += [((HOUSE, "netting"), (code, "settled"), owed[code], sort) for code in month.agreed]
        else:
            fen = fen_owed_to(month.lines, month.prices)
            settling.cheques = [Cheque(code, amount) for code in sorted(month.agreed) if (amount := fen[code])]
        self._shift_all(shifts)
        settling.state = "instructed" if settling.cheques else "completed"
        month.settlings.append(settling)
        month.state = "settled"
        return "done"

    def undo(self, month: Month) -> str:
        """Take a settlement back by moving everything the other way, while nothing of it is paid."""
        if month.state != "settled":
            return "window_not_settled"
        settling = month.settlings[-1]
        if any(cheque.state == "paid" for cheque in settling.cheques):
            return "settlement_already_paid"
        if settling.into not in (None, self.open):
            return "carried_window_closed"
        self._shift_all([(target, source, minutes, sort) for source, target, minutes, sort in settling.shifts])
        for cheque in settling.cheques:
            cheque.state = "withdrawn" if cheque.state == "instructed" else cheque.state
        settling.state, month.state = "aborted", "under_review"
        return "done"

    def pay(self, settling: Settling, cheque: Cheque, went_well: bool) -> str:
        """A cheque went through, or came back."""
        if cheque.state != "instructed":
            return "payment_ended"
        cheque.state = "paid" if went_well else "failed"
        if all(newest.state == "paid" for newest in settling.newest().values()):
            settling.state = "completed"
        return "done"

    def pay_again(self, settling: Settling, cheque: Cheque) -> str:
        """What came back is sent once more."""
        if cheque.state != "failed" or settling.state == "aborted":
            return "payment_not_failed"
        if settling.newest()[cheque.township] is not cheque:
            return "payment_standing"
        settling.cheques.append(Cheque(cheque.township, cheque.fen, cheque.tries + 1))
        return "done"

    def _shift_all(self, shifts: Iterable[tuple[Place, Place, int, str]]) -> None:
        for source, target, minutes, sort in shifts:
            if minutes < 0:
                source, target, minutes = target, source, -minutes
            self._shift(source, target, minutes, sort, carried=True)

    def _shift(self, source: Place, target: Place, minutes: int, sort: str, *, carried: bool = False) -> None:
        """Move minutes; between two books the one they leave owes them to the other. What settles has no sort."""
        if not minutes:
            return
        (debtor, paying), (creditor, receiving) = source, target
        self.books[debtor][paying] -= minutes
        self.books[creditor][receiving] += minutes
        if debtor == creditor:
            return
        self.books[debtor]["clearing"] += minutes
        self.books[creditor]["clearing"] -= minutes
        if sort:
            self.open.lines.append(Line(debtor, creditor, sort, minutes, carried))
            self.everything.append(self.open.lines[-1])

    @staticmethod
    def _name(opened_at: datetime, taken: Sequence[str]) -> str:
        month = opened_at.astimezone(FENGHUA).strftime("%Y-%m")
        before = [name for name in taken if name.startswith(month)]
        return f"{month}-{len(before) + 1}" if before else month
