"""What can be done about allotments: assess an elder, grant a month's minutes, grant seed hours."""

from timebank.allotments.actions.assess import NewAssessment, assess
from timebank.allotments.actions.grant import BATCH, MonthsBatch, allotments_due, grant_allotments
from timebank.allotments.actions.seed import grant_seed_hours, seeds_due

__all__ = [
    "BATCH",
    "MonthsBatch",
    "NewAssessment",
    "allotments_due",
    "assess",
    "grant_allotments",
    "grant_seed_hours",
    "seeds_due",
]
