"""``--help`` in Chinese: what a command does, how it is typed, and what may be written with it."""

from __future__ import annotations

from collections.abc import Iterator

import click

from clients.miniprogram.terminal.screen import Screen


def typed_path(parent: click.Context | None, name: str | None, program: str) -> str:
    """What a person types to reach a command of a ``program``: ``timebank phone care list``."""
    names = [str(name)]
    # The outermost of the program's commands is called as it is known, also where it is started in another way.
    while parent is not None and getattr(parent.command, "program", None) == program:
        names.insert(0, str(parent.info_name))
        parent = parent.parent
    return " ".join([program, *names[1:]])


def help_text(command: click.Command, ctx: click.Context, program: str) -> str:
    """The page that ``--help`` shows."""
    wanted = [param_name(param) for param in command.params if isinstance(param, click.Argument)]
    listed = list(_commands(command, ctx))
    usage = " ".join([typed_path(ctx.parent, ctx.info_name, program), *wanted, *(["要办的事"] if listed else [])])
    sections = [("要办的事", listed), ("可以加写", list(_options(command, ctx)))]
    said = (command.help or "").strip()
    return Screen().guide(said, f"这样写：{usage}", [(title, rows) for title, rows in sections if rows])


def param_name(param: click.Parameter) -> str:
    """What a person calls something typed: an option's own name, the Chinese word for an argument."""
    return param.opts[0] if isinstance(param, click.Option) else param.metavar or param.opts[0]


def _commands(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, str]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            if found is not None and not found.hidden:
                yield name, (found.help or "").strip().rstrip("。")


def _options(command: click.Command, ctx: click.Context) -> Iterator[tuple[str, str]]:
    for param in command.get_params(ctx):
        if not isinstance(param, click.Option):
            continue
        if "--help" in param.opts:
            yield "--help", "看这份说明"
            continue
        what = "" if param.is_flag or param.count else f" {_value(param)}"
        said = param.help or ""
        yield "、".join([*param.opts, *param.secondary_opts]) + what, f"{said}（必须写）" if param.required else said


def _value(param: click.Option) -> str:
    if param.metavar:
        return param.metavar
    return "数字" if isinstance(param.type, click.types.IntParamType) else "文字"
