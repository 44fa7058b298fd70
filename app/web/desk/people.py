"""People at the desk: found by number, entered, and each with account, statement and proxies."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal
from app.web.browser import tell
from app.web.doors import form_key, go, page
from app.web.lists import asked, listed, person_of_number, renamed, township_names
from app.web.screens import filled, screen
from timebank.people.rules import ROLE_NAMES, SCOPE_NAMES, USUAL_SCOPES

doors = Blueprint("desk_people", __name__)

PERSON = "/desk/people/<uuid:person_id>"

_MOST_SHOWN = 10


@page(doors, "/desk/people", who="desk")
def people(ask: Asker) -> Response:
    return _search(ask)


@page(doors, "/desk/people/find", who="desk")
def look_again(_ask: Asker) -> Response:
    """Who loads the result again is asked for the number again: it is not kept in the address."""
    return go("/desk/people")


@page(doors, "/desk/people/find", who="desk", method="POST")
def find(ask: Asker) -> Response:
    found = person_of_number(ask, "id_number")
    return _search(ask, found) if isinstance(found, Refusal) else _search(ask, person=found)


@page(doors, "/desk/people/search", who="desk")
def search_again(_ask: Asker) -> Response:
    """Names are not kept in the address either."""
    return go("/desk/people")


@page(doors, "/desk/people/search", who="desk", method="POST")
def search(ask: Asker) -> Response:
    answer = ask.write("people.search", filled(), key=form_key())
    return _search(ask, answer) if isinstance(answer, Refusal) else _search(ask, named=answer, filled=filled())


@page(doors, "/desk/people/enrol", who="desk")
def enrol_form(ask: Asker) -> Response:
    return _enrol_form(ask)


@page(doors, "/desk/people/enrol", who="desk", method="POST")
def enrol(ask: Asker) -> Response:
    form = {**filled(), "roles": request.form.getlist("roles")}
    answer = ask.write("people.enrol", form, key=form_key())
    if isinstance(answer, Refusal):
        return _enrol_form(ask, answer)
    tell("登记好了")
    return go(f"/desk/people/{answer['person_id']}")


@page(doors, PERSON, who="desk")
def person(ask: Asker, person_id: UUID) -> Response:
    account = asked("account")
    found = listed(ask, "me.statement", {"for_person_id": person_id, **account}, limit=20)
    mine: dict[str, Any] = _of_a_steward(ask, person_id) if ask.actor.is_steward else {}
    return screen(
        "desk/person.html",
        ask.actor,
        person=seen(ask, person_id),
        townships=township_names(ask),
        role_names=ROLE_NAMES,
        balance=ask.read("me.balance", {"for_person_id": person_id}),
        services=ask.read("tasks.list", {"person_id": person_id, "limit": _MOST_SHOWN})["items"],
        orders=ask.read("orders.list", {"for_person_id": person_id, "limit": _MOST_SHOWN})["items"],
        **mine,
        account=account.get("account", "savings"),
        lines=found["items"],
        next_cursor=found["next_cursor"],
        asked=account,
    )


@page(doors, f"{PERSON}/why", who="desk")
def why(ask: Asker, person_id: UUID) -> Response:
    named = asked("transfer_id", "task_id", "voucher_id", "booking_id", "order_id")
    said = ask.read("me.explain", {"for_person_id": person_id, **named})
    return screen("desk/why.html", ask.actor, said=said, person_id=person_id)


@page(doors, f"{PERSON}/proxies/new", who="desk")
def proxy_form(ask: Asker, person_id: UUID) -> Response:
    return _proxy_form(ask, person_id)


@page(doors, f"{PERSON}/proxies/new", who="desk", method="POST")
def register_proxy(ask: Asker, person_id: UUID) -> Response:
    proxy = person_of_number(ask, "proxy_id_number")
    if isinstance(proxy, Refusal):
        return _proxy_form(ask, person_id, proxy)
    sent = filled()
    form = {
        "elder_id": str(person_id),
        "proxy_id": proxy["person_id"],
        "relation": sent.get("relation"),
        "consent_evidence": sent.get("consent_evidence"),
        "scopes": request.form.getlist("scopes"),
    }
    answer = ask.write("people.register_proxy", form, key=form_key())
    if isinstance(answer, Refusal):
        return _proxy_form(ask, person_id, renamed(answer, {"proxy_id": "proxy_id_number"}))
    tell(f"登记好了：{proxy['name']}可以代办")
    return go(f"/desk/people/{person_id}")


@page(doors, f"{PERSON}/proxies/<uuid:registration_id>/end", who="desk")
def end_proxy_form(ask: Asker, person_id: UUID, registration_id: UUID) -> Response:
    return _end_proxy_form(ask, person_id, registration_id)


@page(doors, f"{PERSON}/proxies/<uuid:registration_id>/end", who="desk", method="POST")
def end_proxy(ask: Asker, person_id: UUID, registration_id: UUID) -> Response:
    answer = ask.write("people.end_proxy", key=form_key(), registration_id=registration_id)
    if isinstance(answer, Refusal):
        return _end_proxy_form(ask, person_id, registration_id, answer)
    tell("代办已终止")
    return go(f"/desk/people/{person_id}")


def seen(ask: Asker, person_id: UUID) -> dict[str, Any]:
    """What is known of a person by id; an auditor is told a shortened name."""
    found: dict[str, Any] = ask.read("people.show", person_id=person_id)
    return found


def _of_a_steward(ask: Asker, person_id: UUID) -> dict[str, Any]:
    """What only a steward of the township is shown: whom somebody is related to, who acts for them, their coupons."""
    return {
        "proxies": ask.everything("proxies.list", {"person_id": person_id}),
        "relatives": ask.everything("family.list", {"person_id": person_id}),
        "coupons": ask.read("vouchers.list", {"for_person_id": person_id, "limit": _MOST_SHOWN})["items"],
    }


def _search(ask: Asker, refusal: Refusal | None = None, **found: Any) -> Response:
    return screen(
        "desk/people.html",
        ask.actor,
        refusal=refusal,
        **{"person": None, "named": None, **found},
        townships=township_names(ask),
        role_names=ROLE_NAMES,
    )


def _enrol_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    own = ask.actor.township_code
    return screen(
        "desk/enrol.html",
        ask.actor,
        refusal=refusal,
        filled=filled() if refusal else {"township_code": own or ""},
        picked=request.form.getlist("roles"),
        townships=[(code, name) for code, name in township_names(ask).items() if own in (None, code)],
        role_names=ROLE_NAMES,
    )


def _proxy_form(ask: Asker, person_id: UUID, refusal: Refusal | None = None) -> Response:
    usual = [str(scope) for scope in USUAL_SCOPES]
    return screen(
        "desk/proxy.html",
        ask.actor,
        refusal=refusal,
        picked=request.form.getlist("scopes") if refusal else usual,
        person=seen(ask, person_id),
        scopes=[(str(scope), name) for scope, name in SCOPE_NAMES.items()],
    )


def _end_proxy_form(ask: Asker, person_id: UUID, registration_id: UUID, refusal: Refusal | None = None) -> Response:
    consents = ask.everything("proxies.list", {"person_id": person_id})
    consent = next((one for one in consents if one["registration_id"] == str(registration_id)), None)
    shown: dict[str, Any] = {"person": seen(ask, person_id), "consent": consent}
    return screen("desk/proxy_end.html", ask.actor, refusal=refusal, **shown)
