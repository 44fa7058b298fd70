"""What may be taken out of the bank as a file, and how much at once."""

from __future__ import annotations

MOST_EXPORTED = 50_000
"""Rows in one file: a spreadsheet of more is not read by anybody, and whoever wants all reads the API page by page."""

EXPORTED = {
    "aid_items": "康复辅具",
    "aid_loans": "辅具借用",
    "breaks": "往来差异",
    "canteens": "助餐点",
    "care_bookings": "上门照护",
    "claim_findings": "补贴结算疑点",
    "deaths": "身故上报",
    "diners": "用餐申请",
    "disputes": "往来异议",
    "follow_ups": "用餐回访",
    "guarantee_calls": "保障金垫付",
    "hardship": "困难帮扶",
    "imports": "已上传的工作簿",
    "limit_overrides": "限额放行",
    "losses": "断网用餐损失",
    "matrix": "双边往来",
    "meal_donations": "助餐捐款",
    "payments": "付款清单",
    "policy_changes": "办法变更",
    "positions": "各镇街头寸",
    "produce": "菜园食材",
    "punctuality": "送餐及时率",
    "ratings": "用餐评价",
    "reconciliations": "往来清单",
    "services": "服务",
    "shares": "五方分担",
    "subsidy_claims": "补贴结算",
    "trial_balance": "试算平衡",
    "windows": "清算周期",
}
"""The lists of the desk that a file is made of, by name."""
