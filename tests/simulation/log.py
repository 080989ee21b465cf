"""One partition as a broker keeps it: offsets, the high watermark, transactions with their markers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["data", "commit", "abort"]
Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Payload:
    """What a producer gives. `is_unreadable` stands for a header whose name the client cannot decode."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int = 0
    is_unreadable: bool = False


@dataclass(slots=True)
class Entry:
    """What stands at an offset: a record, or the marker that ends a producer's transaction."""

    offset: int
    kind: Kind
    producer: int | None
    payload: Payload | None
    is_aborted: bool = False


@dataclass(slots=True)
class PartitionLog:
    """Entries at their offsets; readers see what is below the high watermark and the first open transaction."""

    entries: list[Entry] = field(default_factory=list)
    high_watermark: int = 0
    watchers: list[Callable[[], None]] = field(default_factory=list)
    _open: dict[int, int] = field(default_factory=dict)

    @property
    def end(self) -> int:
        return len(self.entries)

    @property
    def last_stable(self) -> int:
        """The end for those who read committed."""
        return min(self.high_watermark, *self._open.values()) if self._open else self.high_watermark

    def append(self, payload: Payload, producer: int | None = None) -> int:
        """Append a record; one of a `producer` belongs to the transaction that it has open."""
        offset = self.end
        self.entries.append(Entry(offset, "data", producer, payload))
        if producer is not None:
            self._open.setdefault(producer, offset)
        return offset

    def finish(self, producer: int, kind: Literal["commit", "abort"]) -> None:
        """Append the marker that ends a producer's transaction."""
        first = self._open.pop(producer)
        if kind == "abort":
            for entry in self.entries[first:]:
                if entry.producer == producer:
                    entry.is_aborted = True
        self.entries.append(Entry(self.end, kind, producer, None))

    def replicated(self, offset: int) -> None:
        """Let readers see what is below `offset`, as far as no transaction is open."""
        if offset > self.high_watermark:
            self.high_watermark = offset
            for tell in self.watchers:
                tell()

    def read(self, position: int, limit: int) -> tuple[list[Entry], int]:
        """Return up to `limit` committed records from `position`, and where to go on."""
        found: list[Entry] = []
        stable = self.last_stable
        while position < stable and len(found) < limit:
            entry = self.entries[position]
            position += 1
            if entry.kind == "data" and not entry.is_aborted:
                found.append(entry)
        return found, position

    def committed(self) -> list[Entry]:
        """Return every record that readers of committed ones see."""
        return self.read(0, self.end)[0]
