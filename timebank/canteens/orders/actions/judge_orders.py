"""Judging orders, one after another, each on what the ones before it have left. No statement is made here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.rules import must_be_approved
from timebank.canteens.menus.models import MenuItem
from timebank.canteens.network.queries import Service, canteen_unknown
from timebank.canteens.network.rules import Carrier
from timebank.canteens.orders.actions.decided import Accounts, Before, Chosen, Decided, Place, Verdict
from timebank.canteens.orders.actions.who_may import Rights
from timebank.canteens.orders.rules import (
    Fit,
    OrderWanted,
    Slot,
    already_ordered,
    capacity_reached,
    cut_off_at,
    item_unknown,
    must_be_before,
    must_be_here_and_now,
    must_be_moderate,
    must_be_near,
    not_suitable,
    sold_out,
    unfitting,
)
from timebank.canteens.pricing.rules import (
    Asked,
    DietForm,
    DinerFacts,
    Dish,
    Left,
    Receipt,
    Rule,
    UseKey,
    Way,
    price,
    read_rules,
)
from timebank.core.clock import local_date
from timebank.core.errors import BankError, NotAllowed, NotFound, Refused
from timebank.core.ids import new_id
from timebank.ledger.rules import insufficient
from timebank.people.models import Person
from timebank.people.queries import must_be_here
from timebank.policies.rules import PolicyBook
from timebank.redemption.models import Voucher


@dataclass
class Table:
    """All that orders are judged by; what a judged order takes is gone for the next one."""

    now: datetime
    policies: PolicyBook
    rights: Rights
    people: Mapping[UUID, Person]
    diners: Mapping[UUID, Diner]
    facts: Mapping[tuple[UUID, date], DinerFacts]
    places: Mapping[UUID, Place]
    services: Mapping[Slot, Service | BankError]
    items: Mapping[UUID, MenuItem]
    accounts: Accounts
    taken: dict[tuple[UUID, date, str], tuple[Slot, UUID]]
    ordered: dict[Slot, int]
    last_numbers: dict[Slot, int]
    used: dict[UseKey, int]
    available: dict[int, int]
    vouchers: dict[UUID, list[Voucher]]
    portions: dict[UUID, int] = field(default_factory=dict)
    _rules: dict[str, tuple[Rule, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.portions = {item.id: item.portions_ordered for item in self.items.values()}

    def judge(self, wanted: Sequence[OrderWanted]) -> list[Verdict]:
        """What becomes of each, in order."""
        return [self.judge_one(one) for one in wanted]

    def judge_one(self, wanted: OrderWanted, before: Before | None = None) -> Verdict:
        """The order to be written, taken off the table; or the refusal, with nothing taken."""
        try:
            decided = self._decide(wanted, before)
        except BankError as refusal:
            return refusal
        self._take(decided)
        return decided

    def _decide(self, wanted: OrderWanted, before: Before | None) -> Decided:
        diner, place = self._who_and_where(wanted)
        cut_off = self._when(wanted, place)
        chosen = self._dishes(wanted, diner)
        address = self._delivery(wanted, diner, place)
        self._room(wanted, chosen, before)
        receipt, voucher = self._price(wanted, chosen, place)
        decided = Decided(
            order_id=new_id() if before is None else before.order.id,
            wanted=wanted,
            pickup_number=self._number(wanted, before),
            chosen=chosen,
            receipt=receipt,
            diet_form=DietForm.NORMAL if diner is None else diner.diet_form,
            delivery_address=address,
            delivery_note="" if diner is None or address is None else diner.delivery_note,
            voucher=voucher,
            cut_off_at=cut_off,
            before=before,
        )
        self._must_have(decided)
        return decided

    def _who_and_where(self, wanted: OrderWanted) -> tuple[Diner | None, Place]:
        place = self.places.get(wanted.canteen_id)
        if place is None:
            raise canteen_unknown(wanted.canteen_id)
        someone = None
        if wanted.diner_id is not None:
            someone = self.people.get(wanted.diner_id)
            if someone is None:
                raise NotFound("person_unknown", "没有这位登记人员", person_id=wanted.diner_id)
        self.rights.must_handle(someone, wanted.canteen_id, place.township_code)
        if (wanted.cash or wanted.walk_in) and not self.rights.is_staff:
            raise NotAllowed("clerk_only", "现金和现卖只能在柜台办理")
        if wanted.cash and not wanted.walk_in:
            raise Refused("cash_only_at_once", "现金只收当场现卖的餐，提前订的餐从预存的餐费里付")
        if someone is None:
            if not wanted.cash:
                raise Refused("guest_pays_cash", "不是用餐对象的，请付现金")
            return None, place
        must_be_here(someone)
        diner = self.diners.get(someone.id)
        must_be_approved(diner)
        return diner, place

    def _when(self, wanted: OrderWanted, place: Place) -> datetime:
        service, code = self.services[wanted.slot], place.township_code
        if isinstance(service, BankError):
            raise service
        cut_off = cut_off_at(wanted.served_on, wanted.meal, self.policies.value("order_cut_offs", code))
        if wanted.walk_in:
            must_be_here_and_now(wanted.served_on, service.closes_at, self.now)
        else:
            must_be_near(wanted.served_on, local_date(self.now), self.policies.whole("order_ahead_days", code))
            must_be_before(cut_off, self.now)
        return cut_off

    def _dishes(self, wanted: OrderWanted, diner: Diner | None) -> Chosen:
        code = self.places[wanted.canteen_id].township_code
        must_be_moderate(
            wanted.items,
            most_of_a_dish=self.policies.whole("order_max_quantity", code),
            most_portions=self.policies.whole("order_max_portions", code),
        )
        chosen = []
        for item_id, quantity in wanted.items:
            item = self.items.get(item_id)
            if item is None or (item.canteen_id, item.served_on, item.meal) != wanted.slot:
                raise item_unknown(item_id)
            if item.withdrawn_at is not None or item.price_fen is None:
                raise item_unknown(item_id)
            chosen.append((item, quantity))
        if diner is not None and not wanted.accept_unsuitable:
            reasons = [reason for item, _ in chosen for reason in why_unfitting(item, diner)]
            if reasons:
                raise not_suitable(reasons)
        return tuple(chosen)

    def _delivery(self, wanted: OrderWanted, diner: Diner | None, place: Place) -> str | None:
        if wanted.way != Way.DELIVER:
            return None
        if place.canteen.carrier == Carrier.NOBODY or diner is None:
            raise Refused("delivery_not_offered", "这里不送餐上门", canteen_id=wanted.canteen_id)
        address = (wanted.delivery_address or diner.delivery_address).strip()
        if not address:
            raise Refused("delivery_address_needed", "请填写送餐地址", field="delivery_address")
        return address

    def _room(self, wanted: OrderWanted, chosen: Chosen, before: Before | None) -> None:
        if wanted.diner_id is not None:
            standing = self.taken.get((wanted.diner_id, wanted.served_on, wanted.meal))
            if standing is not None and (before is None or standing[1] != before.order.id):
                slot, order_id = standing
                raise already_ordered(slot, self.places[slot[0]].organisation.name, order_id)
        service = self.services[wanted.slot]
        assert not isinstance(service, BankError)
        had = 0 if before is None else before.order_portions
        left = service.capacity_meals - self.ordered.get(wanted.slot, 0) + had
        # What an order has already, it may keep, also where the hours have room for fewer meals by now.
        if wanted.portions > max(left, had):
            raise capacity_reached(max(0, left), wanted.portions)
        for item, quantity in chosen:
            self._must_be_left(item, quantity, 0 if before is None else before.portions.get(item.id, 0))

    def _must_be_left(self, item: MenuItem, quantity: int, had: int) -> None:
        if item.sold_out_at is not None and quantity > had:
            raise sold_out(item.id, item.name, 0)
        if item.portions_limit is not None:
            left = item.portions_limit - self.portions[item.id] + had
            if quantity > left:
                raise sold_out(item.id, item.name, max(0, left))

    def _price(self, wanted: OrderWanted, chosen: Chosen, place: Place) -> tuple[Receipt, Voucher | None]:
        if not wanted.use_voucher:
            return self._receipt(wanted, chosen, place, voucher=False), None
        plain = self._receipt(wanted, chosen, place, voucher=False)
        if plain.elder_fen == 0:
            # Nothing is left to the elder: the voucher is kept for another meal.
            return plain, None
        voucher = self._voucher(wanted, place)
        if voucher is None:
            raise Refused("no_voucher", "没有这一餐能用的用餐券", person_id=wanted.diner_id)
        return self._receipt(wanted, chosen, place, voucher=True), voucher

    def _receipt(self, wanted: OrderWanted, chosen: Chosen, place: Place, *, voucher: bool) -> Receipt:
        code, delivered = place.township_code, wanted.way == Way.DELIVER
        asked = Asked(
            served_on=wanted.served_on,
            meal=wanted.meal,
            way=wanted.way,
            dishes=tuple(Dish(i.name, quantity, i.price_fen or 0, i.is_love_meal) for i, quantity in chosen),
            delivery_fee_fen=self.policies.whole("meal_delivery_fee_fen", code) if delivered else 0,
            carried_by_volunteers=delivered and place.canteen.carrier == Carrier.VOLUNTEERS,
            voucher=voucher,
        )
        left = Left(
            donation_fen=self.available[self.accounts.donated[wanted.canteen_id]],
            garden_fen=self.available[self.accounts.produce[wanted.canteen_id]],
            used=self.used,
        )
        facts = None if wanted.diner_id is None else self.facts[wanted.diner_id, wanted.served_on]
        most = self.policies.whole("voucher_meal_max_fen", code)
        return price(asked, facts, self._rules_at(code), left, voucher_max_fen=most)

    def _rules_at(self, township_code: str) -> tuple[Rule, ...]:
        if township_code not in self._rules:
            self._rules[township_code] = read_rules(self.policies.value("meal_subsidy_rules", township_code))
        return self._rules[township_code]

    def _voucher(self, wanted: OrderWanted, place: Place) -> Voucher | None:
        """The diner's voucher that expires first of those good at this meal."""
        service = self.services[wanted.slot]
        assert not isinstance(service, BankError)
        for voucher in self.vouchers.get(wanted.diner_id, []) if wanted.diner_id is not None else []:
            at_home = voucher.only_township_code in (None, place.township_code)
            on_the_day = voucher.expires_at > service.closes_at and voucher.good_times.on_day(service.opens_at)
            if at_home and on_the_day and (voucher.meals is None or wanted.meal in voucher.meals):
                return voucher
        return None

    def _number(self, wanted: OrderWanted, before: Before | None) -> int:
        if before is not None:
            return before.order.pickup_number
        return self.last_numbers.get(wanted.slot, 0) + 1

    def _must_have(self, decided: Decided) -> None:
        if decided.from_purse_fen and decided.wanted.diner_id is not None:
            has = self.available[self.accounts.purses[decided.wanted.diner_id]]
            if has < decided.from_purse_fen:
                raise insufficient("fen", available=has, needed=decided.from_purse_fen)

    def _take(self, decided: Decided) -> None:
        wanted = decided.wanted
        if decided.before is None:
            self.last_numbers[wanted.slot] = decided.pickup_number
        self.ordered[wanted.slot] = self.ordered.get(wanted.slot, 0) + wanted.portions
        for item, quantity in decided.chosen:
            self.portions[item.id] += quantity
        for use in decided.receipt.uses:
            self.used[use.key] = self.used.get(use.key, 0) + use.fen
        for account_id, fen in self.to_hold(decided):
            self.available[account_id] -= fen
        if wanted.diner_id is not None:
            self.taken[wanted.diner_id, wanted.served_on, wanted.meal] = (wanted.slot, decided.order_id)
        if decided.voucher is not None:
            self.vouchers[decided.voucher.holder_id].remove(decided.voucher)

    def to_hold(self, decided: Decided) -> list[tuple[int, int]]:
        """What is held for an order: account and fen."""
        receipt, wanted = decided.receipt, decided.wanted
        held = []
        if decided.from_purse_fen and wanted.diner_id is not None:
            held.append((self.accounts.purses[wanted.diner_id], decided.from_purse_fen))
        if receipt.donation_fen:
            held.append((self.accounts.donated[wanted.canteen_id], receipt.donation_fen))
        if receipt.garden_fen:
            held.append((self.accounts.produce[wanted.canteen_id], receipt.garden_fen))
        return held

    def put_back(self, before: Before) -> None:
        """Give an order's shares back before it is judged anew; its portions and place ``_room`` counts itself."""
        for key, fen in before.uses.items():
            self.used[key] = self.used.get(key, 0) - fen
        for account_id, fen in before.held.items():
            self.available[account_id] += fen


def why_unfitting(item: MenuItem, diner: Diner) -> list[str]:
    """Why a dish on a menu is nothing for this diner, in words."""
    fit = Fit(item.name, item.diet_forms, item.diet_tags, item.allergens)
    return unfitting(fit, diet_form=diner.diet_form, allergies=diner.allergies, religious_diet=diner.religious_diet)
