"""Statements for tests that need no database: 西坞 with two others, every kind of figure, texts like formulas."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from timebank.clearing.queries import Line, StatementView, WindowView
from timebank.clearing.queries.statement_view import (
    BothWays,
    ConfirmationView,
    CounterpartTotal,
    DisputeView,
    Gross,
    KindTotal,
    MovedView,
    PaymentPart,
    SettlementView,
)
from timebank.clearing.rules import PRICE_KIND_NAMES, PriceKind

NASTY = ("=1+1", "+1", "-1", "@SUM(A1)", "http://example.invalid/", "<script>alert(1)</script>&")
OPENED = datetime(2026, 10, 31, 16, tzinfo=UTC)
"""The first moment of November in Fenghua."""
CLOSED = datetime(2026, 11, 30, 16, tzinfo=UTC)
SEAL = "0123456789abcdef" * 4
NAMES = {"330213004": "西坞街道", "330213007": "尚田街道", "330213107": "大堰镇", "house": "区清算中心"}


def kind_total(kind: PriceKind, given: tuple[int, int, int | None], received: tuple[int, int, int | None]) -> KindTotal:
    """Transfers, minutes and fen both ways."""
    return KindTotal(
        given=Gross(*given), received=Gross(*received), price_kind=kind, price_kind_name=PRICE_KIND_NAMES[kind]
    )


MEALS = kind_total(PriceKind.MEAL, (2, 150, 4388), (1, 60, 1755))
CARE = kind_total(PriceKind.CARE, (1, 45, 2250), (0, 0, 0))
AIDS = kind_total(PriceKind.AID, (0, 0, 0), (2, 61, 915))


def window_seen(**changes: Any) -> WindowView:
    """The settled window of November 2026."""
    seen = WindowView(
        window="2026-11",
        number=9,
        status="settled",
        status_name="已结算",
        opened_at=OPENED,
        due_at=CLOSED,
        ends_at=CLOSED,
        closed_at=CLOSED,
        closed_by_name="陈主任",
        settled_at=CLOSED + timedelta(days=5),
        prices_fen_per_hour={"meal": 1755, "care": 3000, "aid": 900},
        seal=SEAL,
    )
    return replace(seen, **changes)


def statement_seen(**changes: Any) -> StatementView:
    """The statement of 西坞 in that window; ``changes`` replace whole parts of it."""
    seen = StatementView(
        window=window_seen(),
        prices_fen_per_hour={"meal": 1755, "care": 3000, "aid": 900},
        township_code="330213004",
        township_name="西坞街道",
        total=BothWays(given=Gross(3, 195, 6638), received=Gross(3, 121, 2670)),
        kinds=[MEALS, CARE, AIDS],
        counterparts=[
            CounterpartTotal(
                given=Gross(3, 195, 6638),
                received=Gross(0, 0, 0),
                counterpart_township_code="330213007",
                counterpart_name="尚田街道",
                parts=[kind_total(PriceKind.MEAL, (2, 150, 4388), (0, 0, 0)), CARE],
            ),
            CounterpartTotal(
                given=Gross(0, 0, 0),
                received=Gross(3, 121, 2670),
                counterpart_township_code="330213107",
                counterpart_name="大堰镇",
                parts=[kind_total(PriceKind.MEAL, (0, 0, 0), (1, 60, 1755)), AIDS],
            ),
        ],
        moved_in=[],
        moved_out=[MovedView(UUID(int=70), "2026-11", "2026-12", "330213107", "大堰镇", "用餐", -60, CLOSED)],
        disputes=[_dispute()],
        confirmation=ConfirmationView(CLOSED + timedelta(days=1), "=李管理员", None),
        settlement=SettlementView(
            UUID(int=80), "pay", "付款结算", "instructed", "支付中", CLOSED, "陈主任", None, [_payment()]
        ),
        seal=SEAL,
        seal_is_final=True,
        party_names=NAMES,
    )
    return replace(seen, **changes)


def lines_seen() -> list[Line]:
    """The six lines behind it, the texts in them as nasty as people may type."""
    facts = [
        ("voucher_redemption", "用餐", PriceKind.MEAL, 60, "330213007"),
        ("voucher_redemption", "用餐", PriceKind.MEAL, 90, "330213007"),
        ("service_credit", "服务所得", PriceKind.CARE, 45, "330213007"),
        ("voucher_redemption", "用餐", PriceKind.MEAL, -60, "330213107"),
        ("aid_use", "辅具使用", PriceKind.AID, -30, "330213107"),
        ("aid_use", "辅具使用", PriceKind.AID, -31, "330213107"),
    ]
    return [
        Line(
            transfer_id=UUID(int=100 + place),
            seq=place,
            recorded_at=OPENED + timedelta(days=place, seconds=59, microseconds=999_999),
            effective_at=OPENED + timedelta(days=place),
            kind=kind,
            kind_name=kind_name,
            price_kind=price_kind,
            minutes=minutes,
            counterpart_township_code=counterpart,
            person_id=UUID(int=200 + place),
            person_name=NASTY[place] if place else None,
            note=NASTY[place],
            moved_in=place == 2,
            dispute="stays" if place == 3 else None,
        )
        for place, (kind, kind_name, price_kind, minutes, counterpart) in enumerate(facts)
    ]


def _dispute() -> DisputeView:
    return DisputeView(
        dispute_id=UUID(int=60),
        transfer_id=UUID(int=103),
        recorded_at=OPENED,
        counterpart_township_code="330213107",
        counterpart_name="大堰镇",
        minutes=-60,
        raised_by_township_code="330213004",
        raised_by_township_name="西坞街道",
        reason=NASTY[0],
        raised_at=CLOSED,
        raised_by_name=NASTY[3],
        ruling="stays",
        ruling_name="维持在本周期",
        ruling_reason=NASTY[5],
        ruled_at=CLOSED + timedelta(hours=1),
        ruled_by_name="陈主任",
    )


def _payment() -> PaymentPart:
    return PaymentPart(
        payment_id=UUID(int=90),
        attempt=1,
        direction="receive",
        direction_name="收款",
        amount_fen=3968,
        state="failed",
        state_name="支付失败",
        outside_reference=None,
        problem=NASTY[1],
        instructed_at=CLOSED,
        ended_at=CLOSED,
    )
