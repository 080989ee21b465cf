"""Which of an environment's oldest events may go. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from events.envelope import Position


class Hold(StrEnum):
    """Why the next event stays."""

    YOUNG = "young"
    UNPUBLISHED = "unpublished"
    WEBHOOK = "webhook"
    UNKNOWN = "unknown"


class Candidate(NamedTuple):
    """One of the oldest events of a history; `decided_at` is None where the inbox does not know its command."""

    sequence: int
    partition: int
    position: Position
    is_result: bool
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """What has to be behind an event before it goes; a partition that is not in `published` is not published at all.

    `told_up_to` is the last place that every webhook was told of; None when there is none that waits.
    """

    decided_before: datetime
    published: Mapping[int, Position]
    told_up_to: int | None = None


class Verdict(NamedTuple):
    """How many of the candidates go, from the front, and what holds the next one (None: there is no next one)."""

    events: int
    hold: Hold | None


def may_go(candidates: Sequence[Candidate], bounds: Bounds) -> Verdict:
    """Return how many of the oldest events may go: whole commands, from the front, without a gap."""
    count = 0
    for number, candidate in enumerate(candidates, start=1):
        hold = _hold(candidate, bounds)
        if hold is not None:
            return Verdict(count, hold)
        if candidate.is_result:
            count = number
    return Verdict(count, None)


def _hold(candidate: Candidate, bounds: Bounds) -> Hold | None:
    if candidate.decided_at is None:
        return Hold.UNKNOWN
    if candidate.decided_at >= bounds.decided_before:
        return Hold.YOUNG
    published = bounds.published.get(candidate.partition)
    if published is None or candidate.position > published:
        return Hold.UNPUBLISHED
    if bounds.told_up_to is not None and candidate.sequence > bounds.told_up_to:
        return Hold.WEBHOOK
    return None
