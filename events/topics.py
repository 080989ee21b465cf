"""The topics, each named once. Every process and every test takes them from here."""

from dataclasses import dataclass

from events.activity import ACTIVITY
from events.commands import COMMANDS
from events.results import RESULTS

DAY_MS = 24 * 60 * 60 * 1000
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic: records keyed by environment id (UTF-8), placed by Kafka's default murmur2 partitioner."""

    suffix: str
    types: tuple[str, ...]
    retention_ms: int
    max_message_bytes: int

    def name(self, prefix: str) -> str:
        """Return the topic's name in an installation, for example `pipeloom.commands`."""
        return f"{prefix}.{self.suffix}"


COMMANDS_TOPIC = Topic("commands", tuple(COMMANDS), 14 * DAY_MS, MIB + MIB // 2)
# A result carries the resource and, when forced, the names of up to MAX_DEPENDENTS dependents: more than a command may.
EVENTS_TOPIC = Topic("events", tuple(RESULTS), 30 * DAY_MS, 16 * MIB)
# Notices for whoever looks now; nothing is rebuilt from them.
ACTIVITY_TOPIC = Topic("activity", tuple(ACTIVITY), DAY_MS, MIB)
TOPICS = (COMMANDS_TOPIC, EVENTS_TOPIC, ACTIVITY_TOPIC)
