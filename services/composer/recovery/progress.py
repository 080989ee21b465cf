"""How verify and rebuild tell how far they are: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

SAY_EVERY_S = 10.0


class Progress:
    """Tells of one long piece of work after the other on stderr."""

    def __init__(self) -> None:
        """Tell on a terminal with a bar."""
        console = Console(stderr=True)
        self._is_seen = console.is_terminal
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("events"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not self._is_seen,
        )
        self._task = self._bar.add_task("", total=None)
        self._what, self._done, self._total = "", 0, 0
        self._said_at = time.monotonic()

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bar.stop()

    def begin(self, what: str, total: int, done: int = 0) -> None:
        """Begin with something of `total` events, of which `done` were done before."""
        self._what, self._done, self._total = what, done, total
        self._bar.update(self._task, description=what, total=total, completed=done)

    def advance(self, events: int) -> None:
        """Take note that `events` more are done."""
        self._done += events
        self._total = max(self._total, self._done)
        self._bar.update(self._task, completed=self._done, total=self._total)
        if not self._is_seen and time.monotonic() - self._said_at >= SAY_EVERY_S:
            self.say(f"{self._what}: {self._done} of {self._total} events")

    def say(self, sentence: str) -> None:
        """Write a line."""
        self._said_at = time.monotonic()
        if self._is_seen:
            self._bar.console.print(sentence, highlight=False)
        else:
            print(sentence, file=sys.stderr, flush=True)
