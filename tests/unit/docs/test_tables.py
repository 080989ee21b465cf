"""The tables of the docs say what the code says."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, IPvAnyNetwork, PositiveFloat, SecretStr
from pydantic.fields import FieldInfo

from events import errors_page, promises
from events.commands import COMMANDS, CommandData
from events.headers import COMMAND_HEADERS, EVENT_HEADERS
from events.patterns import Pattern
from events.refusals import Code, FailureCode
from events.results import RESULTS
from services.kit.settings import Settings
from tests.unit.docs.markdown import ROOT, page, table_rows

BOUNDS = {Ge: ("ge", "≥"), Gt: ("gt", ">"), Le: ("le", "≤")}
KINDS = {
    "str": "text",
    "int": "whole number",
    "float": "number",
    "bool": "yes or no",
    "Path": "path",
    "SecretStr": "text, secret",
}
LISTS = {str: "text", Path: "paths", IPvAnyNetwork: "networks", PositiveFloat: "numbers, > 0"}
ROUTE = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/api/v1/[^`?]+)(?:\?[^`]*)?`")


def demand_rows(file: str, wanted: list[str]) -> None:
    """Fail unless the first table of `file` begins each row as `wanted` says, and says something behind it."""
    rows = table_rows(page(file).text)
    told = [f"| {' | '.join(row[:3])} |" for row in rows]
    assert {"missing": [row for row in wanted if row not in told]} == {"missing": []}
    assert {"not so": [row for row in told if row not in wanted]} == {"not so": []}
    assert told == wanted, "the rows stand in the order of the code"
    assert all(row[3] for row in rows), "the last column says something in each row"


def refusal_rows() -> list[str]:
    return [f"| `{code.value}` | {code.http_status} | {code.meaning} |" for code in Code]


def setting_rows() -> list[str]:
    return [f"| `{name}` | {_default(field.default)} | {_allowed(field)} |" for name, field in _settings()]


def _settings(model: type[BaseModel] = Settings, prefix: str = "PIPELOOM_") -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _settings(section, f"{prefix}{name.upper()}__")
        else:
            yield f"{prefix}{name.upper()}", field


def _default(value: Any) -> str:
    match value:
        case None:
            return "none"
        case SecretStr():
            return f"`{value.get_secret_value()}`"
        case list():
            return f"`{json.dumps([each if isinstance(each, int) else str(each) for each in value])}`"
        case _:
            return f"`{value}`"


def _allowed(field: FieldInfo) -> str:
    pattern = next((each.regex for each in field.metadata if isinstance(each, Pattern)), None)
    if pattern:
        return f"matches `{pattern}`"
    return ", ".join([_kind(field.annotation), *_bounds(field)])


def _kind(annotation: Any) -> str:
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return "one of " + ", ".join(f"`{each}`" for each in arguments)
    if type(None) in arguments:
        return f"{_kind(arguments[0])} or nothing"
    if arguments:
        return f"list of {LISTS[arguments[0]]}"
    return KINDS[annotation.__name__]


def _bounds(field: FieldInfo) -> Iterator[str]:
    for bound in field.metadata:
        attribute, sign = BOUNDS[type(bound)]
        yield f"{sign} {getattr(bound, attribute)}"


def field_rows(model: type[CommandData]) -> list[tuple[str, str]]:
    """Return each field with what a producer gets who leaves it out."""
    return [(f"`{name}`", _left_out(field)) for name, field in model.model_fields.items()]


def _left_out(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    if field.default is None:
        return "null"
    return f"`{field.default if isinstance(field.default, str) else json.dumps(field.default)}`"


def test_the_table_of_errors_is_that_of_the_code() -> None:
    demand_rows("docs/errors.md", refusal_rows())


def test_the_page_of_errors_is_what_the_code_writes() -> None:
    text = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    assert errors_page.written(text) == text


def test_the_table_of_failures_is_that_of_the_code() -> None:
    rows = table_rows(page("docs/errors.md").section("Codes of failed builds"))
    assert [row[:2] for row in rows] == [[f"`{code.value}`", code.meaning] for code in FailureCode]
    assert all(row[2] for row in rows), "the last column says something in each row"


def test_the_table_of_settings_is_that_of_the_code() -> None:
    demand_rows("docs/guides/settings.md", setting_rows())


def test_the_table_of_settings_repeats_what_the_code_says_of_a_setting() -> None:
    meanings = {row[0]: row[3] for row in table_rows(page("docs/guides/settings.md").text)}
    described = {f"`{name}`": field.description for name, field in _settings() if field.description}
    assert described
    assert {name: meanings[name] for name in described} == described


@pytest.mark.parametrize("name", COMMANDS)
def test_the_guide_tells_every_field_of_a_command(name: str) -> None:
    rows = table_rows(page("docs/guides/producers.md").section(name))
    assert [(row[0], row[2]) for row in rows] == field_rows(COMMANDS[name])


def test_the_guide_tells_every_event_and_its_data() -> None:
    rows = table_rows(page("docs/guides/consumers.md").section("The events"))
    fields = {row[0]: set(re.findall(r"`(\w+)`", row[2])) for row in rows}
    assert fields == {f"`{name}`": set(model.model_fields) for name, model in RESULTS.items()}


def test_the_guide_tells_every_header_of_an_event() -> None:
    rows = table_rows(page("docs/guides/consumers.md").section("The headers"))
    assert {row[0] for row in rows} == {f"`{header.name}`" for header in EVENT_HEADERS}


def test_the_guide_tells_every_header_of_a_command_and_which_are_required() -> None:
    rows = table_rows(page("docs/guides/producers.md").section("Headers"))
    told = {row[0]: row[1] for row in rows}
    assert told == {f"`{header.name}`": "yes" if header.is_required else "no" for header in COMMAND_HEADERS}


@pytest.mark.parametrize(
    ("section", "promise"),
    [
        *promises.FOR_CONSUMERS.items(),
        ("Read committed", promises.READ_COMMITTED),
        ("Key and partition", promises.KEY),
        ("Schemas", promises.SCHEMAS),
    ],
)
def test_the_guide_promises_what_the_asyncapi_document_promises(section: str, promise: str) -> None:
    assert " ".join(promise.split()) in " ".join(page("docs/guides/consumers.md").section(section).split())


def test_the_guides_tell_every_route() -> None:
    document = json.loads((ROOT / "schemas/openapi.json").read_text(encoding="utf-8"))
    there = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    guides = ("docs/guides/producers.md", "docs/guides/queries.md")
    told_of = {route for guide in guides for route in ROUTE.findall(page(guide).text)}
    assert told_of == there | {("GET", "/api/v1/openapi.json")}
