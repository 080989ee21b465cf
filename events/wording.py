"""Says in JSON's words, not in Python's, what is wrong with a value."""

from typing import Any

from pydantic_core import ErrorDetails

WANTED = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of fewer digits",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list",
    "dict_type": "an object",
    "model_type": "an object",
    "model_attributes_type": "an object",
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
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "less_than_equal":
        return f"must be at most {context['le']}"
    if kind == "greater_than_equal":
        return f"must be at least {context['ge']}"
    if kind not in WANTED:
        return problem["msg"]
    given = "" if kind.startswith(("int_", "float_", "bool_pars")) else f", and is {kind_of(problem['input'])}"
    return f"must be {WANTED[kind]}{given}"
