"""What the monitor knows of one environment, as values of the changelog: one for each minute, and one for all the rest.

Each is written as a whole or not at all, and knows up to which offset it is told. So they need not be of one moment:
what a value holds already is not counted into it again.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from services.kit.latency import Histogram, packed, unpacked

MAX_OPEN = 1_000
NONE_APPLIED = -1


@dataclass(slots=True)
class Open:
    """A command without a result so far."""

    command_id: str
    type: str
    asked_ms: int
    is_overdue: bool = False


@dataclass(slots=True)
class Tally:
    """The results of one command type in one minute."""

    results: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    latencies: Histogram = field(default_factory=dict)


@dataclass(slots=True)
class Minute:
    """The results of one minute by command type; `counted` is the offset of the last one that is among them."""

    counted: int = NONE_APPLIED
    types: dict[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A notice that is still to be told; `answered_ms` is there once the command has recovered."""

    offset: int
    command: Open
    noticed_ms: int
    answered_ms: int | None = None


@dataclass(slots=True)
class Activity:
    """An environment's numbers, and up to which offset of each topic they are told: older records change nothing.

    `decided` is the place in the commands partition of the last result, since they are published in that order;
    `sequence` is that result's place in the environment's history.
    """

    commands: int = NONE_APPLIED
    events: int = NONE_APPLIED
    decided: int = NONE_APPLIED
    sequence: int = 0
    newest_ms: int = 0
    untracked: int = 0
    untracked_to: int = NONE_APPLIED
    open: dict[int, Open] = field(default_factory=dict)
    minutes: dict[int, Minute] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    outbox: list[Announcement] = field(default_factory=list)

    @property
    def number_open(self) -> int:
        """How many commands are without a result; some of them are not known one by one when they are very many."""
        return len(self.open) + self.untracked


def to_bytes(activity: Activity) -> bytes:
    """Return what the changelog holds of an environment beside its minutes."""
    return _packed(
        {
            "at": [activity.commands, activity.events, activity.decided, activity.sequence, activity.newest_ms],
            "untracked": [activity.untracked, activity.untracked_to],
            "open": [[offset, *_told(each)] for offset, each in activity.open.items()],
            "unreadable": activity.unreadable,
            "outbox": [
                [each.offset, each.noticed_ms, each.answered_ms, *_told(each.command)] for each in activity.outbox
            ],
        }
    )


def from_bytes(raw: bytes) -> Activity:
    """Read what `to_bytes` wrote. Raises ValueError, TypeError, KeyError or zlib.error on anything else."""
    told: dict[str, Any] = json.loads(zlib.decompress(raw))
    commands, events, decided, sequence, newest_ms = told["at"]
    untracked, untracked_to = told["untracked"]
    return Activity(
        commands=commands,
        events=events,
        decided=decided,
        sequence=sequence,
        newest_ms=newest_ms,
        untracked=untracked,
        untracked_to=untracked_to,
        open={offset: Open(*command) for offset, *command in told["open"]},
        unreadable=told["unreadable"],
        outbox=[Announcement(offset, Open(*command), at, done) for offset, at, done, *command in told["outbox"]],
    )


def minute_to_bytes(minute: Minute) -> bytes:
    """Return what the changelog holds of a minute."""
    types = {name: [each.results, each.refused, packed(each.latencies)] for name, each in minute.types.items()}
    return _packed({"counted": minute.counted, "types": types})


def minute_from_bytes(raw: bytes) -> Minute:
    """Read what `minute_to_bytes` wrote. Raises as `from_bytes` does."""
    told: dict[str, Any] = json.loads(zlib.decompress(raw))
    return Minute(
        told["counted"],
        {
            name: Tally(results, refused, unpacked(latencies))
            for name, (results, refused, latencies) in told["types"].items()
        },
    )


def _packed(told: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(told, separators=(",", ":"), sort_keys=True).encode(), 1)


def _told(command: Open) -> list[Any]:
    return [command.command_id, command.type, command.asked_ms, command.is_overdue]
