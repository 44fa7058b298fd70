"""The ``timebank`` command: its subcommands, each imported only when it is wanted."""

from __future__ import annotations

from importlib import import_module

import click

_COMMANDS = {
    "canteens": ("app.cli.canteens", "canteens", "助餐点：名单、详情 canteens and all about one"),
    "care": ("app.cli.care", "care", "居家养老：机构月度账单 monthly bills of home-care providers"),
    "clearing": ("app.cli.clearing", "clearing", "乡镇间清算：状态、关账、对账单 what townships owe one another"),
    "counter": ("clients.counter.counter", "counter", "助餐点柜台，断网也能核销 a canteen's counter"),
    "db": ("app.cli.db", "db", "数据库：升级、备份、恢复 upgrade, back up, restore"),
    "diners": ("app.cli.diners", "diners", "用餐对象：名单、导入 diners of the meal programme"),
    "guarantee": ("app.cli.guarantee", "guarantee", "保障金：断网核销的损失 what the guarantee fund pays"),
    "import": ("app.cli.import_command", "import_command", "导入登记表和服务记录 read an office's workbook"),
    "jobs": ("app.cli.serve", "jobs", "只运行定时任务 run the jobs alone"),
    "meals": ("app.cli.meals", "meals", "助餐：订餐清单、餐费余额 a day's orders, a purse"),
    "menus": ("app.cli.menus", "menus", "菜单：导入一周菜单 weekly menus from workbooks"),
    "kitchen": ("app.cli.kitchen", "kitchen", "后厨：生产计划、分送清单 what a kitchen cooks and what goes where"),
    "phone": ("clients.miniprogram.phone", "phone", "终端里的手机 the mini-program client in a terminal"),
    "policies": ("app.cli.policies", "policies", "办法：现行、比较、试算、提出 policies in force and ready-made sets"),
    "run-job": ("app.cli.run_job", "run_job_command", "立即运行一项定时任务 run one job now"),
    "serve": ("app.cli.serve", "serve", "运行时间银行 serve API, pages and jobs"),
    "staff": ("app.cli.staff", "staff", "工作人员登录身份 staff logins"),
    "subsidies": ("app.cli.subsidies", "subsidies", "助餐补贴：结算、查看、导出 monthly claims of subsidies for meals"),
    "verify": ("app.cli.verify", "verify_command", "核验全部账目 recompute every balance, book, hold and seal"),
    "vouchers": ("app.cli.vouchers", "vouchers", "用餐券：打印给没有手机的老人 vouchers on paper"),
}


class _Lazy(click.Group):
    """A group that imports a subcommand when it is called, so that ``phone`` needs no database code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """All names."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """One command, imported now."""
        if cmd_name not in _COMMANDS:
            return None
        module, name, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list in ``--help``, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, said) for name, (_, _, said) in sorted(_COMMANDS.items())])


@click.group(cls=_Lazy)
def main() -> None:
    """奉化时间银行 The time bank of Fenghua."""


if __name__ == "__main__":
    main(prog_name="timebank")
