"""Workbooks that were handed in long ago."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.api.scene_imports import workbook_bytes
from tests.factories.people import XIWU, steward
from timebank.core.db import Database
from timebank.importing.actions.office_imports import Upload, prepare_import
from timebank.importing.import_rules import ImportKind
from timebank.importing.models import OfficeImport

Look = Callable[[Session], object]


def handed_in_long_ago(bank: Database) -> Look:
    """One workbook that nobody booked for a month, and one of today."""
    with bank.unit_of_work() as session:
        for ago in (timedelta(days=30), timedelta(0)):
            upload = Upload(ImportKind.PEOPLE, "10月.xlsx", workbook_bytes())
            kept = prepare_import(session, actor=steward(XIWU), upload=upload)
            kept.uploaded_at -= ago
    return lambda session: session.scalar(select(func.count()).select_from(OfficeImport))
