"""Reads Server-Sent Events (source: the HTML standard, 9.2.6), as Pipeloom sends them: lines end with a line feed."""

from collections.abc import Iterator
from typing import NamedTuple


class Message(NamedTuple):
    """One event of a stream: its name, and what it tells."""

    name: str
    data: str


class Parser:
    """Takes a stream as it comes, in pieces of any size, and remembers the last id and the pause it asks for."""

    def __init__(self, last_id: str = "", retry_s: float = 1.0) -> None:
        self.last_id = last_id
        self.retry_s = retry_s
        self._line: list[bytes] = []
        self._id = last_id
        self._name, self._data = "", list[str]()

    def restart(self) -> None:
        """Forget what a broken stream left half said."""
        self._line.clear()
        self._id, self._name, self._data = self.last_id, "", []

    def feed(self, chunk: bytes) -> Iterator[Message]:
        """Yield the messages that are complete with `chunk`."""
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line = b"".join([*self._line, end]).removesuffix(b"\r")
            self._line.clear()
            if line:
                self._take(line.decode(errors="replace"))
            elif message := self._dispatch():
                yield message
        self._line.append(rest)

    def _take(self, line: str) -> None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                self._name = value
            case "data":
                self._data.append(value)
            case "id" if "\0" not in value:
                self._id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_s = int(value) / 1000

    def _dispatch(self) -> Message | None:
        """End a block; an id counts also without data, which is how a stream tells how far it has come."""
        self.last_id = self._id
        message = Message(self._name or "message", "\n".join(self._data)) if self._data else None
        self._name, self._data = "", []
        return message
