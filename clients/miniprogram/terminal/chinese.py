"""Commands that explain themselves in Chinese, and answer what was mistyped in Chinese too."""

from __future__ import annotations

from typing import Any

import click

from clients.miniprogram.terminal.help import help_text, param_name, typed_path
from clients.miniprogram.terminal.screen import Screen


class ChineseCommand(click.Command):
    """Explains itself in Chinese, and answers mistakes in the words of a command so, with exit status 1."""

    program = "timebank"
    """What a person types to reach the outermost of these commands."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """What was typed, taken apart; a mistake in it is shown here, and so is the page for a bare group."""
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.exceptions.NoArgsIsHelpError as bare:
            click.echo(bare.ctx.get_help() if bare.ctx else "")
            raise click.exceptions.Exit(0) from None
        except click.UsageError as mistake:
            help_next = f"下一步：{typed_path(parent, info_name, self.program)} --help"
            Screen().sorry("没有看懂这条命令", [_mistake_text(mistake), help_next])
            raise click.exceptions.Exit(1) from None

    def get_help(self, ctx: click.Context) -> str:
        """The page that ``--help`` shows."""
        return help_text(self, ctx, self.program)


class ChineseGroup(ChineseCommand, click.Group):
    """Such commands about one thing; a group within it is asked for in the same way."""

    said_of_unknown = "没有「{}」这一项"

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """The commands in the order in which a person meets them."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """The command that was typed; where only options were, the page that explains."""
        try:
            return super().invoke(ctx)
        except click.UsageError as mistake:
            if mistake.ctx is not ctx:
                raise
            click.echo(self.get_help(ctx))
            return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that was typed; one that does not exist is answered in Chinese."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            path = typed_path(ctx.parent, ctx.info_name, self.program)
            Screen().sorry(self.said_of_unknown.format(args[0]), [f"下一步：{path} --help"])
            raise click.exceptions.Exit(1) from None


def _mistake_text(mistake: click.UsageError) -> str:
    if isinstance(mistake, click.MissingParameter):
        return f"还缺少：{param_name(mistake.param) if mistake.param else ''}"
    if isinstance(mistake, click.NoSuchOption):
        return f"没有这个选项：{mistake.option_name}"
    if isinstance(mistake, click.BadParameter) and mistake.param is not None:
        return f"这一项填得不对：{param_name(mistake.param)}"
    if isinstance(mistake, click.BadOptionUsage):
        return f"这个选项后面还缺少内容：{mistake.option_name}"
    return "多写或少写了内容。"
