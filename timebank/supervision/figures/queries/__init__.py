"""Seeing figures: a dashboard, the monthly bulletin, who is within reach of a canteen."""

from timebank.supervision.figures.queries.bulletins import Bulletin, BulletinLine, BulletinMonth, bulletin, bulletins
from timebank.supervision.figures.queries.dashboards import Dashboard, Limit, Month, dashboard
from timebank.supervision.figures.queries.reach import AreaReach, CanteenReach, Reach, reach
from timebank.supervision.figures.queries.waiting import Waiting
from timebank.supervision.figures.queries.whose import whose_figures

__all__ = [
    "AreaReach",
    "Bulletin",
    "BulletinLine",
    "BulletinMonth",
    "CanteenReach",
    "Dashboard",
    "Limit",
    "Month",
    "Reach",
    "Waiting",
    "bulletin",
    "bulletins",
    "dashboard",
    "reach",
    "whose_figures",
]
