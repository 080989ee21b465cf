"""Shows the stages of a start on a terminal, or as plain lines where there is none."""

import contextlib

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn

_WIDTH = 10


class PlainConsole:
    """One line for each stage, for logs and pipes."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def say(self, part: str, message: str) -> None:
        """Print the stage."""
        with contextlib.suppress(OSError):  # a terminal that has been closed must not end the stack
            print(f"{part:<{_WIDTH}} {message}", file=self._console.file, flush=True)

    def advance(self, part: str, done: int, total: int) -> None:
        """Print the end of a count only."""
        if done == total:
            self.say(part, f"{done} of {total}")

    def settle(self) -> None:
        """Nothing moves here."""


class LiveConsole(PlainConsole):
    """A line for each part that changes in place until all are ready."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        texts = (f"{{task.fields[part]:<{_WIDTH}}}", "{task.description}", "{task.fields[count]}")
        columns = [TextColumn(text, markup=False) for text in texts]
        self._progress = Progress(SpinnerColumn(), *columns, console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}
        self._live = True
        self._progress.start()

    def say(self, part: str, message: str) -> None:
        """Change the line of the part, or print the news once all lines are settled."""
        if not self._live:
            super().say(part, message)
        else:
            self._progress.update(self._task(part), description=message, count="")

    def advance(self, part: str, done: int, total: int) -> None:
        """Change the count of the part."""
        self._progress.update(self._task(part), count=f"{done} of {total}")

    def settle(self) -> None:
        """Take the moving lines away."""
        self._progress.stop()
        self._live = False

    def _task(self, part: str) -> TaskID:
        if part not in self._tasks:
            self._tasks[part] = self._progress.add_task("", total=None, part=part, count="")
        return self._tasks[part]


def progress_on(console: Console) -> PlainConsole:
    """Return the console that suits the terminal."""
    return LiveConsole(console) if console.is_terminal else PlainConsole(console)
