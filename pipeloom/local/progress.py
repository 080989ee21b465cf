"""How a start says what it is doing."""

from typing import Protocol


class Progress(Protocol):
    """Hears of the stages of a start; only ever called from the event loop's thread."""

    def say(self, part: str, message: str) -> None:
        """Take note that `part` entered a new stage."""

    def advance(self, part: str, done: int, total: int) -> None:
        """Take note that `done` of `total` pieces of the present stage are there."""


class Silent:
    """Tells nobody."""

    def say(self, part: str, message: str) -> None:
        """Drop the message."""

    def advance(self, part: str, done: int, total: int) -> None:
        """Drop the count."""


SILENT = Silent()
