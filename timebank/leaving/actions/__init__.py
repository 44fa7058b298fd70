"""What can be done about leaving: leave, report a death, approve or decline it, let late minutes follow."""

from timebank.leaving.actions.deaths import approve_death, decline_death, report_death
from timebank.leaving.actions.late import follow, left_overs
from timebank.leaving.actions.leave import leave

__all__ = ["approve_death", "decline_death", "follow", "leave", "left_overs", "report_death"]
