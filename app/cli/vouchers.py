"""``timebank vouchers``: coupons for people without phones, as a page to print."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from app.cli.bank import staff_actor, telling_refusals
from app.web.coupon_page import PAPERS, coupon_page
from timebank.redemption.actions import print_sheet


@click.group("vouchers")
def vouchers() -> None:
    """用餐券：打印给没有手机的老人。 Meal vouchers on paper."""


@vouchers.command("sheet")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--by", "username", metavar="USERNAME", required=True, help="由哪位管理员办理（登录名）")
@click.option("--person", "person_id", type=click.UUID, help="打印这个人全部未用的券 all that a person has unused")
@click.option("--voucher", "voucher_ids", type=click.UUID, multiple=True, help="打印这些券，可写多次 these vouchers")
@click.option("--paper", type=click.Choice(list(PAPERS)), default="a4", show_default=True, help="纸张")
def sheet(file: Path, username: str, person_id: UUID | None, voucher_ids: tuple[UUID, ...], paper: str) -> None:
    """打印用餐券：写出一个网页文件，用浏览器打印。 Write a page of coupons to FILE."""
    with telling_refusals() as database, database.unit_of_work() as session:
        made = print_sheet(
            session,
            actor=staff_actor(session, username),
            voucher_ids=list(voucher_ids) or None,
            for_person_id=person_id,
        )
        page = coupon_page(made, paper)
        try:
            file.write_text(page, encoding="utf-8")
        except OSError as problem:
            raise click.ClickException(f"写不了文件 {file}：{problem.strerror}") from None
    click.echo(f"{len(made.coupons)} 张用餐券已写入 {file}，请用浏览器打开并打印。")
