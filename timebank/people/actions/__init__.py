"""What can be done about people: enrol, register, bind, sign in; family, proxies and what waits for consent."""

from timebank.people.actions.consent import Asked, decline_proposal, withdraw_proposal
from timebank.people.actions.enrol import Enrolment, enrol, register
from timebank.people.actions.family import (
    Registered,
    accept_relation,
    end_relation,
    name_heir,
    propose_relation,
    register_relation,
)
from timebank.people.actions.index_people import index_person, unindexed_people
from timebank.people.actions.proxies import accept_proxy, end_proxy, propose_proxy, register_proxy
from timebank.people.actions.sign_in import create_staff_login, forget_old_attempts, try_password, wechat_login
from timebank.people.actions.web_sessions import (
    end_all_web_sessions,
    end_web_session,
    forget_old_web_sessions,
    open_web_session,
)
from timebank.people.actions.web_tickets import forget_old_web_tickets, issue_web_ticket, spend_web_ticket

__all__ = [
    "Asked",
    "Enrolment",
    "Registered",
    "accept_proxy",
    "accept_relation",
    "create_staff_login",
    "decline_proposal",
    "end_all_web_sessions",
    "end_proxy",
    "end_relation",
    "end_web_session",
    "enrol",
    "forget_old_attempts",
    "forget_old_web_sessions",
    "forget_old_web_tickets",
    "index_person",
    "issue_web_ticket",
    "name_heir",
    "open_web_session",
    "propose_proxy",
    "propose_relation",
    "register",
    "register_proxy",
    "register_relation",
    "spend_web_ticket",
    "try_password",
    "unindexed_people",
    "wechat_login",
    "withdraw_proposal",
]
