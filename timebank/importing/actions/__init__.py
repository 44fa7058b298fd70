"""What can be done with an office's workbook."""

from timebank.importing.actions.import_workbook import STEPS, expect_import, import_workbook
from timebank.importing.actions.reconcile_workbook import reconcile_workbook

__all__ = ["STEPS", "expect_import", "import_workbook", "reconcile_workbook"]
