"""Earlier versions of types: what was written in them is read as the present version, step by step.

A type whose version is raised leaves its old model here. Records of it stay in Kafka and in the event log, and
producers may go on sending it; everything behind this module knows the present version only.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeVar

from pydantic import JsonValue
from pydantic_core import from_json

from events.envelope import Event
from events.model import Versioned
from events.results import RESULTS

Present = TypeVar("Present", bound=Versioned)


class Earlier(NamedTuple):
    """An earlier version of a type: its model as it was, and what it says in the words of the next version."""

    model: type[Any]
    to_next: Callable[[Any], dict[str, JsonValue]]


EARLIER: dict[tuple[str, int], Earlier] = {}
"""By a type's name and the earlier version; empty while every type is in its first one."""


def is_readable(name: str, version: int, present: int) -> bool:
    """Tell whether data of a version can be read: it is the present one, or steps lead from it to the present one."""
    return version <= present and all((name, each) in EARLIER for each in range(version, present))


def upcast(model: type[Present], version: int, data: Any) -> tuple[Present, Present | None]:
    """Return data of a readable version as the present one, and as it was written when that was an earlier one.

    Each model reads its own version, so that a field which only a later one knows has no meaning in an earlier one.
    Raises ValidationError when the data is not what its version says.
    """
    written = None
    for each in range(version, model.version):
        earlier = EARLIER[model.__name__, each]
        read = earlier.model.model_validate(data)
        written = written or read
        data = earlier.to_next(read)
    return model.model_validate(data), written


def present(event: Event) -> Event:
    """Return `event` in the present version of its type; one of a version that nobody here knows as it is."""
    model = RESULTS.get(event.type)
    if model is None or event.version == model.version or not is_readable(event.type, event.version, model.version):
        return event
    data, _ = upcast(model, event.version, from_json(event.data))
    return replace(event, version=model.version, data=data.model_dump_json())
