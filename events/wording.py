"""Says in JSON's words, not in Python's or a library's, what is wrong with a value."""

from typing import Any

from pydantic_core import ErrorDetails

A_MOMENT = "a time with its zone (RFC 3339), as in 2026-01-31T12:00:00Z"
A_UUID = "a UUID, as in 0198c5f2-a7f0-7e11-b9f4-0d2f7c64e5a9"
A_NETWORK = "a network, as in 10.1.0.0/16"

WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "uuid_type": A_UUID,
    "uuid_parsing": A_UUID,
    "timezone_aware": A_MOMENT,
    "datetime_type": A_MOMENT,
    "datetime_parsing": A_MOMENT,
    "datetime_from_date_parsing": A_MOMENT,
    "datetime_object_invalid": A_MOMENT,
    "ip_any_network": A_NETWORK,
    "path_type": "a path",
}
# Those whose value is a text in an address or a variable, so that to say that it is one is no help.
_WRITTEN = ("int_", "float_", "finite_", "bool_pars", "uuid_", "timezone_", "datetime_", "ip_")

_LIMITS = {
    "less_than_equal": "must be at most {le}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "greater_than": "must be more than {gt}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must have at most {max_length} characters",
    "too_short": "must have at least {min_length} entries, and has {actual_length}",
    "too_long": "must have at most {max_length} entries, and has {actual_length}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "missing": "is missing",
    "extra_forbidden": "is not known here; leave it out",
    "value_error": "{error}",
}


def kind_of(value: Any) -> str:
    """Return what a JSON value is, for a sentence."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"


def fault_of(problem: ErrorDetails) -> str:
    """Return what pydantic found, as who sent the value would say it."""
    kind = problem["type"]
    if kind in _LIMITS:
        context = {name: _plain(value) for name, value in problem.get("ctx", {}).items()}
        return _one_of_one(_LIMITS[kind].format(**context))
    if kind not in WANTED:
        return problem["msg"]
    given = "" if kind.startswith(_WRITTEN) else f", and is {kind_of(problem['input'])}"
    return f"must be {WANTED[kind]}{given}"


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _one_of_one(sentence: str) -> str:
    return sentence.replace(" 1 entries", " 1 entry").replace("at least 1 characters", "a character")
