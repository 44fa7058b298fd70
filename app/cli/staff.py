"""``timebank staff``: making and closing staff logins."""

from __future__ import annotations

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.cli.bank import open_bank
from timebank.canteens.network.actions import enter
from timebank.core import clock
from timebank.core.actors import STAFF_ROLE_NAMES, StaffRole
from timebank.core.errors import Conflict
from timebank.people.actions import create_staff_login
from timebank.people.login_models import Login
from timebank.townships.models import Organisation
from timebank.townships.queries import township_names

_SHORTEST_PASSWORD = 10
_OF_A_TOWNSHIP = (StaffRole.TOWNSHIP_STEWARD, StaffRole.CANTEEN_CLERK, StaffRole.CARE_PROVIDER)
_ROLES = "，".join(f"{role} {name}" for role, name in STAFF_ROLE_NAMES.items())


@click.group("staff")
def staff() -> None:
    """工作人员登录身份 Staff logins."""


@staff.command("add", short_help="新建登录身份")
@click.argument("username")
@click.option("--name", "display_name", required=True, help="姓名或岗位")
@click.option("--role", type=click.Choice([str(role) for role in StaffRole]), required=True, help=_ROLES)
@click.option("--township", "township_code", metavar="CODE", help="镇街代码，区级管理员和审计之外须写")
@click.option("--canteen", metavar="NAME", help="助餐点名称，助餐点工作人员须写")
@click.option("--new-canteen", is_flag=True, help="助餐点还没有登记，一并登记为已申请，验收开业后才供餐、收券")
@click.option("--provider", metavar="NAME", help="已登记的居家养老服务机构名称，机构工作人员须写")
@click.password_option("--password", help="不写则询问")
def add(
    username: str,
    display_name: str,
    role: str,
    township_code: str | None,
    canteen: str | None,
    new_canteen: bool,
    provider: str | None,
    password: str,
) -> None:
    """新建登录身份。 Make a login."""
    if len(password) < _SHORTEST_PASSWORD:
        raise click.ClickException(f"密码至少{_SHORTEST_PASSWORD}个字符 the password needs at least that many")
    if (township_code is None) == (role in _OF_A_TOWNSHIP):
        raise click.ClickException("镇街管理员、助餐点和居家养老服务机构工作人员须写 --township，其他不写")
    if (canteen is None) == (role == StaffRole.CANTEEN_CLERK) or (new_canteen and canteen is None):
        raise click.ClickException("助餐点工作人员须写 --canteen，其他不写")
    if (provider is None) == (role == StaffRole.CARE_PROVIDER):
        raise click.ClickException("居家养老服务机构工作人员须写 --provider，其他不写")
    with open_bank() as database, database.unit_of_work() as session:
        if session.scalar(select(Login.id).where(Login.username == username)):
            raise click.ClickException(f"已有 {username} exists already")
        if township_code is not None and township_code not in township_names(session):
            raise click.ClickException(f"没有这个镇街 no such township: {township_code}")
        organisation_id = None
        if canteen is not None and township_code is not None:
            organisation_id = _canteen(session, canteen, township_code, new=new_canteen).id
        if provider is not None and township_code is not None:
            organisation_id = _provider(session, provider, township_code).id
        create_staff_login(
            session,
            username=username,
            password=password,
            display_name=display_name,
            role=StaffRole(role),
            township_code=township_code,
            organisation_id=organisation_id,
        )
    click.echo(f"已新建 {username}（{STAFF_ROLE_NAMES[StaffRole(role)]}）")


def _canteen(session: Session, name: str, township_code: str, *, new: bool) -> Organisation:
    here = Organisation.kind == "canteen", Organisation.township_code == township_code, Organisation.name == name
    found = session.scalar(select(Organisation).where(*here))
    if new and found is None:
        try:
            found = session.get_one(Organisation, enter(session, name=name, township_code=township_code).id)
        except Conflict as refusal:
            raise click.ClickException(refusal.title) from None
    elif new or found is None:
        reason = "已经登记，不用 --new-canteen" if new else "还没有登记，请加 --new-canteen"
        raise click.ClickException(f"这个镇街的助餐点“{name}”{reason}（--canteen）")
    return found


def _provider(session: Session, name: str, township_code: str) -> Organisation:
    here = Organisation.kind == "provider", Organisation.township_code == township_code, Organisation.name == name
    found = session.scalar(select(Organisation).where(*here))
    if found is None:
        raise click.ClickException(f"这个镇街没有登记过居家养老服务机构“{name}”（--provider）")
    return found


@staff.command("close", short_help="停用登录身份，立即生效")
@click.argument("username")
def close(username: str) -> None:
    """停用登录身份，立即生效。 Close a login at once."""
    with open_bank() as database, database.unit_of_work() as session:
        login = session.scalar(select(Login).where(Login.username == username))
        if login is None:
            raise click.ClickException(f"没有 {username} no such login")
        login.disabled_at = login.disabled_at or clock.now()
    click.echo(f"已停用 {username}")
