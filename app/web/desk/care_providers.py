"""Home-care institutions at the desk: who offers what, entered and changed by the stewards of their township."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from app.web.asking import Asker, Refusal, wrong
from app.web.doors import form_key, page
from app.web.lists import asked, listed, township_names
from app.web.screens import filled, screen
from app.web.steps import after

doors = Blueprint("desk_care_providers", __name__)

PROVIDERS = "/desk/care/providers"
_NOTHING_YET: dict[str, Any] = {
    **dict.fromkeys(("grade", "daily_capacity_minutes", "latitude", "longitude")),
    **{"services": [], "townships": [], "active": True},
}


@page(doors, PROVIDERS, who="desk")
def providers(ask: Asker) -> Response:
    found = listed(ask, "care_providers.list", {**asked("township_code", "service"), "stopped": "true"})
    found["asked"].pop("stopped")
    return screen("desk/care_providers.html", ask.actor, **_names(ask), **found)


@page(doors, f"{PROVIDERS}/enter", who="desk")
def enter_form(ask: Asker) -> Response:
    return _enter_form(ask)


@page(doors, f"{PROVIDERS}/enter", who="desk", method="POST")
def enter(ask: Asker) -> Response:
    sent = filled()
    offer = _offer(sent)
    if isinstance(offer, Refusal):
        return _enter_form(ask, offer)
    where = {"name": sent.get("name"), "township_code": sent.get("township_code") or ask.actor.township_code}
    answer = ask.write("care_providers.enter", {**where, **offer}, key=form_key())
    words = f"登记好了：{answer['name']}" if isinstance(answer, dict) else ""
    return after(answer, words, PROVIDERS, lambda no: _enter_form(ask, no))


@page(doors, f"{PROVIDERS}/<uuid:provider_id>", who="desk")
def change_form(ask: Asker, provider_id: UUID) -> Response:
    return _change_form(ask, provider_id)


@page(doors, f"{PROVIDERS}/<uuid:provider_id>", who="desk", method="POST")
def change(ask: Asker, provider_id: UUID) -> Response:
    offer = _offer(filled())
    if isinstance(offer, Refusal):
        return _change_form(ask, provider_id, offer)
    body = {**offer, "active": request.form.get("active", "0")}
    answer = ask.write("care_providers.change", body, key=form_key(), provider_id=provider_id)
    return after(answer, "已变更", PROVIDERS, lambda no: _change_form(ask, provider_id, no))


def _offer(sent: dict[str, str]) -> dict[str, Any] | Refusal:
    """What the form offers, as the operation reads it: degrees as numbers, ticks as lists."""
    offer: dict[str, Any] = {name: sent.get(name) for name in ("grade", "daily_capacity_minutes")}
    for name in ("services", "townships"):
        offer[name] = request.form.getlist(name)
        if not offer[name]:
            return wrong(name, "至少勾一项")
    for name in ("latitude", "longitude"):
        try:
            offer[name] = float(sent[name]) if sent.get(name) else None
        except ValueError:
            return wrong(name, "须为数字，如 29.71")
    return offer


def _names(ask: Asker) -> dict[str, Any]:
    services = {one["code"]: one["name"] for one in ask.everything("care_services.list") if one["active"]}
    return {"townships": township_names(ask), "services": services}


def _enter_form(ask: Asker, refusal: Refusal | None = None) -> Response:
    return _form(ask, "desk/care_provider_enter.html", _NOTHING_YET, refusal)


def _change_form(ask: Asker, provider_id: UUID, refusal: Refusal | None = None) -> Response:
    everybody = ask.everything("care_providers.list", {"stopped": "true"})
    found = next((one for one in everybody if one["provider_id"] == str(provider_id)), None)
    if found is None:
        return screen("refused.html", ask.actor, status=404, title="没有这家机构", detail="请从名单进入")
    return _form(ask, "desk/care_provider.html", found, refusal)


def _form(ask: Asker, template: str, provider: dict[str, Any], refusal: Refusal | None) -> Response:
    ticked = {name: request.form.getlist(name) if refusal else provider[name] for name in ("services", "townships")}
    return screen(template, ask.actor, refusal=refusal, provider=provider, ticked=ticked, **_names(ask))
