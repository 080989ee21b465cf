"""Which offsets may be committed: everything before the first record whose report is not acknowledged yet."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from aiokafka import TopicPartition


class Offsets:
    """Builds end in any order; this keeps what is open in each partition.

    After a partition was away and came back it may name an offset again that is already behind: records then come
    twice, which reports of one step bear.
    """

    def __init__(self) -> None:
        self._next: dict[TopicPartition, int] = {}
        self._open: defaultdict[TopicPartition, set[int]] = defaultdict(set)
        self._committed: dict[TopicPartition, int] = {}

    def skipped(self, partition: TopicPartition, offset: int) -> None:
        """Note a record that needs nothing."""
        self._next[partition] = offset + 1

    def opened(self, partition: TopicPartition, offset: int) -> None:
        """Note a record whose build begins."""
        self._next[partition] = offset + 1
        self._open[partition].add(offset)

    def closed(self, partition: TopicPartition, offset: int) -> None:
        """Note that a record's report was acknowledged."""
        self._open[partition].discard(offset)

    def done(self, partition: TopicPartition, position: int) -> int:
        """Return up to where all is done with, of what was read up to `position`."""
        return min(self._open.get(partition) or (position,))

    def news(self, assigned: Collection[TopicPartition]) -> dict[TopicPartition, int]:
        """Return what can be committed for the `assigned` partitions and was not yet."""
        ends = {partition: min(self._open[partition], default=self._next[partition]) for partition in self._next}
        return {
            partition: end
            for partition, end in ends.items()
            if partition in assigned and self._committed.get(partition) != end
        }

    def committed(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note that Kafka has taken `offsets`."""
        self._committed.update(offsets)
