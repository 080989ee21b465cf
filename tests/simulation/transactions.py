"""The broker's transaction coordinator: who may write under a transactional id, and how its transactions end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, ProducerFenced

from tests.simulation.log import PartitionLog, Payload

TIMEOUT_S = 20.0


class Concurrent(KafkaError):  # type: ignore[misc]  # noqa: N818
    """The last transaction's markers are still being written: ask again soon."""


@dataclass(slots=True)
class Owner:
    """What is known of one transactional id. `number` counts its transactions."""

    producer: int
    epoch: int = -1
    number: int = 0
    state: Literal["empty", "open", "ending"] = "empty"
    partitions: dict[TopicPartition, PartitionLog] = field(default_factory=dict)
    sent: dict[int, tuple[int, ...]] = field(default_factory=dict)


class Transactions:
    """Every transactional id of a broker."""

    def __init__(
        self,
        log_of: Callable[[TopicPartition], PartitionLog],
        replicate: Callable[[PartitionLog], None],
        later: Callable[..., None],
        delay: Callable[[], float],
    ) -> None:
        self._log_of = log_of
        self._replicate = replicate
        self._later = later
        self._delay = delay
        self._owners: dict[str, Owner] = {}

    def take(self, name: str) -> int:
        """Fence whoever has the id and return the new epoch. Raises Concurrent until its last transaction has ended."""
        owner = self._owners.setdefault(name, Owner(len(self._owners)))
        if owner.state == "open":
            owner.epoch += 1
            self._end(owner, "abort")
        if owner.state == "ending":
            raise Concurrent
        owner.epoch += 1
        owner.sent.clear()
        return owner.epoch

    def write(
        self, name: str, epoch: int, number: int, order: int, where: TopicPartition, payloads: Sequence[Payload]
    ) -> tuple[int, ...]:
        """Append records in the transaction `number`; a batch that was sent before is not appended again."""
        owner = self._owner(name, epoch)
        if order in owner.sent:
            return owner.sent[order]
        if owner.state == "ending":
            raise Concurrent
        if owner.state == "empty":
            owner.state, owner.number = "open", number
            self._later(TIMEOUT_S, self._expire, owner, epoch, number)
        log = owner.partitions[where] = self._log_of(where)
        owner.sent[order] = tuple(log.append(payload, owner.producer) for payload in payloads)
        self._replicate(log)
        return owner.sent[order]

    def end(self, name: str, epoch: int, number: int, kind: Literal["commit", "abort"]) -> None:
        """Decide a transaction; its markers come a moment later. Asked again, it stays as it was decided."""
        owner = self._owner(name, epoch)
        if owner.state == "open" and owner.number == number:
            self._end(owner, kind)

    def _owner(self, name: str, epoch: int) -> Owner:
        owner = self._owners[name]
        if owner.epoch != epoch:
            raise ProducerFenced
        return owner

    def _end(self, owner: Owner, kind: Literal["commit", "abort"]) -> None:
        owner.state = "ending"
        self._later(self._delay(), self._mark, owner, kind)

    def _mark(self, owner: Owner, kind: Literal["commit", "abort"]) -> None:
        for log in owner.partitions.values():
            log.finish(owner.producer, kind)
            log.replicated(log.end)
        owner.partitions.clear()
        owner.state = "empty"

    def _expire(self, owner: Owner, epoch: int, number: int) -> None:
        if (owner.state, owner.epoch, owner.number) == ("open", epoch, number):
            owner.epoch += 1
            self._end(owner, "abort")
