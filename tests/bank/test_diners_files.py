"""Diners' files: who applies, who decides, what is kept, and what pricing is told of a day."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from tests.factories.canteens import apply_for_canteen, open_canteen
from tests.factories.diners import approved_diner, enrolled
from tests.factories.people import DAYAN, SHANGTIAN, XIWU, add_canteen, add_person, clerk, district, steward
from tests.factories.tasks import NINE
from timebank.audit.models import AuditEntry
from timebank.canteens.diners.actions import Application, Grant, apply, change, end_diner, review
from timebank.canteens.diners.models import Diner
from timebank.canteens.diners.queries import diners_by_ids, facts_on
from timebank.canteens.diners.rules import must_be_approved
from timebank.canteens.network.actions import close
from timebank.core import clock
from timebank.core.actors import Actor, StaffRole
from timebank.core.db import Database
from timebank.core.errors import BankError
from timebank.core.ids import new_id
from timebank.notifications.actions import notices_for
from timebank.people.actions import register_proxy
from timebank.people.models import ElderFile, Person
from timebank.people.rules import ProxyScope

DAY = date(2026, 6, 1)
GRANT = Grant("low_income", date(2026, 1, 1), "低保证2026-12")


@pytest.fixture(autouse=True)
def _nine_in_the_morning() -> None:
    clock.freeze(NINE)


def file_of(session: Session, who: Actor) -> Diner:
    return diners_by_ids(session, [who.person()])[who.person()]


def proxy_of(session: Session, elder: Actor, *scopes: ProxyScope) -> Actor:
    proxy = add_person(session, XIWU, age=45, name="周小敏")
    register_proxy(
        session,
        actor=district(),
        elder_id=elder.person(),
        proxy_id=proxy.person(),
        relation="女儿",
        consent_evidence="委托书1号",
        scopes=list(scopes),
    )
    return proxy


def notices_of(session: Session, who: Actor) -> list[tuple[str, str]]:
    return [(notice.title, notice.body) for notice in notices_for(session, person_id=who.person(), limit=9)]


def refusal(bank: Database, deed: Any, **how: Any) -> BankError:
    """What ``deed`` is refused with, in a unit of work of its own."""
    with pytest.raises(BankError) as raised, bank.unit_of_work() as session:
        deed(session, **how)
    return raised.value


def test_an_application_waits_for_a_steward_and_is_then_a_file(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = enrolled(session)
        wishes = {"diet_form": "minced", "allergies": ["花生", "鱼类", "花生"], "delivery_address": "白杜村12号"}
        diner = apply(session, actor=elder, form=Application(wishes=wishes))
        assert (diner.state, diner.allergies, diner.applied_by_name) == ("applied", ["花生", "鱼类"], "周桂芬")
        with pytest.raises(BankError) as refused:
            must_be_approved(diner)
        assert (refused.value.code, refused.value.facts["state"]) == ("diner_not_approved", "applied")
        [told] = notices_for(session, township_code=XIWU, limit=5)
        assert (told.title, told.body) == ("有新的用餐申请待审核", "周桂芬申请成为用餐对象，请审核。")
    with bank.unit_of_work() as session:
        review(session, actor=steward(XIWU), person_id=elder.person(), approve=True, grants=[GRANT])
    with bank.unit_of_work() as session:
        diner = file_of(session, elder)
        must_be_approved(diner)
        assert (diner.state, diner.reviewed_by_name) == ("approved", f"township_steward-{XIWU}")
        facts = facts_on(session, [elder.person()], DAY)[elder.person()]
        assert (facts.age, facts.categories, facts.diet_form) == (82, {"low_income"}, "minced")
        assert notices_of(session, elder) == [("用餐申请已通过", "周桂芬已成为用餐对象，可以订餐。")]
        done = session.scalars(select(AuditEntry.action).order_by(AuditEntry.id))
        assert [action for action in done if action.startswith("diner")] == [
            *("diner_applied", "diner_category_added", "diner_approved")
        ]


def test_who_was_refused_is_told_why_and_may_ask_again(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = enrolled(session)
        proxy = proxy_of(session, elder, ProxyScope.MEALS)
        form = Application(elder.person(), {"delivery_address": "白杜村12号"}, ["disabled"], "残疾证")
        diner = apply(session, actor=proxy, form=form)
        assert (diner.applied_by_name, diner.proposed_categories) == ("周小敏（代周桂芬）", ["disabled"])
        refused = {"person_id": elder.person(), "approve": False}
        review(session, actor=steward(XIWU), **refused, reason="户口不在本镇街")
        why = ("用餐申请未通过", "周桂芬的用餐申请未通过：户口不在本镇街")
        assert notices_of(session, elder)[0] == notices_of(session, proxy)[0] == why
    assert refusal(bank, review, actor=steward(XIWU), **refused, reason="再次").code == "wrong_state"
    with bank.unit_of_work() as session:
        again = apply(session, actor=elder, form=Application(wishes={"diet_form": "soft"}))
        assert (again.state, again.review_reason, again.reviewed_at) == ("applied", "", None)
        assert (again.delivery_address, again.diet_form, again.proposed_categories) == ("白杜村12号", "soft", [])
    assert refusal(bank, apply, actor=elder, form=Application()).code == "wrong_state"
    assert refusal(bank, review, actor=steward(XIWU), **refused, reason=" ").code == "reason_needed"


def test_a_steward_enters_whom_the_office_knows_at_once(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = enrolled(session)
        form = Application(elder.person(), {"diet_form": "liquid"}, grants=[GRANT])
        diner = apply(session, actor=steward(XIWU), form=form)
        assert (diner.state, diner.reviewed_by_name, diner.applied_by_name) == (
            "approved",
            f"township_steward-{XIWU}",
            f"township_steward-{XIWU}",
        )
        assert facts_on(session, [elder.person()], DAY)[elder.person()].categories == {"low_income"}
    other = enrolled_elsewhere(bank)
    assert refusal(bank, apply, actor=steward(XIWU), form=Application(other.person())).code == "other_township"
    assert refusal(bank, apply, actor=elder, form=Application(grants=[GRANT])).code == "steward_only"


def enrolled_elsewhere(bank: Database) -> Actor:
    with bank.unit_of_work() as session:
        return enrolled(session, DAYAN)


@pytest.mark.parametrize(
    ("born_on", "categories", "code"),
    [
        (date(1990, 5, 1), [], "diner_too_young"),
        (date(1990, 5, 1), ["soldier_serving"], None),
        (date(2017, 5, 1), [], None),
        (date(2012, 1, 1), [], "diner_too_young"),
        (date(1966, 3, 1), [], None),
        (date(1944, 3, 8), ["king"], "category_unknown"),
    ],
)
def test_only_what_a_steward_need_not_look_at_is_turned_away(
    bank: Database, born_on: date, categories: list[str], code: str | None
) -> None:
    with bank.unit_of_work() as session:
        someone = enrolled(session, born_on=born_on)
    form = Application(categories=categories)
    if code is not None:
        refused = refusal(bank, apply, actor=someone, form=form)
        assert refused.code == code
        with bank.session() as session:
            assert diners_by_ids(session, [someone.person()]) == {}
    else:
        with bank.unit_of_work() as session:
            assert apply(session, actor=someone, form=form).state == "applied"


def test_whoever_has_left_or_is_reported_dead_does_not_apply(bank: Database) -> None:
    with bank.unit_of_work() as session:
        gone, frozen = enrolled(session), enrolled(session)
        session.get_one(Person, gone.person()).left_at = clock.now()
        waiting = enrolled(session)
        apply(session, actor=waiting, form=Application())
        for reported in (frozen, waiting):
            session.get_one(Person, reported.person()).death_reported_at = clock.now()
    assert refusal(bank, apply, actor=district(), form=Application(gone.person())).code == "person_left"
    assert refusal(bank, apply, actor=frozen, form=Application()).code == "person_frozen"
    approving = {"actor": district(), "person_id": waiting.person(), "approve": True}
    assert refusal(bank, review, **approving).code == "person_frozen"
    with bank.unit_of_work() as session:
        review(session, actor=district(), person_id=waiting.person(), approve=False, reason="已身故")


def test_diet_and_address_change_at_once_and_the_change_is_written_down(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen_id = open_canteen(session).id
        elder = approved_diner(session, canteen=canteen_id, allergies=["鱼类"])
        proxy = proxy_of(session, elder, ProxyScope.MEALS)
    with bank.unit_of_work() as session:
        wishes = {"diet_form": "soft", "allergies": ["鱼类"], "latitude": 29.6, "longitude": 121.4}
        change(session, actor=proxy, person_id=elder.person(), wishes=wishes)
        diner = change(session, actor=elder, person_id=elder.person(), wishes={"usual_canteen_id": None})
        assert (diner.diet_form, diner.latitude, diner.usual_canteen_id) == ("soft", 29.6, None)
        change(session, actor=elder, person_id=elder.person(), wishes={"diet_form": "soft"})
        entries = select(AuditEntry.actor_name, AuditEntry.facts).where(AuditEntry.action == "diner_changed")
        assert session.execute(entries.order_by(AuditEntry.id)).all() == [
            ("周小敏", {"fields": ["diet_form", "latitude", "longitude"]}),
            ("周桂芬", {"fields": ["usual_canteen_id"]}),
        ]


@pytest.mark.parametrize(
    ("wishes", "code"),
    [
        ({"diet_form": "raw"}, "diet_form_unknown"),
        ({"allergies": ["鱼类", "月光"]}, "allergen_unknown"),
        ({"religious_diet": "月光"}, "religious_diet_unknown"),
        ({"latitude": 29.6}, "place_incomplete"),
        ({"latitude": 121.4, "longitude": 29.6}, "place_far_away"),
        ({"usual_canteen_id": new_id()}, "canteen_unknown"),
    ],
)
def test_what_is_no_diet_and_no_place_is_refused(bank: Database, wishes: dict[str, Any], code: str) -> None:
    with bank.unit_of_work() as session:
        elder = approved_diner(session, religious_diet="清真")
    wishes = {"delivery_note": "放门口", **wishes}
    assert refusal(bank, change, actor=elder, person_id=elder.person(), wishes=wishes).code == code
    with bank.session() as session:
        diner = file_of(session, elder)
        assert (diner.diet_form, diner.religious_diet, diner.delivery_note) == ("normal", "清真", "")


def test_nobody_takes_to_a_canteen_that_is_not_served_and_who_did_before_may_stay(bank: Database) -> None:
    with bank.unit_of_work() as session:
        canteen_id = open_canteen(session).id
        elder, other = approved_diner(session, canteen=canteen_id), approved_diner(session)
        close(session, actor=steward(XIWU), canteen_id=canteen_id, reason="合并")
        unopened = apply_for_canteen(session).id
    for wanted in (canteen_id, unopened):
        wishes = {"usual_canteen_id": wanted}
        assert refusal(bank, change, actor=other, person_id=other.person(), wishes=wishes).code == "canteen_not_open"
    with bank.unit_of_work() as session:
        wishes = {"usual_canteen_id": canteen_id, "diet_form": "soft"}
        diner = change(session, actor=elder, person_id=elder.person(), wishes=wishes)
        assert (diner.usual_canteen_id, diner.diet_form) == (canteen_id, "soft")


def test_only_who_is_concerned_changes_or_decides(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = approved_diner(session)
        waiting = enrolled(session)
        apply(session, actor=waiting, form=Application())
        stranger = add_person(session, XIWU)
        helper = proxy_of(session, elder, ProxyScope.HELP)
        canteen = add_canteen(session, XIWU)
    codes = {
        stranger: "not_your_elder",
        helper: "proxy_scope_missing",
        steward(SHANGTIAN): "other_township",
        clerk(canteen): "not_your_elder",
        Actor(new_id(), "审计", staff_role=StaffRole.AUDITOR): "not_your_elder",
    }
    for who, code in codes.items():
        assert refusal(bank, change, actor=who, person_id=elder.person(), wishes={"diet_form": "soft"}).code == code
        deciding = {"actor": who, "person_id": waiting.person(), "approve": True}
        assert refusal(bank, review, **deciding).code == ("other_township" if who.is_steward else "steward_only")


def test_the_file_of_who_leaves_ends_and_opens_again_on_return(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder, other = approved_diner(session, categories=["disabled"]), add_person(session, XIWU)
        for who in (elder, elder, other):
            end_diner(session, person_id=who.person())
        assert (file_of(session, elder).state, file_of(session, elder).ended_at) == ("ended", NINE)
        assert diners_by_ids(session, [other.person()]) == {}
        done = session.scalars(select(AuditEntry.actor_name).where(AuditEntry.action == "diner_ended"))
        assert list(done) == ["系统"]
    assert refusal(bank, change, actor=elder, person_id=elder.person(), wishes={}).code == "wrong_state"
    with bank.unit_of_work() as session:
        again = apply(session, actor=steward(XIWU), form=Application(elder.person()))
        assert (again.state, again.ended_at) == ("approved", None)


def test_pricing_is_told_what_holds_on_the_day_in_two_statements(bank: Database) -> None:
    with bank.unit_of_work() as session:
        elder = approved_diner(session, born_on=date(1944, 6, 2), categories=["low_income", "disabled"])
        husband = approved_diner(session, household_of=elder, allergies=["乳类"], religious_diet="素食")
        session.add(ElderFile(person_id=elder.person(), assessment_level=3, circumstances=[], village=None))
        stranger = add_person(session, XIWU)
        many = [approved_diner(session, categories=["living_alone"]) for _ in range(5)]
    ids = [who.person() for who in (elder, husband, stranger, *many)]
    with bank.session() as session:
        said: list[str] = []
        event.listen(session.connection(), "before_cursor_execute", lambda *args: said.append(args[2]))
        found = facts_on(session, ids, DAY)
        assert len(said) == 2
    assert set(found) == set(ids) - {stranger.person()}
    hers, his = found[elder.person()], found[husband.person()]
    assert (hers.age, hers.assessment_level, hers.categories) == (81, 3, {"low_income", "disabled"})
    assert (his.assessment_level, his.categories, his.allergies, his.religious_diet) == (None, set(), {"乳类"}, "素食")
    assert hers.household_id == his.household_id != found[many[0].person()].household_id
    with bank.session() as session:
        assert facts_on(session, ids, date(2026, 6, 2))[elder.person()].age == 82
        assert facts_on(session, ids, date(2019, 12, 31))[elder.person()].categories == set()
        assert facts_on(session, [], DAY) == {}
