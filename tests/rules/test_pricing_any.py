"""Pricing of anything: random rules, diners, dishes and days; the fen always add up."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.factories.pricing import DAY, diner
from tests.thorough import length
from timebank.canteens.pricing.rules import Asked, DinerFacts, Dish, Left, Receipt, Rule, Share, Use, price, read_rules
from timebank.policies.meal_rules import BASES, MEALS, SHARES, WAYS

CATEGORIES = ("low_income", "disabled", "soldier_retired")
fen = st.integers(1, 2500)


@st.composite
def rule_said(draw: st.DrawFn, number: int) -> dict[str, Any]:
    share = draw(st.sampled_from(SHARES))
    amounts = [("fen", fen), ("pays_percent", st.integers(1, 99)), ("covers_percent", st.integers(1, 100))]
    amount, values = draw(st.sampled_from([*amounts, ("free", st.just(True))]))
    said = {
        **{"key": f"rule_{number}", "label": f"规则{number}", "share": share, "source": "试"},
        **{"base": draw(st.sampled_from(BASES)), amount: draw(values)},
    }
    if amount == "fen" and share == "government":
        said["per"] = draw(st.sampled_from(["meal", "person_day", "household_meal"]))
    if draw(st.booleans()):
        said |= {"group": draw(st.sampled_from(["one", "two"])), "precedence": number}
    said["who"] = draw(
        st.sampled_from([{}, {"min_age": 60}, {"below_age": 80}, *({"any_category": [one]} for one in CATEGORIES)])
    )
    said["when"] = {"only_love_meals": draw(st.booleans()), "ways": draw(st.sampled_from([list(WAYS), ["deliver"]]))}
    return said


@st.composite
def any_rules(draw: st.DrawFn) -> tuple[Rule, ...]:
    return read_rules([draw(rule_said(number)) for number in range(draw(st.integers(0, 7)))])


dishes = st.lists(st.builds(Dish, st.just("菜"), st.integers(1, 4), fen, st.booleans()), min_size=1, max_size=4)
diners = st.builds(lambda age, has: diner(age, *has), st.integers(5, 99), st.sets(st.sampled_from(CATEGORIES)))
orders = st.builds(
    Asked,
    st.just(DAY),
    st.sampled_from(MEALS),
    st.sampled_from(WAYS),
    dishes.map(tuple),
    st.integers(0, 600),
    st.booleans(),
    st.booleans(),
)
gifts = st.builds(Left, st.integers(0, 2000), st.integers(0, 2000))


def priced(asked: Asked, who: DinerFacts | None, rules: tuple[Rule, ...], left: Left) -> Receipt:
    return price(asked, who, rules, left, voucher_max_fen=1500)


def shares_of(receipt: Receipt) -> dict[Share, int]:
    return {
        Share.ELDER: receipt.elder_fen,
        Share.GOVERNMENT: receipt.government_fen,
        Share.DONATION: receipt.donation_fen,
        Share.GARDEN: receipt.garden_fen,
        Share.VOLUNTEERS: receipt.volunteers_fen,
    }


def must_add_up(asked: Asked, receipt: Receipt) -> None:
    listed = sum(dish.quantity * dish.price_fen for dish in asked.dishes) + asked.delivery_fee_fen
    by_share: Counter[str] = Counter()
    for line in receipt.lines:
        by_share[line.share or ""] += line.fen
    assert all(line.fen > 0 and line.rule_key and line.label for line in receipt.lines)
    assert [line.number for line in receipt.lines] == list(range(1, len(receipt.lines) + 1))
    assert by_share.pop("") == listed == receipt.list_fen == sum(by_share.values())
    assert {share: value for share, value in shares_of(receipt).items() if value} == by_share


@settings(max_examples=length(300, 20_000), deadline=None)
@given(any_rules(), diners, orders, gifts)
def test_the_shares_are_the_list_price_to_the_fen(
    rules: tuple[Rule, ...], who: DinerFacts, asked: Asked, left: Left
) -> None:
    receipt = priced(asked, who, rules, left)
    must_add_up(asked, receipt)
    assert (receipt.donation_fen <= left.donation_fen, receipt.garden_fen <= left.garden_fen) == (True, True)
    guest = priced(asked, None, rules, left)
    must_add_up(asked, guest)
    assert (guest.elder_fen, guest.uses) == (guest.list_fen, ())


@settings(max_examples=length(200, 10_000), deadline=None)
@given(any_rules(), diners, orders, gifts, st.randoms(use_true_random=False))
def test_the_order_of_dishes_changes_nobodys_share(
    rules: tuple[Rule, ...], who: DinerFacts, asked: Asked, left: Left, chance: random.Random
) -> None:
    shuffled = list(asked.dishes)
    chance.shuffle(shuffled)
    one = priced(asked, who, rules, left)
    other = priced(replace(asked, dishes=tuple(shuffled)), who, rules, left)
    assert (shares_of(one), one.uses) == (shares_of(other), other.uses)


@settings(max_examples=length(150, 5000), deadline=None)
@given(any_rules(), st.lists(orders, min_size=2, max_size=5), st.lists(st.integers(5, 99), min_size=2, max_size=5))
def test_no_limit_of_a_day_or_a_household_is_ever_passed(
    rules: tuple[Rule, ...], asked: list[Asked], ages: list[int]
) -> None:
    """One household, everybody ordering everything, one after the other."""
    head = diner(70, *CATEGORIES)
    family = [replace(head, age=age, person_id=diner(age).person_id) for age in ages]
    limits: dict[str, int] = {}
    for rule in rules:
        if rule.per != "meal" and rule.fen is not None:
            counted = rule.key if rule.group is None else f"group:{rule.group}"
            limits[counted] = max(rule.fen, limits.get(counted, 0))
    taken: Counter[Any] = Counter()
    for order in asked:
        for who in family:
            uses: tuple[Use, ...] = priced(order, who, rules, Left(5000, 5000, taken)).uses
            assert all(use.fen > 0 and use.limit_fen <= limits[use.key[-1]] for use in uses)
            taken.update({use.key: use.fen for use in uses})
    assert all(fen <= limits[key[-1]] for key, fen in taken.items())


@settings(max_examples=length(300, 20_000), deadline=None)
@given(any_rules(), diners, orders, gifts, gifts, st.integers(0, 3000))
def test_more_subsidy_never_makes_the_elder_pay_more(
    rules: tuple[Rule, ...], who: DinerFacts, asked: Asked, left: Left, more: Left, extra_fen: int
) -> None:
    """More gifts at the canteen, less used of a limit, a larger amount of the government, one rule more at the end."""
    pays = priced(asked, who, rules, left).elder_fen
    richer = Left(left.donation_fen + more.donation_fen, left.garden_fen + more.garden_fen)
    assert priced(asked, who, rules, richer).elder_fen <= pays
    spent = {use.key: extra_fen for use in priced(asked, who, rules, left).uses}
    assert priced(asked, who, rules, replace(left, used=spent)).elder_fen >= pays
    larger = tuple(
        replace(rule, fen=rule.fen + extra_fen) if rule.fen and rule.share == Share.GOVERNMENT else rule
        for rule in rules
    )
    assert priced(asked, who, larger, left).elder_fen <= pays
    last = Rule("last", "再补一点", "government", "food", "试", pays_percent=80)
    assert priced(asked, who, (*rules, last), left).elder_fen <= pays
