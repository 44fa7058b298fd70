"""For whom somebody acts on a page: themselves, or an elder who consented to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response

from app.web.asking import Asker, Refusal
from app.web.screens import screen
from timebank.core.amounts import hours_text

Pairs = Sequence[tuple[str, str]]


def whom(ask: Asker, scope: str) -> list[tuple[str, str]]:
    """Oneself and the elders who let one do this, by id, as a form offers them; oneself alone for most people."""
    found = ask.everything("proxies.list")
    elders = [one for one in found if not one["acts_for_me"] and scope in one["scopes"]]
    return [
        (str(ask.actor.person()), f"我自己（{ask.actor.name}）"),
        *((one["person_id"], f"替{one['name']}办") for one in elders),
    ]


def elder_named(ask: Asker, people: Pairs, person_id: str | None) -> str | None:
    """The elder for whom one acts; None where it is oneself, or nobody of one's elders."""
    if person_id in (None, "", str(ask.actor.person())):
        return None
    return next((said.removeprefix("替").removesuffix("办") for known, said in people if known == person_id), None)


def township_of(ask: Asker, person_id: str | None) -> str | None:
    """Where somebody for whom one acts lives, whose prices and rules hold; one's own township for oneself."""
    elders = {one["person_id"]: one["township_code"] for one in ask.everything("proxies.list")}
    return elders.get(person_id or "") or ask.actor.township_code


def means_of(ask: Asker, people: Pairs) -> list[tuple[str, str, int]]:
    """What everybody for whom one may act has: id, how the page speaks of them, and minutes that can be used."""
    return [
        (
            person_id,
            elder_named(ask, people, person_id) or "您",
            int(ask.read("me.balance", {"for_person_id": person_id})["available_minutes"]),
        )
        for person_id, _ in people
    ]


def relatives(ask: Asker) -> list[tuple[str, str]]:
    """One's registered relatives, by id, as a form offers them."""
    return [(one["person_id"], f"{one['name']}（{one['relation_name']}）") for one in ask.everything("family.list")]


def spending(ask: Asker, minutes: int, for_person_id: str | None) -> list[tuple[str, str]]:
    """What a step will take and what is left of it, to be read before the button."""
    has = ask.read("me.balance", {"for_person_id": for_person_id})["available_minutes"]
    left = ("办完还剩", hours_text(has - minutes)) if has >= minutes else ("还差", hours_text(minutes - has))
    return [("一共要用", hours_text(minutes)), ("现在可以用", hours_text(has)), left]


def sure(
    ask: Asker,
    title: str,
    *,
    to: str,
    button: str,
    back: str,
    facts: Pairs = (),
    words: Sequence[str] = (),
    hidden: Mapping[str, str] | None = None,
    danger: bool = False,
    refusal: Refusal | None = None,
) -> Response:
    """The page that asks once more: what will be done, what it costs, one button, and the way back."""
    return screen(
        "phone/sure.html",
        ask.actor,
        title=title,
        to=to,
        button=button,
        back=back,
        facts=facts,
        words=words,
        hidden=dict(hidden or {}),
        danger=danger,
        refusal=refusal,
    )


def policies_for(ask: Asker, township_code: str | None) -> dict[str, Any]:
    """The rules in force, by key, as they are in a township."""
    return {
        one["key"]: one["township_values"].get(township_code, one["value"]) for one in ask.everything("policies.list")
    }
