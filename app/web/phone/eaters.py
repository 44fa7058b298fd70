"""Who is to eat: oneself, or an elder for whom one may order meals; and the words that files and menus may use."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from flask import request
from marshmallow import ValidationError

from app.web.asking import Asker
from timebank.people.rules import ProxyScope


@dataclass(frozen=True, slots=True)
class Eater:
    """Somebody whom one may order for, with the diner's file where there is one."""

    person_id: str
    name: str
    is_me: bool
    file: dict[str, Any] | None

    @property
    def state(self) -> str:
        """How the file stands; empty where there is none."""
        return "" if self.file is None else str(self.file["state"])

    @property
    def instead(self) -> str:
        """``替周奶奶`` on the pages of somebody else's meals, nothing on one's own."""
        return "" if self.is_me else f"替{self.name}"

    @property
    def who(self) -> str:
        """How the page speaks of this person."""
        return "您" if self.is_me else self.name

    @property
    def tail(self) -> str:
        """What an address ends with so that it stays this person's page."""
        return "" if self.is_me else f"?for={self.person_id}"

    @property
    def more(self) -> str:
        """The same, after another part of a query."""
        return "" if self.is_me else f"&for={self.person_id}"


def eaters(ask: Asker) -> list[Eater]:
    """Oneself, then the elders who have let one order their meals."""
    files = {str(one["person_id"]): one for one in ask.everything("diners.list")}
    mine = str(ask.actor.person())
    names = {mine: ask.actor.name}
    for one in ask.everything("proxies.list"):
        if not one["acts_for_me"] and ProxyScope.MEALS in one["scopes"]:
            names[str(one["person_id"])] = one["name"]
    return [Eater(person_id, name, person_id == mine, files.get(person_id)) for person_id, name in names.items()]


def eater_asked(ask: Asker) -> tuple[Eater, list[Eater]]:
    """Whom the page is about, and everybody whom it might be about.

    Without ``for`` in the address oneself, or the first elder who has a file where one has none. Raises
    ValidationError for somebody who is none of one's business.
    """
    everybody = eaters(ask)
    wanted = request.args.get("for")
    if wanted is None:
        with_file = [one for one in everybody if one.state == "approved"]
        return (with_file or everybody)[0], everybody
    found = next((one for one in everybody if one.person_id == wanted), None)
    if found is None:
        raise ValidationError({"for": ["没有委托您代办"]})
    return found, everybody


def id_asked(said: str | None) -> UUID:
    """An id in an address. Raises ValidationError where it is none."""
    try:
        return UUID(said or "")
    except ValueError:
        raise ValidationError({"id": ["编号格式不对"]}) from None


def day_asked(said: str | None, otherwise: date) -> date:
    """A day in an address. Raises ValidationError where it is none."""
    try:
        return date.fromisoformat(said) if said else otherwise
    except ValueError:
        raise ValidationError({"day": ["须为日期"]}) from None
