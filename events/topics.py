"""The topics, each named once. Every process and every test takes them from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from events.activity import ACTIVITY
from events.commands import COMMANDS
from events.model import Versioned
from events.results import RESULTS

DAY_MS = 24 * 60 * 60 * 1000
MIB = 1024 * 1024
DEFAULT_PARTITIONS = 4


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: records keyed by environment id (UTF-8), placed by Kafka's default murmur2 partitioner."""

    suffix: str
    models: Mapping[str, type[Versioned]] = field(repr=False)
    retention_ms: int
    max_message_bytes: int

    @property
    def types(self) -> tuple[str, ...]:
        """The names of the types whose records are on the topic."""
        return tuple(self.models)

    def name(self, prefix: str) -> str:
        """Return the topic's name in an installation, for example `pipeloom.commands`."""
        return f"{prefix}.{self.suffix}"


COMMANDS_TOPIC = Topic("commands", COMMANDS, 14 * DAY_MS, MIB + MIB // 2)
# A result carries the resource and, when forced, the names of up to MAX_DEPENDENTS dependents: more than a command may.
EVENTS_TOPIC = Topic("events", RESULTS, 30 * DAY_MS, 16 * MIB)
# Notices for whoever looks now; nothing is rebuilt from them.
ACTIVITY_TOPIC = Topic("activity", ACTIVITY, DAY_MS, MIB)
TOPICS = (COMMANDS_TOPIC, EVENTS_TOPIC, ACTIVITY_TOPIC)
