"""What the clients did and what they were told, one entry a command."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID


class Told(StrEnum):
    """What a client was told of its command."""

    OK = "ok"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Sort(StrEnum):
    """What a record that went straight to Kafka was meant to be."""

    GOOD = "good"
    DUPLICATE = "duplicate"
    POISON = "poison"
    MISROUTED = "misrouted"
    REUSED = "same id, other body"


@dataclass
class Asked:
    """A command over HTTP; `told` is the last definite word, `unknowns` counts the answers before that were none."""

    environment: str
    client: str
    command_id: UUID
    key: str
    method: str
    path: str
    body: dict[str, Any] | None
    told: Told = Told.UNKNOWN
    status: int = 0
    code: str = ""
    answer: str = ""
    unknowns: int = 0


@dataclass
class Produced:
    """A record straight to Kafka; it has a place once Kafka acknowledged it."""

    environment: str
    command_id: UUID | None
    sort: Sort
    partition: int | None = None
    offset: int | None = None

    @property
    def is_acknowledged(self) -> bool:
        return self.offset is not None


@dataclass
class History:
    """All of a run, and what clients saw at once to be wrong."""

    asked: list[Asked] = field(default_factory=list)
    produced: list[Produced] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    is_wrong: asyncio.Event = field(default_factory=asyncio.Event)
    wrong_at: float | None = None

    def complain(self, what: str) -> None:
        """Note what must never happen."""
        self.wrong.append(what)
        self.wrong_at = self.wrong_at or time.monotonic()
        self.is_wrong.set()

    def acknowledged(self) -> int:
        """Return how many commands a client knows to be taken: decided, accepted, or acknowledged by Kafka."""
        over_http = sum(each.told is not Told.UNKNOWN for each in self.asked)
        return over_http + sum(each.is_acknowledged and each.sort is Sort.GOOD for each in self.produced)

    def unresolved(self) -> Iterator[Asked]:
        """Give the commands of which nobody knows what became."""
        return (each for each in self.asked if each.told is Told.UNKNOWN)

    def write(self, file: Path) -> None:
        """Write it down, a line an entry."""
        with file.open("w") as lines:
            entries: list[Asked | Produced] = [*self.asked, *self.produced]
            for each in entries:
                lines.write(json.dumps(asdict(each), default=str) + "\n")
