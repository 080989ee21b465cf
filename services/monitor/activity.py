"""What the monitor knows of one environment, as one value: it is written to the changelog as a whole or not at all."""

import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from services.kit.latency import Histogram

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
    minutes: dict[int, dict[str, Tally]] = field(default_factory=dict)
    unreadable: dict[str, int] = field(default_factory=dict)
    outbox: list[Announcement] = field(default_factory=list)

    @property
    def number_open(self) -> int:
        """How many commands are without a result; some of them are not known one by one when they are very many."""
        return len(self.open) + self.untracked


def to_bytes(activity: Activity) -> bytes:
    """Return what the changelog holds of an environment."""
    told = {
        "at": [activity.commands, activity.events, activity.decided, activity.sequence, activity.newest_ms],
        "untracked": [activity.untracked, activity.untracked_to],
        "open": [[offset, *_told(each)] for offset, each in activity.open.items()],
        "minutes": minutes_as_json(activity),
        "unreadable": activity.unreadable,
        "outbox": [[each.offset, each.noticed_ms, each.answered_ms, *_told(each.command)] for each in activity.outbox],
    }
    return zlib.compress(json.dumps(told, separators=(",", ":"), sort_keys=True).encode(), 1)


def from_bytes(raw: bytes) -> Activity:
    """Read what `to_bytes` wrote. Raises ValueError, KeyError or zlib.error on anything else."""
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
        minutes={int(minute): _types(types) for minute, types in told["minutes"].items()},
        unreadable=told["unreadable"],
        outbox=[Announcement(offset, Open(*command), at, done) for offset, at, done, *command in told["outbox"]],
    )


def minutes_as_json(activity: Activity) -> dict[str, Any]:
    """Return the tallies, by minute since 1970 and command type."""
    return {
        str(minute): {name: [each.results, each.refused, each.latencies] for name, each in sorted(types.items())}
        for minute, types in sorted(activity.minutes.items())
    }


def _told(command: Open) -> list[Any]:
    return [command.command_id, command.type, command.asked_ms, command.is_overdue]


def _types(told: dict[str, Any]) -> dict[str, Tally]:
    return {
        name: Tally(results, refused, {int(bucket): number for bucket, number in latencies.items()})
        for name, (results, refused, latencies) in told.items()
    }
