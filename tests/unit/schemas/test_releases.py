"""What was released keeps its promises."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from events.releases import SCHEMAS, broken_promises, broken_releases, freeze, main, promises
from events.schemas import all_schemas, as_text

GENERATED = all_schemas()
COMMAND, EVENT = "commands/PipelineDeleteRequested.v1.json", "events/PipelineCreated.v1.json"


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """A folder with the present schemas in it, and a release of them."""
    for folder in ("commands", "events", "activity"):
        shutil.copytree(SCHEMAS / folder, tmp_path / folder)
    freeze(tmp_path, "0.1.0")
    return tmp_path


def _changed(name: str, **properties: Any) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(as_text(GENERATED[name]))
    schema["properties"] = {
        field: form for field, form in (schema["properties"] | properties).items() if form is not None
    }
    return schema


def test_no_release_is_broken() -> None:
    assert broken_releases(SCHEMAS, GENERATED) == [], "raise the model's version instead: see CONTRIBUTING.md"


def test_the_first_release_is_frozen_with_every_type_that_it_had() -> None:
    names = {promise.name for promise in promises(SCHEMAS) if promise.release == "0.1.0"}
    assert {name.partition("/")[0] for name in names} == {"commands", "events"}
    assert {COMMAND, EVENT} <= names
    assert all((SCHEMAS / name).exists() for name in names)


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        (_changed(COMMAND, expected_version=None), ["expected_version: the field is gone"]),
        (
            {**_changed(COMMAND, reason={"type": "string"}), "required": ["pipeline_name", "reason"]},
            ["reason left out: was valid, is refused now"],
        ),
        (
            _changed(COMMAND, force_deployments_deletion={"type": "boolean", "default": True}),
            ["force_deployments_deletion left out: meant False, means True now"],
        ),
        (
            _changed(COMMAND, expected_version={"type": "integer", "default": None}),
            ["expected_version of type null: was valid, is refused now"],
        ),
        (_changed(COMMAND, reason={"type": "string", "default": ""}), []),
    ],
    ids=["removed", "a new required one", "another default", "narrowed", "a new optional one"],
)
def test_a_change_of_a_released_command_is_held_against_it(schema: dict[str, Any], told: list[str]) -> None:
    assert broken_promises(COMMAND, GENERATED[COMMAND], schema) == told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            '"const": "Ready"',
            '"enum": ["Ready", "Paused"]',
            ["pipeline.status = 'Paused': could not come, may come now"],
        ),
        ('"const": "Ready"', '"const": "Done"', None),
        ('"title": "Status"', '"title": "State"', []),
    ],
)
def test_a_change_of_a_released_event_is_held_against_it(old: str, new: str, told: list[str] | None) -> None:
    text = as_text(GENERATED[EVENT])
    broken = broken_promises(EVENT, GENERATED[EVENT], json.loads(text.replace(old, new)))
    assert text != text.replace(old, new)
    assert broken == told if told is not None else broken


def test_each_broken_promise_names_its_release(released: Path) -> None:
    changed = {**GENERATED, COMMAND: _changed(COMMAND, expected_version=None)}
    assert broken_releases(released, changed) == [f"{COMMAND} (released in 0.1.0): expected_version: the field is gone"]
    assert broken_releases(released, GENERATED) == []


def test_an_earlier_version_that_was_released_stays(released: Path) -> None:
    later = {name.replace("v1", "v2") if name == COMMAND else name: schema for name, schema in GENERATED.items()}
    assert broken_releases(released, later) == []
    (released / COMMAND).unlink()
    assert broken_releases(released, later) == [
        f"{COMMAND} (released in 0.1.0): the schema is gone; records of it are still read"
    ]


def test_a_release_is_frozen_once(released: Path) -> None:
    with pytest.raises(ValueError, match=r"0\.1\.0 is released already"):
        freeze(released, "0.1.0")
    freeze(released, "0.2.0")
    assert {promise.release for promise in promises(released)} == {"0.1.0", "0.2.0"}


@pytest.mark.parametrize(("arguments", "told"), [([], "Name the release"), (["0.1.0"], "released already")])
def test_a_release_that_cannot_be_made_ends_with_the_reason(arguments: list[str], told: str) -> None:
    with pytest.raises(SystemExit, match=told):
        main(arguments)
