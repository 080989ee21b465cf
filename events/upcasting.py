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
    told = present_data(event.type, event.version, event.data)
    return event if told is None else replace(event, version=RESULTS[event.type].version, data=told.model_dump_json())


def present_data(name: str, version: int, text: str) -> Versioned | None:
    """Return an event's data in the present version of its type, None when `text` is that already or is not known."""
    model = RESULTS.get(name)
    if model is None or version == model.version or not is_readable(name, version, model.version):
        return None
    return upcast(model, version, from_json(text))[0]


def present_fields(name: str, version: int, text: str) -> Any:
    """Return the fields of an event's data in the present version of its type, of one that nobody knows as they are."""
    told = present_data(name, version, text)
    return from_json(text) if told is None else told.model_dump(mode="json")
