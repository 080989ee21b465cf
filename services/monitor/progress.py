"""Up to which moment everything that was published is in the numbers; only then can anything be called overdue."""

from collections.abc import Mapping
from typing import NamedTuple

IDLE_MS = 1_000


class Source(NamedTuple):
    """A partition of one of the two topics."""

    topic: str
    partition: int


class Measured(NamedTuple):
    """What was seen at one moment: where the sources end, up to where they were fetched, and what was folded."""

    at_ms: int
    ends: Mapping[Source, int]
    fetched: Mapping[Source, int]
    folded: Mapping[Source, int]


class Progress:
    """Compares what was seen at one moment with what was folded by the next.

    A topic's last offsets may be markers of transactions, which are no records. So a source counts as read when its
    end was folded, or when its end was fetched IDLE_MS ago and nothing of it was folded since: what was fetched may
    wait for a moment.
    """

    def __init__(self) -> None:
        self.folded: dict[Source, int] = {}
        self.complete_until: dict[int, int] = {}
        self._last: Measured | None = None
        self._idle_since: dict[Source, tuple[int, int]] = {}
        self._idle: set[Source] = set()

    def note(self, source: Source, offset: int) -> None:
        """Note a record that was folded."""
        self.folded[source] = max(offset + 1, self.folded.get(source, 0))

    def forget(self) -> None:
        """Know nothing: the partitions are somebody else's now."""
        self.folded.clear()
        self.complete_until.clear()
        self._last = None
        self._idle_since.clear()
        self._idle.clear()

    def measure(self, at_ms: int, ends: Mapping[Source, int], fetched: Mapping[Source, int]) -> None:
        """Take in what is seen now, and say until when what was seen before is complete."""
        last = self._last
        if last is not None:
            self._see_idle(at_ms, last)
            for partition in {source.partition for source in fetched}:
                both = [source for source in last.ends if source.partition == partition]
                if both and all(self._is_read(source, last) for source in both):
                    self.complete_until[partition] = last.at_ms
        self._last = Measured(at_ms, dict(ends), dict(fetched), dict(self.folded))

    @property
    def partitions(self) -> set[int]:
        """The partitions that this process held when it looked last."""
        return {source.partition for source in self._last.fetched} if self._last else set()

    def behind(self, source: Source) -> int:
        """Return how many offsets of a source were not read when it was measured last."""
        if self._last is None or source not in self._last.ends or source in self._idle:
            return 0
        return max(0, self._last.ends[source] - self.folded.get(source, self._last.fetched.get(source, 0)))

    def _is_read(self, source: Source, last: Measured) -> bool:
        return self.folded.get(source, 0) >= last.ends[source] or source in self._idle

    def _see_idle(self, at_ms: int, last: Measured) -> None:
        """Find the sources of which all was fetched, to the same end, and nothing was folded for IDLE_MS."""
        since: dict[Source, tuple[int, int]] = {}
        for source, end in last.ends.items():
            if last.fetched.get(source, -1) >= end and self.folded.get(source) == last.folded.get(source):
                known = self._idle_since.get(source)
                since[source] = known if known is not None and known[0] == end else (end, last.at_ms)
        self._idle_since = since
        self._idle = {source for source, (_, begun_ms) in since.items() if at_ms - begun_ms >= IDLE_MS}
