"""Home care on paper: the rules as a clerk would keep them, in whole minutes, with nothing of the bank's code."""

from __future__ import annotations

from dataclasses import dataclass, field

DAY = 24 * 60
NO_SHOW, FORGOTTEN, PATIENCE, HOLD = 60, 720, 4320, 90 * DAY
OBJECTING = 7 * DAY
EARLY, FREE, TOLERANCE, WAIT, LONGEST = 30, 240, 10, 15, 480
OPEN = ("booked", "assigned", "checked_in", "checked_out", "disputed")
AT_WORK = ("assigned", "checked_in", "checked_out", "disputed", "confirmed", "not_home")


@dataclass
class Sheet:
    """One visit on paper; times in minutes since the begin."""

    elder: int
    starts: int
    minutes: int
    chosen: int | None
    next_try: int
    status: str = "booked"
    provider: int | None = None
    declined: set[int] = field(default_factory=set)
    came: int | None = None
    left: int | None = None
    by_steward: bool = False
    captured: int = 0
    excess: int = 0
    ended: int = 0
    objected: bool = False

    @property
    def ends(self) -> int:
        return self.starts + self.minutes

    @property
    def hold_over(self) -> int:
        return self.ends + HOLD

    @property
    def served(self) -> int:
        return (self.left or 0) - (self.came or 0)

    @property
    def deadline(self) -> int:
        due = {
            "booked": self.starts,
            "assigned": self.starts + NO_SHOW,
            "checked_in": self.ends + FORGOTTEN,
            "checked_out": (self.left or 0) + PATIENCE,
        }
        return min(due.get(self.status, self.hold_over), self.hold_over)


