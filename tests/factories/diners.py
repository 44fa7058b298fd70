"""Diners for tests: approved, of any age, category, household and township."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from uuid import UUID

import openpyxl
from sqlalchemy.orm import Session

from tests.factories.people import XIWU, district, valid_id_number
from timebank.canteens.diners.actions import Application, Grant, apply, join_household
from timebank.core.actors import Actor
from timebank.core.db import Database
from timebank.importing.actions.import_diners import DinerImport, import_diners
from timebank.importing.diner_workbook import open_diner_workbook
from timebank.people.actions import Enrolment, enrol, wechat_login
from timebank.people.queries import actor_of

GRANTED_FROM = date(2020, 1, 1)
"""From when the categories hold that nobody gave a day for."""


def enrolled(
    session: Session,
    township_code: str = XIWU,
    *,
    born_on: date = date(1944, 3, 8),
    name: str = "周桂芬",
    roles: tuple[str, ...] = ("diner",),
) -> Actor:
    """Somebody enrolled, with a WeChat login, who has not applied."""
    form = Enrolment(name, valid_id_number(born_on), township_code, "13812345678", roles)
    person = enrol(session, actor=district(), form=form)
    login = wechat_login(session, openid=f"openid-{person.id}")
    login.person_id = person.id
    session.flush()
    actor = actor_of(session, login.id)
    assert actor is not None
    return actor


def approved_diner(
    session: Session,
    township_code: str = XIWU,
    *,
    born_on: date = date(1944, 3, 8),
    categories: Iterable[str] = (),
    household_of: Actor | UUID | None = None,
    canteen: UUID | None = None,
    diet_form: str = "normal",
    name: str = "周桂芬",
    **wishes: object,
) -> Actor:
    """An approved diner with a WeChat login, as the actor behind it; ``person()`` is the id.

    The categories hold from ``GRANTED_FROM`` on; ``household_of`` is a diner of the same household.
    """
    actor = enrolled(session, township_code, born_on=born_on, name=name)
    grants = [Grant(category, GRANTED_FROM, "证件复印件") for category in categories]
    told = {"usual_canteen_id": canteen, "diet_form": diet_form, **wishes}
    apply(session, actor=district(), form=Application(actor.person(), told, grants=grants))
    if household_of is not None:
        host = household_of.person() if isinstance(household_of, Actor) else household_of
        together = {"person_id": actor.person(), "with_person_id": host}
        join_household(session, actor=district(), **together, evidence="户口簿")
    return actor


HEADINGS = (
    *("姓名", "身份证号", "手机", "镇街", "村社", "餐食形态", "过敏", "饮食习惯", "特殊类别", "类别起", "类别止"),
    *("证明", "常用助餐点", "送餐地址", "送餐备注", "同户"),
)
"""The columns of a list of diners, as an office writes them."""


def listed(number: str, **cells: object) -> list[object]:
    """A row of a list of diners; the columns that are not given are plain, or empty."""
    plain: dict[str, object] = {"姓名": "周桂芬", "身份证号": number, "镇街": "西坞街道", **cells}
    return [plain.get(heading) for heading in HEADINGS]


def list_of_diners(path: Path, *rows: Sequence[object]) -> Path:
    """Write a workbook of diners, its headings first."""
    book = openpyxl.Workbook()
    del book[book.sheetnames[0]]
    page = book.create_sheet("用餐对象")
    for line in (HEADINGS, *rows):
        page.append(list(line))
    book.save(path)
    return path


def bring_diners_in(bank: Database, path: Path, *, actor: Actor | None = None, dry_run: bool = False) -> DinerImport:
    """Import the file at ``path`` in a unit of work of its own."""
    by = actor or Actor(login_id=None, name="陈主任")
    with bank.unit_of_work() as session:
        return import_diners(session, actor=by, read=lambda: open_diner_workbook(path), dry_run=dry_run)


def sent_back(done: DinerImport) -> list[tuple[int, str]]:
    """Row and reason of every row that came back."""
    return [(one.row, one.reason) for one in done.rejected]
