"""A step's fields as a form with bracketed keys, which is how they travel beside its code."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

JSON_TYPES = {"number", "boolean", "array", "json"}


def form_fields(step: Mapping[str, Any]) -> dict[str, str]:
    """Return the fields of a step's form. A default value that is no text travels as JSON and keeps its type."""
    inputs = [_with_default_as_text(each) for each in step.get("inputs") or ()]
    return dict(bracketed({**step, "inputs": inputs}))


def bracketed(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield the fields of a form: `inputs[0][name]` and so on. Empty lists and objects have none, null is empty."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from bracketed(inner, f"{key}[{name}]" if key else name)
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from bracketed(inner, f"{key}[{number}]")
    else:
        yield key, "" if value is None else str(value)


def _with_default_as_text(given: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in given.items() if name != "default_value"}
    value = given.get("default_value")
    if value is None:
        return told
    is_text = isinstance(value, str) and given.get("data_type") not in JSON_TYPES
    return {**told, "default_value": value if is_text else json.dumps(value)}