class PaperCare:
    """Elders with minutes, two providers with so many minutes a day (the first has the better grade), and visits."""

    def __init__(self, savings: list[int], capacity: list[int], begin: int) -> None:
        self.savings, self.capacity, self.begin = savings, capacity, begin
        self.now = 0
        self.sheets: list[Sheet] = []

    def held(self, elder: int) -> int:
        return sum(s.minutes for s in self.sheets if s.elder == elder and s.status in OPEN)

    def used(self, provider: int, day: int) -> int:
        mine = (s for s in self.sheets if s.provider == provider and s.status in AT_WORK)
        return sum(s.minutes for s in mine if self.day(s) == day)

    def day(self, sheet: Sheet) -> int:
        return (self.begin + sheet.starts) // DAY

    def book(self, elder: int, ahead: int, minutes: int, chosen: int | None) -> str:
        starts = self.now + ahead
        planned = [s for s in self.sheets if s.elder == elder and s.status in ("booked", "assigned", "checked_in")]
        if any(s.starts < starts + minutes and starts < s.ends for s in planned):
            return "care_time_taken"
        if self.savings[elder] - self.held(elder) < minutes:
            return "insufficient_minutes"
        next_try = max(self.now, min(self.now + WAIT, starts - WAIT))
        self.sheets.append(Sheet(elder, starts, minutes, chosen, next_try))
        return "ok"

    def has_room(self, sheet: Sheet, provider: int) -> bool:
        return self.used(provider, self.day(sheet)) + sheet.minutes <= self.capacity[provider]

    def assign(self, sheet: Sheet, provider: int) -> str:
        if sheet.status != "booked":
            return "wrong_state"
        if sheet.starts <= self.now:
            return "visit_time_passed"
        if provider in sheet.declined:
            return "care_provider_declined"
        if not self.has_room(sheet, provider):
            return "care_provider_full"
        sheet.status, sheet.provider = "assigned", provider
        return "ok"

    def decline(self, sheet: Sheet, by: int) -> str:
        offered = sheet.chosen if sheet.provider is None else sheet.provider
        if offered != by:
            return "not_your_booking"
        if sheet.status not in ("booked", "assigned"):
            return "wrong_state"
        if sheet.starts <= self.now:
            return "visit_time_passed"
        if by in sheet.declined:
            return "care_provider_declined"
        sheet.status, sheet.provider, sheet.next_try = "booked", None, self.now
        sheet.declined.add(by)
        return "ok"

    def check_in(self, sheet: Sheet) -> str:
        if sheet.status != "assigned":
            return "wrong_state"
        if self.now < sheet.starts - EARLY:
            return "too_early"
        sheet.status, sheet.came = "checked_in", self.now
        return "ok"

    def check_out(self, sheet: Sheet) -> str:
        if sheet.status != "checked_in":
            return "wrong_state"
        sheet.status, sheet.left = "checked_out", self.now
        return "ok"

    def not_home(self, sheet: Sheet) -> str:
        if sheet.status != "assigned":
            return "wrong_state"
        return "too_early" if self.now < sheet.starts else self.end(sheet, "not_home", (sheet.minutes + 1) // 2)

    def excess_of(self, sheet: Sheet) -> int:
        served = min(sheet.served, LONGEST)
        return served - sheet.minutes if sheet.served > sheet.minutes + TOLERANCE else 0

    def confirm(self, sheet: Sheet, accepted: int) -> str:
        if sheet.status != "checked_out":
            return "wrong_state"
        if accepted not in (0, self.excess_of(sheet)):
            return "excess_differs"
        if accepted and self.hold_over_now(sheet):
            return "hold_ended"
        free = self.savings[sheet.elder] - self.held(sheet.elder)
        if accepted > free:
            return "insufficient_minutes"
        return self.end(sheet, "confirmed", min(sheet.served, sheet.minutes), accepted)

    def dispute(self, sheet: Sheet, *, by_steward: bool) -> str:
        if sheet.status in ("cancelled", "not_home") and sheet.captured and not by_steward:
            return self.object_to(sheet)
        if sheet.status not in ("checked_in", "checked_out"):
            return "wrong_state"
        sheet.left = self.now if sheet.left is None else sheet.left
        sheet.status, sheet.by_steward = "disputed", by_steward
        return "ok"

    def object_to(self, sheet: Sheet) -> str:
        if sheet.objected:
            return "already_objected"
        if self.now > sheet.ended + OBJECTING:
            return "objection_too_late"
        sheet.objected = True
        return "ok"

    def decide(self, sheet: Sheet, minutes: int, *, by_steward: bool) -> str:
        if sheet.status != "disputed":
            return "wrong_state"
        if sheet.by_steward and by_steward:
            return "second_person_needed"
        return self.end(sheet, "confirmed", min(minutes, sheet.minutes))

    def cancel(self, sheet: Sheet, *, by_elder: bool) -> str:
        if sheet.status not in ("booked", "assigned"):
            return "wrong_state"
        if not by_elder or sheet.status == "booked":
            return self.end(sheet, "cancelled", 0)
        if self.now >= sheet.starts:
            return "visit_time_passed"
        late = sheet.starts - self.now < FREE
        return self.end(sheet, "cancelled", (sheet.minutes + 1) // 2 if late else 0)

    def hold_over_now(self, sheet: Sheet) -> bool:
        return self.now >= sheet.hold_over

    def end(self, sheet: Sheet, status: str, captured: int, excess: int = 0) -> str:
        if captured + excess and self.hold_over_now(sheet):
            return "hold_ended"
        sheet.status, sheet.captured, sheet.excess, sheet.ended = status, captured, excess, self.now
        self.savings[sheet.elder] -= captured + excess
        return "ok"

    def jobs(self) -> None:
        """What time has made due, and then who is sent."""
        for sheet in self.sheets:
            if sheet.status in OPEN and sheet.deadline <= self.now:
                self._move_on(sheet)
        waiting = [s for s in self.sheets if s.status == "booked" and s.next_try <= self.now < s.starts]
        for sheet in sorted(waiting, key=lambda s: (s.next_try, self.sheets.index(s))):
            able = [p for p in (0, 1) if p not in sheet.declined and self.has_room(sheet, p)]
            if able:
                sheet.status, sheet.provider = "assigned", sheet.chosen if sheet.chosen in able else able[0]
            else:
                sheet.next_try = self.now + 5

    def _move_on(self, sheet: Sheet) -> None:
        if self.hold_over_now(sheet) or sheet.status == "booked":
            sheet.status = "lapsed"
        elif sheet.status == "assigned":
            sheet.status = "no_show"
        elif sheet.status == "checked_in":
            self.dispute(sheet, by_steward=False)
        else:
            self.end(sheet, "confirmed", min(sheet.served, sheet.minutes))
