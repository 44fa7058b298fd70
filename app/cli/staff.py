"""``timebank staff``: making and closing staff logins."""

from __future__ import annotations

import click
from sqlalchemy import select

from app.cli.bank import open_bank
from timebank.core import clock
from timebank.core.actors import STAFF_ROLE_NAMES, StaffRole
from timebank.people.actions import create_staff_login
from timebank.people.login_models import Login
from timebank.townships.models import Organisation
from timebank.townships.queries import township_names

_SHORTEST_PASSWORD = 10


@click.group("staff")
def staff() -> None:
    """工作人员登录身份 Staff logins."""


@staff.command("add")
@click.argument("username")
@click.option("--name", "display_name", required=True, help="姓名或岗位")
@click.option("--role", type=click.Choice([str(role) for role in StaffRole]), required=True)
@click.option("--township", "township_code", help="镇街代码")
@click.option("--canteen", help="助餐点名称")
@click.password_option("--password", help="不写则询问")
def add(
    username: str, display_name: str, role: str, township_code: str | None, canteen: str | None, password: str
) -> None:
    """新建登录身份。 Make a login."""
    if len(password) < _SHORTEST_PASSWORD:
        raise click.ClickException(f"密码至少{_SHORTEST_PASSWORD}个字符 the password needs at least that many")
    with open_bank() as database, database.unit_of_work() as session:
        if session.scalar(select(Login.id).where(Login.username == username)):
            raise click.ClickException(f"已有 {username} exists already")
        if township_code is not None and township_code not in township_names(session):
            raise click.ClickException(f"没有这个镇街 no such township: {township_code}")
        if (township_code is None) == (role in (StaffRole.TOWNSHIP_STEWARD, StaffRole.CANTEEN_CLERK)):
            raise click.ClickException("镇街管理员和助餐点工作人员须写 --township，其他不写")
        organisation = session.scalar(select(Organisation).where(Organisation.name == canteen)) if canteen else None
        if (organisation is None) == (role == StaffRole.CANTEEN_CLERK) or (
            organisation is not None and organisation.township_code != township_code
        ):
            raise click.ClickException("助餐点工作人员须写本镇街已有的 --canteen，其他不写")
        create_staff_login(
            session,
            username=username,
            password=password,
            display_name=display_name,
            role=StaffRole(role),
            township_code=township_code,
            organisation_id=organisation.id if organisation else None,
        )
    click.echo(f"已新建 {username}（{STAFF_ROLE_NAMES[StaffRole(role)]}）")


@staff.command("close")
@click.argument("username")
def close(username: str) -> None:
    """停用登录身份，立即生效。 Close a login at once."""
    with open_bank() as database, database.unit_of_work() as session:
        login = session.scalar(select(Login).where(Login.username == username))
        if login is None:
            raise click.ClickException(f"没有 {username} no such login")
        login.disabled_at = login.disabled_at or clock.now()
    click.echo(f"已停用 {username}")
