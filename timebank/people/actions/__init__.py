"""What can be done about people: enrol, register, bind, sign in."""

from timebank.people.actions.enrol import Enrolment, enrol, register
from timebank.people.actions.proxies import end_proxy, register_proxy
from timebank.people.actions.sign_in import create_staff_login, forget_old_attempts, try_password, wechat_login

__all__ = [
    "Enrolment",
    "create_staff_login",
    "end_proxy",
    "enrol",
    "forget_old_attempts",
    "register",
    "register_proxy",
    "try_password",
    "wechat_login",
]
