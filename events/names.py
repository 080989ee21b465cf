"""What a step, a pipeline, a deployment or an environment may be called."""

import re
import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

MAX_NAME_LENGTH = 255
ENVIRONMENT_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")

VARIABLE_PATTERN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

# What the published schemas say of a name; `why_unaddressable` has the last word.
PUBLISHED_PATTERN = "^[^/?#%]+$"

SEALED_PATTERN = re.compile(r"sealed:v[0-9]{1,3}:[0-9a-f]{8}:[A-Za-z0-9_=-]{20,}")

_URL_SYNTAX = frozenset("/?#%")
_CONTROL = frozenset({"Cc", "Cs", "Zl", "Zp"})


def has_control_characters(text: str) -> bool:
    """Tell whether `text` holds control characters, lone surrogates, or line or paragraph separators."""
    return not text.isprintable() and any(unicodedata.category(character) in _CONTROL for character in text)


def why_unaddressable(name: str) -> str | None:
    """Say why `name` could be created but never addressed by URL, or None when it is fine."""
    if not name.strip():
        return "it is empty or blank"
    if len(name) > MAX_NAME_LENGTH:
        return f"it is longer than {MAX_NAME_LENGTH} characters"
    if not name.strip("."):
        return "it consists of dots only"
    if _URL_SYNTAX.intersection(name):
        return "it contains one of / ? # %"
    if has_control_characters(name):
        return "it contains a control character"
    return None


def _text(name: object) -> object:
    if not isinstance(name, str):
        raise PydanticCustomError("invalid_name", "the name cannot be used: it is not a text")
    return name


def _addressable(name: str) -> str:
    reason = why_unaddressable(name)
    if reason:
        raise PydanticCustomError("invalid_name", "the name cannot be used: {reason}", {"reason": reason})
    return name


Name = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_addressable),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME_LENGTH, "pattern": PUBLISHED_PATTERN}),
]
"""A resource's name: 1 to 255 characters that a URL path can carry (source: sdk-contract 14.9)."""


def is_variable_name(name: str) -> bool:
    """Tell whether `name` can be an environment variable's: letters, digits and `_`, no digit first."""
    return len(name) <= MAX_NAME_LENGTH and VARIABLE_PATTERN.fullmatch(name) is not None


def _exportable(name: str) -> str:
    if not is_variable_name(name):
        raise PydanticCustomError(
            "invalid_name",
            "the name cannot be used: an environment variable has 1 to {limit} of A-Z, a-z, 0-9 and _, no digit first",
            {"limit": MAX_NAME_LENGTH},
        )
    return name


VariableName = Annotated[
    str,
    BeforeValidator(_text),
    AfterValidator(_exportable),
    Field(json_schema_extra={"minLength": 1, "maxLength": MAX_NAME_LENGTH, "pattern": f"^{VARIABLE_PATTERN.pattern}$"}),
]
"""An environment variable's name, as POSIX has it."""


def is_environment_id(text: str) -> bool:
    """Tell whether `text` can be an environment id: 1 to 63 of a-z, 0-9 and inner hyphens."""
    return ENVIRONMENT_PATTERN.fullmatch(text) is not None


def is_sealed(text: str) -> bool:
    """Tell whether `text` has the form of a sealed value; whether it can be opened, only the key's holder knows."""
    return SEALED_PATTERN.fullmatch(text) is not None
