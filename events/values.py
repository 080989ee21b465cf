"""Tells whether a JSON value is one of a declared data type."""

from pydantic import JsonValue

from events.resources import DataType
from events.wording import kind_of


def why_unfit(value: JsonValue, data_type: DataType) -> str | None:
    """Say why `value` is none of `data_type`, or None when it is one."""
    match data_type:
        case "file":
            return "a file has no value that could be written down"
        case "json":
            return None
        case "boolean":
            fits = isinstance(value, bool)
        case "number":
            fits = isinstance(value, int | float) and not isinstance(value, bool)
        case "string":
            fits = isinstance(value, str)
        case "array":
            fits = isinstance(value, list)
    return None if fits else f"it is {kind_of(value)}, and the data type is {data_type}"
