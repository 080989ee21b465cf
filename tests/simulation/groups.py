"""The broker's group coordinator: members, generations, rebalances, and committed offsets."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError, UnknownMemberIdError

REBALANCE_S = 5.0


@dataclass(slots=True)
class Member:
    """Who shares the partitions, and until when it is taken to be alive."""

    session_s: float
    deadline: float
    ticket: "asyncio.Future[None] | None" = None


@dataclass(slots=True)
class Group:
    """One consumer group on one topic."""

    partitions: list[TopicPartition]
    later: Callable[..., None]
    shuffle: Callable[[list[TopicPartition]], None]
    generation: int = 0
    is_rebalancing: bool = False
    committed: dict[TopicPartition, int] = field(default_factory=dict)
    on_commit: Callable[[TopicPartition, int], None] = lambda *_: None
    _members: dict[int, Member] = field(default_factory=dict)
    _shares: dict[int, list[TopicPartition]] = field(default_factory=dict)
    _made: int = 0

    def join(self, member_id: int | None, session_s: float) -> "tuple[int, asyncio.Future[None]]":
        """Take part in the next generation: returns the member's id, and what is done when the generation begins."""
        if member_id is None or member_id not in self._members:
            self._made += 1
            member_id = self._made
            self._members[member_id] = Member(session_s, self._now() + session_s)
            self.later(session_s, self._expire, member_id)
        member = self._members[member_id]
        member.deadline = self._now() + REBALANCE_S + session_s
        if member.ticket is None or member.ticket.done():
            member.ticket = asyncio.get_running_loop().create_future()
        self._rebalance()
        return member_id, member.ticket

    def share(self, member_id: int) -> tuple[int, list[TopicPartition]]:
        """Return the generation and what the member has to read in it. Raises UnknownMemberIdError."""
        if member_id not in self._members or member_id not in self._shares:
            raise UnknownMemberIdError
        return self.generation, self._shares[member_id]

    def beat(self, member_id: int, generation: int) -> bool:
        """Note a sign of life; false when the member has to join anew. Raises UnknownMemberIdError."""
        if member_id not in self._members:
            raise UnknownMemberIdError
        member = self._members[member_id]
        member.deadline = self._now() + member.session_s
        return generation == self.generation and not self.is_rebalancing

    def leave(self, member_id: int) -> None:
        """Forget a member, and share what it had."""
        member = self._members.pop(member_id, None)
        if member is None:
            return
        if member.ticket is not None and not member.ticket.done():
            member.ticket.set_result(None)
        if self._members:
            self._rebalance()

    def members(self) -> list[int]:
        """Return who takes part."""
        return sorted(self._members)

    def commit(self, member_id: int, generation: int, offsets: Mapping[TopicPartition, int]) -> None:
        """Note how far the group is. Raises CommitFailedError for a member of another generation."""
        if member_id not in self._members or generation != self.generation:
            raise CommitFailedError
        for where, offset in offsets.items():
            self.on_commit(where, offset)
            self.committed[where] = offset

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _rebalance(self) -> None:
        if not self.is_rebalancing:
            self.is_rebalancing = True
            self.later(REBALANCE_S, self._close, self.generation, True)
        # A moment for those who join at the same time.
        self.later(0.005, self._close, self.generation, False)

    def _close(self, generation: int, is_overdue: bool) -> None:
        """Begin the next generation once every member has joined, or when it has waited for them long enough."""
        if generation != self.generation or not self.is_rebalancing:
            return
        waiting = [each for each, member in self._members.items() if member.ticket is None or member.ticket.done()]
        if waiting and not is_overdue:
            return
        for each in waiting:
            del self._members[each]
        self.generation += 1
        self.is_rebalancing = False
        partitions, names = list(self.partitions), sorted(self._members)
        self.shuffle(partitions)
        self._shares = {name: sorted(partitions[place :: len(names)]) for place, name in enumerate(names)}
        for member in self._members.values():
            member.deadline = self._now() + member.session_s
            if member.ticket is not None and not member.ticket.done():
                member.ticket.set_result(None)

    def _expire(self, member_id: int) -> None:
        member = self._members.get(member_id)
        if member is None:
            return
        left = member.deadline - self._now()
        if left > 0:
            self.later(left + 0.001, self._expire, member_id)
        else:
            self.leave(member_id)
