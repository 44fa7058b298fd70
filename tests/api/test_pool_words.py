"""What the statement of a pool calls each line, seen from the pool that pays and from the pool that gets it."""

from __future__ import annotations

from tests.doors import SignIn
from tests.factories.minutes import fill_pool
from tests.factories.people import SHANGTIAN, XIWU
from timebank.core import clock
from timebank.core.db import Database
from timebank.core.ids import new_id
from timebank.ledger.actions import township_accounts
from timebank.ledger.actions.post import post_one
from timebank.ledger.rules import AccountKind, Movement


def test_a_pool_that_pays_a_volunteers_surplus_does_not_say_that_it_got_one(sign_in: SignIn, bank: Database) -> None:
    with bank.unit_of_work() as session:
        paying = fill_pool(session, XIWU, 500)
        getting = township_accounts(session, [SHANGTIAN], AccountKind.POOL)[SHANGTIAN]
        post_one(session, (Movement(new_id(), paying, getting, 480, "surplus", clock.now()),))
    auditor, said = sign_in("auditor"), []
    for code in (XIWU, SHANGTIAN):
        [line] = auditor.ok("pool.statement", query={"township_code": code, "limit": 1})["items"]
        said.append((line["minutes"], line["kind_name"]))
    assert said == [(-480, "支付服务（志愿者超出上限部分）"), (480, "超出上限转入公益时间池")]
