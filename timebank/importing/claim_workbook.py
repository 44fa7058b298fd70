"""A claim of subsidies 助餐补贴结算 as the workbook that an office signs and keeps: 汇总, 按规则, 明细, 疑点."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, BinaryIO

from timebank.canteens.pricing.rules import MEAL_NAMES, SHARE_NAMES, Meal, Share
from timebank.canteens.subsidies.models import SubsidyClaim, SubsidyClaimLine
from timebank.canteens.subsidies.queries.views import ClaimView, FindingView, MealView, WholeClaim
from timebank.canteens.subsidies.rules import (
    DECISION_NAMES,
    FINDING_NAMES,
    STATE_NAMES,
    ClaimState,
    Decision,
    FindingKind,
)
from timebank.importing.office_workbook import headed_sheet, office_workbook
from timebank.importing.statement_pen import Pen, Styles, set_columns

_REASON_WIDTH = 46
_SUMMARY = (("项目", 26), ("金额（元）", 18), ("说明", 46))
_LINES = (("承担方", 16), ("规则", 30), ("餐数", 10), ("金额（元）", 16), ("是否付款", 14))
_MEALS = (
    *(("序号", 7), ("日期", 12), ("餐次", 8), ("用餐对象", 10), ("餐数", 7), ("餐费（元）", 12)),
    *((f"{SHARE_NAMES[share]}（元）", 14) for share in Share),
    ("订单编号", 38),
)
_FINDINGS = (
    *(("序号", 7), ("疑点", 18), ("日期", 12), ("餐次", 8), ("用餐对象", 10), ("说明", _REASON_WIDTH)),
    *(
        ("涉及补贴（元）", 14),
        ("答复", 18),
        ("答复理由", _REASON_WIDTH),
        ("答复人", 12),
        ("答复时间", 17),
        ("订单编号", 38),
    ),
)
_SIGNED_BY = ("助餐点（盖章）", "镇街（盖章）", "区民政局（盖章）")


def write_claim(file: BinaryIO, said: WholeClaim) -> None:
    """Write the workbook to ``file``; meals are taken one by one and never held together."""
    title = f"{said.view.canteen_name} {said.view.claim.month} 助餐补贴结算"
    with office_workbook(file, title, constant_memory=True) as (book, styles):
        _write_summary(headed_sheet(book, "汇总", title), styles, said.view, title)
        _write_lines(headed_sheet(book, "按规则", title), styles, said.lines)
        _write_meals(headed_sheet(book, "明细", title), styles, said.meals)
        _write_findings(headed_sheet(book, "疑点", title), styles, said.findings)


def _write_summary(sheet: Any, styles: Styles, view: ClaimView, title: str) -> None:
    headings, last = set_columns(sheet, _SUMMARY), len(_SUMMARY) - 1
    pen, claim = Pen(sheet, styles), view.claim
    pen.wide(0, last, title, "title")
    for label, value in _facts(view):
        pen.next_row(20)
        pen.text(0, label, "label")
        pen.wide(1, last, value)
    pen.next_row(24)
    pen.headings(*headings)
    for label, fen, remark in _amounts(claim):
        pen.next_row()
        pen.text(0, label)
        if fen is None:
            pen.text(1, "未定", "hours")
        else:
            pen.yuan(1, fen)
        pen.text(2, remark)
    pen.next_row()
    for label in _SIGNED_BY:
        pen.next_row(48)
        pen.text(0, label, "label")
        pen.wide(1, last, "")


def _facts(view: ClaimView) -> Iterable[tuple[str, str]]:
    claim = view.claim
    yield "状态", STATE_NAMES[ClaimState(claim.state)]
    yield "餐数", str(claim.meals)
    yield "疑点", f"{view.findings}处，未答复{view.open_findings}处"
    yield "算出", claim.computed_by_name
    yield "镇街审批", claim.township_approved_by_name or ""
    yield "区级审批", claim.approved_by_name or ""
    yield "拨付", f"{claim.paid_by_name or ''} {claim.paid_reference or ''}".strip()
    if claim.return_reason:
        yield "退回", f"{claim.returned_by_name}：{claim.return_reason}"


def _amounts(claim: SubsidyClaim) -> Iterable[tuple[str, int | None, str]]:
    yield "餐费合计", claim.list_fen, "五方分担之和"
    for share in Share:
        yield SHARE_NAMES[share], getattr(claim, f"{share}_fen"), ""
    yield "运营补贴", claim.operating_fen, "年度等级"
    yield "不予补贴", claim.disallowed_fen, "疑点属实，退回财政"
    yield "实物和志愿服务", claim.garden_fen + claim.volunteers_in_kind_fen, "菜园食材、志愿者送餐，不付款"
    yield "现金抵扣", claim.netted_fen, "助餐点已收的现金；负数为补回"
    yield "应拨付", claim.paid_fen, "拨给助餐点"


def _write_lines(sheet: Any, styles: Styles, lines: Iterable[SubsidyClaimLine]) -> None:
    pen = _headed(sheet, styles, _LINES)
    for line in lines:
        pen.next_row()
        pen.text(0, SHARE_NAMES[Share(line.share)])
        pen.text(1, line.label)
        pen.whole(2, line.meals)
        pen.yuan(3, line.fen)
        pen.text(4, "不付款" if line.in_kind else "付款")


def _write_meals(sheet: Any, styles: Styles, meals: Iterable[MealView]) -> None:
    pen = _headed(sheet, styles, _MEALS)
    for number, view in enumerate(meals, start=1):
        one = view.meal
        pen.next_row()
        pen.whole(0, number)
        pen.text(1, str(one.served_on))
        pen.text(2, MEAL_NAMES[Meal(one.meal)])
        pen.text(3, view.diner_name or "散客")
        pen.whole(4, one.meals)
        pen.yuan(5, one.list_fen)
        for place, share in enumerate(Share, start=6):
            pen.yuan(place, getattr(one, f"{share}_fen"))
        pen.text(11, str(one.order_id))
    sheet.autofilter(0, 0, pen.row, len(_MEALS) - 1)


def _write_findings(sheet: Any, styles: Styles, findings: Iterable[FindingView]) -> None:
    pen = _headed(sheet, styles, _FINDINGS)
    for view in findings:
        one = view.finding
        pen.next_prose((one.reason, _REASON_WIDTH), (one.decision_reason, _REASON_WIDTH))
        pen.whole(0, one.number)
        pen.text(1, FINDING_NAMES[FindingKind(one.kind)])
        pen.text(2, str(view.served_on) if view.served_on else None)
        pen.text(3, MEAL_NAMES[Meal(view.meal)] if view.meal else None)
        pen.text(4, view.diner_name)
        pen.text(5, one.reason, "prose")
        pen.yuan(6, one.fen)
        pen.text(7, DECISION_NAMES[Decision(one.decision)] if one.decision else "未答复")
        pen.text(8, one.decision_reason, "prose")
        pen.text(9, one.decided_by_name)
        pen.moment(10, one.decided_at)
        pen.text(11, str(one.order_id) if one.order_id else None)


def _headed(sheet: Any, styles: Styles, columns: Iterable[tuple[str, int]]) -> Pen:
    pen = Pen(sheet, styles)
    pen.headings(*set_columns(sheet, columns))
    sheet.freeze_panes(1, 0)
    sheet.repeat_rows(0)
    return pen
