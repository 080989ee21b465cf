"""What a batch of commands needs, knows and changes."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from events.envelope import Event, Position
from events.refusals import Refused
from services.composer.decider.needs import Needs
from services.composer.decider.state import EnvironmentState
from services.composer.intake import Received


class CommandKey(NamedTuple):
    """A command id is taken once in its environment."""

    environment: str
    command_id: UUID


@dataclass(slots=True)
class BatchNeeds:
    """What a batch names in each environment, and the command ids to look up in the inbox."""

    environments: defaultdict[str, Needs] = field(default_factory=lambda: defaultdict(Needs))
    commands: set[CommandKey] = field(default_factory=set)


@dataclass(slots=True)
class BatchState:
    """What was loaded: the environments that exist, and the fingerprints of the ids that are taken."""

    environments: dict[str, EnvironmentState] = field(default_factory=dict)
    inbox: dict[CommandKey, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """A command id that was decided: what was asked, and where its result stands."""

    key: CommandKey
    fingerprint: bytes
    partition: int
    position: Position


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that was no command, and why."""

    record: Received
    refusal: Refused
    environment: str | None
    command_id: UUID | None


@dataclass(slots=True)
class Outcome:
    """What a batch changes, to be saved in one transaction."""

    state: BatchState
    events: list[Event] = field(default_factory=list)
    inbox: list[InboxEntry] = field(default_factory=list)
    dead_letters: list[DeadLetter] = field(default_factory=list)
    records: int = 0

    @property
    def event_bytes(self) -> int:
        """How much text the events carry; documents and bodies are a small multiple of it."""
        return self._event_bytes

    def add_event(self, event: Event) -> None:
        """Log an event."""
        self.events.append(event)
        self._event_bytes += len(event.data)

    _event_bytes: int = 0
