"""Gives a form's text values their types back (source: sdk-contract 5.1)."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes

import pydantic_core
from qs_codec import DecodeOptions, decode

from events.codec import check_depth
from events.refusals import Code, Refused

MAX_FIELDS = 10_000
MAX_DEPTH = 20
MAX_LIST = 1_000

BOOLEANS = {"true": True, "True": True, "false": False, "False": False}


def read_form(body: bytes) -> dict[str, Any]:
    """Return the fields of a form with bracketed keys, such as `inputs[0][name]=a`; every value is text.

    Raises Refused invalid_body on a form that cannot be read or has too many or too deep fields.
    """
    options = DecodeOptions(
        parameter_limit=MAX_FIELDS,
        depth=MAX_DEPTH,
        list_limit=MAX_LIST,
        raise_on_limit_exceeded=True,
        strict_depth=True,
    )
    try:
        unquote_to_bytes(body).decode()  # the decoder would put a replacement for what is no UTF-8
        return dict(decode(body.decode(), options))
    except (ValueError, IndexError, OverflowError) as error:
        raise Refused(Code.INVALID_BODY, f"The form cannot be read: {error}.") from error


def step_of_form(form: dict[str, Any]) -> dict[str, Any]:
    """Return the body of a step request with the types that its JSON form has."""
    step = dict(form)
    step["inputs"] = _each(_input, _listed(form.get("inputs", [])))
    step["outputs"] = _each(_described, _listed(form.get("outputs", [])))
    if step.get("description") == "":
        step["description"] = None
    if isinstance(config := form.get("container_config"), dict):
        step["container_config"] = {key: None if value == "" else value for key, value in config.items()}
    check_depth(step)
    return step


def _each(typed: Callable[[Any], Any], given: Any) -> Any:
    """Return the list with each of its entries typed; what is no list stays, for the validation to refuse."""
    return [typed(each) for each in given] if isinstance(given, list) else given


def _listed(value: Any) -> Any:
    """Return a form's list; an empty one vanishes on the wire, a sparse one comes as an object with index keys."""
    if isinstance(value, dict):
        return list(value.values())
    return value


def _described(given: Any) -> Any:
    if isinstance(given, dict) and given.get("description") == "":
        return {**given, "description": None}
    return given


def _input(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    typed = dict(_described(given))
    if "is_required" in typed:
        typed["is_required"] = _typed(typed["is_required"], "boolean")
    if "default_value" in typed:
        typed["default_value"] = _typed(typed["default_value"], typed.get("data_type"))
    return typed


def _typed(value: Any, data_type: Any) -> Any:
    """Return `value` as `data_type` has it; what does not fit stays the text that was sent."""
    if not isinstance(value, str):
        return value
    match data_type:
        case "string":
            return value
        case _ if value == "":
            return None
        case "boolean":
            return BOOLEANS.get(value, value)
        case "number" | "json" | "array":
            return _json_or_text(value)
        case _:
            return value


def _json_or_text(value: str) -> Any:
    try:
        return pydantic_core.from_json(value, allow_inf_nan=False)
    except ValueError:
        return value
