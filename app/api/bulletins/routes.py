"""Monthly bulletins, for stewards and auditors, as figures and as a workbook; a township's steward sees its own."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from app.api.bulletins.schemas import BulletinAnswer, BulletinPage, BulletinQuery
from app.api.fields import PageQuery
from app.api.operation import Sent, operation, page_of_all
from app.api.parser import Doors
from app.api.workbooks import XLSX, workbook_sent
from timebank.core.actors import Actor
from timebank.importing.bulletin_workbook import write_bulletin
from timebank.supervision.figures import queries

doors = Doors("bulletins", __name__, url_prefix="/api/v1/bulletins", description="月报")


@operation(doors, "", "bulletins.list", "有月报的月份", query=PageQuery, answers=BulletinPage)
def list_bulletins(session: Session, actor: Actor, query: dict[str, Any]) -> dict[str, Any]:
    actor.must_see_books()
    return page_of_all(queries.bulletins(session), query)


@operation(
    doors, "/month", "bulletins.show", "月报",
    query=BulletinQuery, answers=BulletinAnswer, one_moment=True,
)  # fmt: skip
def show(session: Session, actor: Actor, query: dict[str, Any]) -> queries.Bulletin:
    return _asked(session, actor, query)


@operation(
    doors, "/month.xlsx", "bulletins.workbook", "月报（Excel）",
    query=BulletinQuery, answers=None, media_type=XLSX, one_moment=True,
)  # fmt: skip
def workbook(session: Session, actor: Actor, query: dict[str, Any]) -> Sent:
    said = _asked(session, actor, query)
    whose = said.township_name or "全区"
    return workbook_sent(
        lambda file: write_bulletin(file, said),
        plain=f"bulletin-{said.township_code or 'district'}-{said.month}",
        named=f"时间银行月报-{whose}-{said.month}",
    )


def _asked(session: Session, actor: Actor, query: dict[str, Any]) -> queries.Bulletin:
    whose = queries.whose_figures(session, actor, query.get("township_code"))
    return queries.bulletin(session, month=query["month"], township_code=whose)
