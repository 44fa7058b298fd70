"""What can be done with an office's workbook."""

from timebank.importing.actions.import_workbook import STEPS, import_workbook

__all__ = ["STEPS", "import_workbook"]
