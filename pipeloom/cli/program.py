"""What holds for every command: its arguments are text, and output that is lost does not end in a traceback."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, TextIO, cast

from typer.core import TyperGroup

from pipeloom.cli.exits import ExitCode, say, silence


class Program(TyperGroup):
    """The root command."""

    def main(self, args: Sequence[str] | None = None, *others: Any, **options: Any) -> Any:
        """Run a command line to its end: a SystemExit, as from any typer command."""
        words = list(sys.argv[1:] if args is None else args)
        _demand_text(words)
        with _watched_stdout() as out:
            try:
                return super().main(words, *others, **options)
            except OSError as error:
                if error is not out.trouble:
                    raise


class _Out(io.BufferedIOBase):
    """Passes bytes on and remembers that they could not be written, whoever swallows the error on its way up."""

    def __init__(self, below: BinaryIO) -> None:
        super().__init__()
        self._below = below
        self.trouble: OSError | None = None

    def write(self, data: Any) -> int:
        try:
            return self._below.write(data)
        except OSError as error:
            self.trouble = error
            raise

    def flush(self) -> None:
        try:
            self._below.flush()
        except OSError as error:
            self.trouble = error
            raise

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return self._below.isatty()

    def fileno(self) -> int:
        return self._below.fileno()


@contextlib.contextmanager
def _watched_stdout() -> Iterator[_Out]:
    """Let the block write any character to stdout; end with a sentence when what it wrote was lost."""
    real = _stdout()
    out = _Out(real.buffer)
    watched = io.TextIOWrapper(
        cast("BinaryIO", out),
        real.encoding,
        "backslashreplace",
        line_buffering=bool(real.line_buffering),
        write_through=True,
    )
    sys.stdout = watched
    try:
        yield out
    finally:
        with contextlib.suppress(OSError):
            watched.flush()
        sys.stdout = real
        if out.trouble:
            silence(real)
            say(f"pipeloom: the output could not be written: {out.trouble.strerror}.")
            sys.exit(ExitCode.OUTPUT_LOST)


def _stdout() -> TextIO:
    """Return stdout, or nowhere when it is closed: whoever closed it wants no output."""
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - a device, open to the end
    return sys.stdout


def _demand_text(words: Sequence[str]) -> None:
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            shown = os.fsencode(word).decode(errors="backslashreplace")
            say(f"pipeloom: the argument '{shown}' is not UTF-8 text. Write it in UTF-8.")
            sys.exit(ExitCode.USAGE)
