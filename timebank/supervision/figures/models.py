"""Tables of figures. What they promise beyond columns stands in triggers (``migrations/sql/figures.sql``)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from timebank.core.db import Base


class FigureDay(Base):
    """每日合计: what was recorded on one day in one book, by figure, up to ``FigureMark.upto_seq``."""

    __tablename__ = "figure_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    book_code: Mapped[str] = mapped_column(ForeignKey("ledger_book.code"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]


class FigureMark(Base):
    """Up to which settled sequence number transfers stand in ``FigureDay``; one row."""

    __tablename__ = "figure_mark"
    __table_args__ = (CheckConstraint("id = 1 AND upto_seq >= 0", name="one_row"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    upto_seq: Mapped[int]


class FigureMonth(Base):
    """月末定稿: one month's end, once: what stood then, and what was counted in the month. Never changed."""

    __tablename__ = "figure_month"
    __table_args__ = (CheckConstraint("extract(day FROM month) = 1", name="first_of_month"),)

    month: Mapped[date] = mapped_column(primary_key=True)
    township_code: Mapped[str] = mapped_column(ForeignKey("township.code"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int]
    closed_at: Mapped[datetime]
