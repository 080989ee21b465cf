"""What the monitor notices and tells on the activity topic: commands that wait too long, and their end."""

from dataclasses import dataclass

from events.codec import Record
from events.envelope import schema_uri, type_attribute
from events.model import Versioned
from events.resources import Timestamp

SOURCE = "/pipeloom/monitor"


class ActivityData(Versioned):
    """What is told of one command; its type's name is the class's name."""

    command_id: str
    command_type: str
    asked_at: Timestamp

    def subject(self) -> str:
        """Return the resource that the notice is about, for example `commands/0198c5f2-…`."""
        return f"commands/{self.command_id}"


class CommandOverdue(ActivityData):
    """A command has had no result for `overdue_after_s` seconds. It is not lost: its result is still to come."""

    overdue_after_s: float


class CommandRecovered(ActivityData):
    """A command that was overdue is decided; its result, if it is not a repeat, is on the events topic."""

    answered_at: Timestamp


ACTIVITY: dict[str, type[ActivityData]] = {model.__name__: model for model in (CommandOverdue, CommandRecovered)}


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice with what surrounds it. Its id is derived from the command's place, so that a repeat has the same."""

    id: str
    environment: str
    time: str
    data: ActivityData


def encode_notice(notice: Notice) -> Record:
    """Return the record that tells `notice`: a CloudEvent in binary mode, keyed by the environment."""
    attributes = {
        "specversion": "1.0",
        "id": notice.id,
        "type": type_attribute(type(notice.data).__name__, notice.data.version),
        "dataschema": schema_uri("activity", type(notice.data).__name__, notice.data.version),
        "source": SOURCE,
        "subject": notice.data.subject(),
        "time": notice.time,
        "environment": notice.environment,
        "commandid": notice.data.command_id,
    }
    headers = [(f"ce_{name}", text.encode()) for name, text in attributes.items()]
    value = notice.data.model_dump_json().encode()
    return Record(notice.environment.encode(), value, [("content-type", b"application/json"), *headers])
