"""The whole ledger at a glance: both sides of the trial balance are equal."""

from __future__ import annotations

from flask import Blueprint, Response

from app.web.asking import Asker
from app.web.desk.tables import Column, Filter, Table, list_page, said, table_page
from app.web.lists import asked, township_names
from timebank.importing.list_workbook import Kind

doors = Blueprint("desk_ledger", __name__)


@list_page(doors, "/desk/ledger")
def trial_balance(ask: Asker) -> Response:
    trial, townships = ask.read("ledger.trial_balance", asked("unit")), township_names(ask)
    amount: Kind = "yuan" if trial["unit"] == "fen" else "hours"
    table = Table(
        name="trial_balance",
        asks="ledger.trial_balance",
        columns=(
            Column("账簿", lambda one: townships.get(one["book"], "区清算中心"), sort="book"),
            Column("账户", said("account_name"), sort="account"),
            Column("借方", said("debit"), amount, "debit"),
            Column("贷方", said("credit"), amount, "credit"),
        ),
        filters=(Filter("unit", "单位", [("fen", "钱"), ("minute", "时长")], kind="kept"),),
        whole=lambda _asked: trial["items"],
        empty=("还没有记账。", "/desk/", "回今天"),
    )
    return table_page(ask, table, "desk/ledger.html", trial=trial)
