"""What the phone shows: bordered panels, wide spacing, one thing a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import segno
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from clients.miniprogram.api import OutcomeUnknown
from clients.miniprogram.problem import Problem
from clients.miniprogram.terminal import words
from clients.miniprogram.terminal.lines import folded

_WIDEST = 100
_BORDERS = 6
_COMMAND = "timebank "
_QR_MARGIN = 4
_HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


class _Cell:
    """A table's cell, broken into lines as a reader expects it at whatever width the column gets."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement.get(console, options, Text(self._text))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        yield Text(folded(self._text, options.max_width), overflow="fold")


class Screen:
    """Prints to standard output, as wide as the terminal but never beyond reading width."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, emoji=False, markup=False)
        self._console.width = min(self._console.width, _WIDEST)

    def good(self, title: str, lines: Iterable[str] = (), *, small: str | None = None) -> None:
        """Something went as wished."""
        self._panel(f"✔ {title}", list(lines), "green", small)

    def show(self, title: str, lines: Iterable[str], *, small: str | None = None) -> None:
        """Something to read."""
        self._panel(title, list(lines), "blue", small)

    def sorry(self, title: str, lines: Iterable[str] = (), *, small: str | None = None) -> None:
        """Something did not go; the colour is never the only sign."""
        self._panel(f"✘ {title}", list(lines), "red", small)

    def refusal(self, problem: Problem) -> None:
        """The bank said no: the reason, what to do next, and the code in small print."""
        first, *more = words.refusal_sentences(problem)
        small = f"代码 {problem.code}"
        if problem.request_id and not words.is_known(problem):
            small += f"\n编号 {problem.request_id}"
        self.sorry(first, [*more, f"下一步：{words.next_step(problem)}"], small=small)

    def unknown(self, unknown: OutcomeUnknown) -> None:
        """A write is on its way and nobody knows whether it arrived."""
        lines = ["结果未知，联网后会自动核对。", "下一步：连上网后再打开一次，不会重复办理。"]
        cause = unknown.cause
        small = f"代码 {cause.code}" if isinstance(cause, Problem) else None
        if isinstance(cause, Problem) and cause.request_id:
            small = f"{small}\n编号 {cause.request_id}"
        self._panel(f"？ {unknown.write.title}", lines, "yellow", small)

    def table(self, title: str, columns: Sequence[tuple[str, bool]], rows: Iterable[Sequence[str]]) -> None:
        """A table; a column is its heading and whether it stands to the right."""
        headed = any(heading for heading, _ in columns)
        table = Table(
            title=title, title_style="bold", box=box.HEAVY_EDGE, show_lines=True, expand=True, show_header=headed
        )
        for heading, to_the_right in columns:
            table.add_column(heading, justify="right" if to_the_right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_Cell(text) for text in row))
        self._console.print(table)

    def hint(self, sentence: str) -> None:
        """A line below what was shown: what can be done next."""
        self._console.print(self._text(sentence, "dim"))

    def guide(self, title: str, usage: str, sections: Sequence[tuple[str, Sequence[tuple[str, str]]]]) -> str:
        """A page that explains, as text: what something does, how it is typed, and names with their meaning."""
        parts: list[RenderableType] = [
            Text(title, style="bold blue"),
            Text(),
            Text(usage, style="bold", overflow="fold"),
        ]
        for heading, rows in sections:
            listed = Table.grid(padding=(0, 3))
            listed.add_column(overflow="fold", max_width=self._console.width // 2)
            listed.add_column(overflow="fold")
            for name, meaning in rows:
                listed.add_row(name, meaning)
            parts += [Text(), Text(heading, style="bold"), listed]
        with self._console.capture() as shown:
            self._console.print(Panel(Group(*parts), box=box.HEAVY, border_style="blue", padding=(1, 2), expand=True))
        return shown.get().rstrip("\n")

    def qr(self, content: str) -> None:
        """A QR code, dark on light on any terminal with colours."""
        code = segno.make_qr(content, error="m")
        matrix = [[bool(cell) for cell in row] for row in code.matrix_iter(border=_QR_MARGIN)]
        if len(matrix) % 2:
            matrix.append([False] * len(matrix[0]))
        lines = [
            "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
            for upper, lower in zip(matrix[::2], matrix[1::2], strict=True)
        ]
        for line in lines:
            self._console.print(Padding(Text(line, style="black on bright_white"), (0, 0, 0, 2), expand=False))

    @property
    def is_narrow(self) -> bool:
        """Whether tables must put two things under each other."""
        return self._console.width < 80

    def _text(self, line: str, style: str) -> Text:
        """A sentence in lines; a command at its end begins a line of its own where both do not fit on one."""
        width = self._console.width - _BORDERS
        said, colon, command = line.partition(f"：{_COMMAND}")
        if colon and cell_len(line) > width:
            line = f"{said}：\n{_COMMAND}{command}"
        return Text(folded(line, width), style=style, overflow="fold")

    def _panel(self, title: str, lines: list[str], colour: str, small: str | None) -> None:
        parts = [self._text(title, f"bold {colour}"), *(self._text(line, "bold") for line in lines)]
        if small:
            parts.append(self._text(small, "dim"))
        spaced = [Padding(part, (0, 0, 1 if part is not parts[-1] else 0, 0)) for part in parts]
        self._console.print(Panel(Group(*spaced), box=box.HEAVY, border_style=colour, padding=(1, 2), expand=True))
