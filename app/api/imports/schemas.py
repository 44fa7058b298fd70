"""Requests and answers about workbooks that are looked at before they are booked."""

from marshmallow import fields

from app.api.fields import Answer, Body, Choice, Day, Id, Moment, PageQuery, QueryFlag, Text
from app.api.operation import Page
from app.api.sorting import Sort, SortedPage, SortedQuery
from timebank.importing.import_rules import ImportKind, ImportState
from timebank.importing.queries import IMPORT_ORDERS

KINDS = [str(kind) for kind in ImportKind]
STATES = [str(state) for state in ImportState]
WHOSE = {"description": "只导入这个镇街的人员和服务；null 为全区。菜单则为助餐点所在镇街"}


class PrepareQuery(Body):
    """What the workbook holds and what it is called; for a menu the canteen and the Monday it begins on.

    The district may hand one in for one township; a township's steward always does so for its own.
    """

    kind = Choice(KINDS, required=True)
    file_name = Text(longest=200, required=True)
    township_code = Text(longest=20)
    canteen_id = Id()
    week_starts_on = Day()


class FormQuery(Body):
    """Of which kind."""

    kind = Choice(KINDS, required=True)


class ImportsQuery(SortedQuery):
    """Of one kind, state or township, or of all."""

    sort = Sort(IMPORT_ORDERS)
    kind = Choice(KINDS)
    state = Choice(STATES)
    township_code = Text(longest=20)


class ImportRowsQuery(PageQuery):
    """Rows that come back, of one reason or of all; with ``notes`` those that go in and should be looked at."""

    reason = Text(longest=40)
    notes = QueryFlag(load_default=False)


class BookImportBody(Body):
    """What was looked at: the ``shown`` of the answer whose table it was."""

    shown = Text(longest=64, required=True)


class ImportSheet(Answer):
    """Rows of one sheet: how many go in, change what is there, are there already, come back."""

    sheet = fields.String(required=True)
    new = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    already_present = fields.Integer(required=True)
    rejected = fields.Integer(required=True)


class ImportFigure(Answer):
    """Another figure by its Chinese label."""

    label = fields.String(required=True)
    number = fields.Integer(required=True)


class ImportHours(Answer):
    """New hours of one month, by the township where they were served."""

    month = fields.String(required=True, metadata={"example": "2026-10"})
    township_code = fields.String(required=True)
    township_name = fields.String(required=True)
    records = fields.Integer(required=True)
    minutes = fields.Integer(required=True)


class ImportReason(Answer):
    """How many rows come back for one reason."""

    reason = fields.String(required=True)
    reason_name = fields.String(required=True)
    rows = fields.Integer(required=True)


class EarlierImport(Answer):
    """The same file, booked before."""

    import_id = Id(required=True)
    booked_at = Moment(required=True)
    booked_by_name = fields.String(required=True)


class ImportAnswer(Answer):
    """A workbook and what booking it comes to, or came to; ``shown`` stands for all of it."""

    import_id = Id(required=True)
    kind = fields.String(required=True)
    kind_name = fields.String(required=True)
    state = fields.String(required=True)
    state_name = fields.String(required=True)
    township_code = fields.String(required=True, allow_none=True, metadata=WHOSE)
    canteen_id = Id(required=True, allow_none=True)
    canteen_name = fields.String(required=True, allow_none=True)
    week_starts_on = fields.Date(required=True, allow_none=True)
    file_name = fields.String(required=True)
    file_sha256 = fields.String(required=True)
    file_kept = fields.Boolean(required=True, metadata={"description": "原文件还在，退回表可以下载"})
    forgotten_at = Moment(required=True, metadata={"description": "原文件删除的时间；未导入的届时一并删除"})
    uploaded_at = Moment(required=True)
    uploaded_by_name = fields.String(required=True)
    judged_at = Moment(required=True)
    booked_at = Moment(required=True, allow_none=True)
    booked_by_name = fields.String(required=True, allow_none=True)
    sheets = fields.List(fields.Nested(ImportSheet), required=True)
    figures = fields.List(fields.Nested(ImportFigure), required=True)
    hours = fields.List(fields.Nested(ImportHours), required=True)
    minutes = fields.Integer(required=True)
    rejected = fields.Integer(required=True)
    notes = fields.Integer(required=True)
    reasons = fields.List(fields.Nested(ImportReason), required=True)
    shown = fields.String(required=True)
    needs_second_person = fields.Boolean(required=True)
    may_book = fields.Boolean(required=True)
    earlier = fields.Nested(EarlierImport, required=True, allow_none=True)


class ImportPage(SortedPage):
    """Workbooks, newest first where no other order is asked for."""

    items = fields.List(fields.Nested(ImportAnswer), required=True)


class ImportRow(Answer):
    """A row that comes back, or to look at (``reason`` null); people's names are masked."""

    sheet = fields.String(required=True)
    row = fields.Integer(required=True)
    name = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)


class ImportRowPage(Page):
    """Rows by sheet, those that come back first."""

    items = fields.List(fields.Nested(ImportRow), required=True)


class DiscardedImport(Answer):
    """Which one is gone."""

    import_id = Id(required=True)
