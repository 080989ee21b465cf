"""Tells the story on the terminal, and checks it while telling."""

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text


class StoryFailedError(Exception):
    """Something in the story was not as it should be."""

    def __init__(self, what: str, expected: object, came: object) -> None:
        """Carry the sentence that did not hold, what was expected and what came instead."""
        super().__init__(what)
        self.what = what
        self.expected = expected
        self.came = came


class Narrator:
    """Writes acts, calls, what held, and what a consumer saw: in colour on a terminal, plain elsewhere."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._acts = 0

    def title(self, text: str) -> None:
        self._line(text, "bold")

    def act(self, title: str) -> None:
        """Begin a new act."""
        self._acts += 1
        self._console.line()
        self._line(f"{self._acts}. {title}", "bold")

    def call(self, code: str) -> None:
        """Show what a user types."""
        self._line(f"   >>> {code}", "yellow")

    def note(self, text: str) -> None:
        self._line(f"   {text}", "dim")

    def document(self, document: Mapping[str, Any]) -> None:
        """Show a document, a line for each of its keys and for each entry of its lists."""
        for key, value in document.items():
            if isinstance(value, list) and value:
                self._line(f"       {key}:", "dim")
                for entry in value:
                    self._line(f"         - {_json(entry)}", "dim")
            else:
                self._line(f"       {key}: {_json(value)}", "dim")

    def seen(self, text: str) -> None:
        """Show what a consumer of the events topic reads."""
        self._line(f"   event | {text}", "cyan")

    def expect(self, what: str, expected: object, came: object) -> None:
        """Tell `what` as a fact. Raises StoryFailedError when what came is not what was expected."""
        if came != expected:
            raise StoryFailedError(what, expected, came)
        self._line(f"   ok    | {what}", "green")

    def failed(self, failure: StoryFailedError) -> None:
        """Tell what was expected and what came."""
        self._line(f"   WRONG | {failure.what}", "bold red")
        self._line(f"         | expected: {failure.expected}", "red")
        self._line(f"         | came:     {failure.came}", "red")

    def trouble(self, text: str) -> None:
        """Tell why the story cannot go on."""
        self._line(text, "bold red")

    def done(self, text: str) -> None:
        """Tell the end."""
        self._console.line()
        self._line(text, "bold green")

    def _line(self, text: str, style: str) -> None:
        self._console.print(Text(text, style), soft_wrap=True)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
