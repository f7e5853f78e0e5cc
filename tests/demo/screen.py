"""What the demo prints: steps, progress, tables. Live on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.table import Table
from rich.text import Text

from tests.demo.scene import Held
from tests.demo.verdict import Result

_SAY_EVERY_S = 2.0


class Step:
    """A step that is under way: `say` tells how far it is, `end` what came of it."""

    def __init__(self, console: Console, status: Status | None) -> None:
        self._console = console
        self._status = status
        self._said_at = time.monotonic()
        self.words = ""

    def end(self, words: str) -> None:
        self.words = words

    def say(self, words: str) -> None:
        self.words = words
        if self._status is not None:
            self._status.update(escape(words))
        elif time.monotonic() - self._said_at > _SAY_EVERY_S:
            self._console.print(f"    {escape(words)}", highlight=False)
            self._said_at = time.monotonic()


class Screen:
    def __init__(self, console: Console) -> None:
        self._console = console

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Prints the title at the end of the step, with its last words and how long it took."""
        began = time.monotonic()
        if self._console.is_terminal:
            with self._console.status(escape(title)) as status:
                step = Step(self._console, status)
                yield step
        else:
            step = Step(self._console, None)
            yield step
        tail = f": {step.words}" if step.words else ""
        self._console.print(
            f"[green]*[/] {escape(title)}{escape(tail)} [dim]({time.monotonic() - began:.1f} s)[/]",
            highlight=False,
            soft_wrap=True,
        )

    def text(self, title: str, text: str) -> None:
        """What a command printed, as it is."""
        self._console.print(f"\n[bold]{escape(title)}[/]", highlight=False)
        self._console.print(text.rstrip(), markup=False, highlight=False, soft_wrap=True)

    def targets(self, result: Result) -> None:
        table = _table("The targets, as they answer")
        for name in ("target", "connector"):
            table.add_column(name, no_wrap=True)
        for name in ("accounts", "patches", "coalesced", "held"):
            table.add_column(name, justify="right")
        table.add_column("converged")
        for name, row in result.targets.items():
            numbers = (row.accounts, row.patches, row.coalesced, row.held)
            verdict = "[green]yes[/]" if row.converged else "[red]no[/]"
            table.add_row(name, row.connector, *(str(number) for number in numbers), verdict)
        self._console.print("", table)

    def held(self, held: Sequence[Held]) -> None:
        table = _table("Held fields, and why")
        for name in ("target", "person", "field", "why"):
            table.add_column(name, no_wrap=name != "why")
        for item in held:
            table.add_row(item.target, item.subject, item.field, Text(item.words, overflow="fold"))
        self._console.print("", table)

    def verdict(self, result: Result, seconds: float) -> None:
        for problem in result.problems:
            self._console.print(f"[red]wrong:[/] {escape(problem)}", highlight=False, soft_wrap=True)
        words = "[bold green]all is as it should be[/]" if result.ok else "[bold red]not as it should be[/]"
        self._console.print(f"\n{words} [dim]({seconds:.0f} s)[/]", highlight=False)

    def trouble(self, message: str) -> None:
        self._console.print(f"[red]demo:[/] {escape(message)}", highlight=False, soft_wrap=True)


def _table(title: str) -> Table:
    """Plain enough for a log, narrow enough for 80 columns."""
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
