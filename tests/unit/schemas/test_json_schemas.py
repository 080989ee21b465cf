"""The checked-in JSON Schemas of commands and results."""

import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from jsonschema import Draft202012Validator
from pydantic import create_model

from events import schemas
from events.activity import ACTIVITY
from events.commands import COMMANDS, CommandData, PipelineRequested
from events.releases import SCHEMAS, freeze
from events.resources import Pipeline
from events.results import RESULTS, PipelineCreated
from events.schemas import all_schemas, as_text, write_schemas
from events.upcasting import is_readable

COMMAND = "python -m events.schemas"
CHECKED_IN = {
    path.relative_to(SCHEMAS).as_posix(): path
    for folder in schemas.MODELS
    for path in sorted((SCHEMAS / folder).glob("*.json"))
}
GENERATED = all_schemas()


def _checked_in(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(CHECKED_IN[name].read_text())
    return schema


@pytest.fixture
def published(tmp_path: Path) -> Path:
    """A folder with the present schemas in it, which were released."""
    write_schemas(tmp_path)
    freeze(tmp_path, "0.1.0")
    return tmp_path


def test_there_is_one_schema_for_each_command_each_result_and_each_notice() -> None:
    assert set(GENERATED) == {
        *(f"commands/{name}.v{model.version}.json" for name, model in COMMANDS.items()),
        *(f"events/{name}.v{model.version}.json" for name, model in RESULTS.items()),
        *(f"activity/{name}.v{model.version}.json" for name, model in ACTIVITY.items()),
    }


@pytest.mark.parametrize("name", GENERATED)
def test_the_checked_in_schema_is_what_the_model_gives(name: str) -> None:
    assert name in CHECKED_IN, f"the schema is missing; run `{COMMAND}` and commit what it writes"
    assert CHECKED_IN[name].read_text() == as_text(GENERATED[name]), (
        f"the model has changed; run `{COMMAND}` and commit what it writes"
    )


def test_what_no_model_gives_any_more_is_an_earlier_version_that_is_still_read() -> None:
    present = {model.__name__: model.version for models in schemas.MODELS.values() for model in models.values()}
    for name in set(CHECKED_IN) - set(GENERATED):
        type_name, _, version = name.removesuffix(".json").partition("/")[2].partition(".v")
        assert is_readable(type_name, int(version), present[type_name]), "register it in events/upcasting.py"


@pytest.mark.parametrize("name", CHECKED_IN)
def test_each_file_is_a_json_schema_that_says_what_it_is(name: str) -> None:
    schema = _checked_in(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"pipeloom:/schemas/{name}"
    assert name.split("/")[1].startswith(f"{schema['title']}.v")
    assert schema["description"]


def test_a_command_on_the_wire_fits_its_schema_and_another_value_does_not() -> None:
    validator = Draft202012Validator(_checked_in("commands/PipelineRequested.v1.json"))
    data = PipelineRequested(pipeline_name="churn", step_names=["train"]).model_dump_json()
    assert validator.is_valid(json.loads(data))
    assert not validator.is_valid({"pipeline_name": 7, "step_names": ["train"]})


def test_a_result_on_the_wire_fits_its_schema_and_less_does_not() -> None:
    validator = Draft202012Validator(_checked_in("events/PipelineCreated.v1.json"))
    pipeline = Pipeline(
        pipeline_name="churn",
        step_names=["train"],
        connections=[],
        inputs=[],
        outputs=[],
        status="Ready",
        created_at="2026-01-31T12:00:00.000Z",
        created_by="ada",
    )
    data = json.loads(PipelineCreated(pipeline=pipeline).model_dump_json())
    assert validator.is_valid(data)
    del data["pipeline"]["status"]
    assert not validator.is_valid(data)


def test_writing_again_changes_nothing(published: Path) -> None:
    assert write_schemas(published) == []


def test_a_changed_description_is_written(published: Path) -> None:
    file = published / "commands/PipelineRequested.v1.json"
    file.write_text(file.read_text().replace("Ask for a pipeline", "Please make a pipeline"))
    assert write_schemas(published) == ["commands/PipelineRequested.v1.json"]
    assert write_schemas(published) == []


def test_a_broken_promise_is_not_written(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PipelineRequested(CommandData):
        pipeline_name: str
        priority: int

    monkeypatch.setitem(schemas.MODELS, "commands", {"PipelineRequested": PipelineRequested})
    before = {path: path.read_bytes() for path in published.rglob("*.json")}
    with pytest.raises(
        ValueError, match=r"PipelineRequested\.v1\.json \(released in 0\.1\.0\): priority left out: was"
    ):
        write_schemas(published)
    assert {path: path.read_bytes() for path in published.rglob("*.json")} == before


def test_what_was_never_released_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_schemas(tmp_path)
    monkeypatch.setitem(
        schemas.MODELS, "commands", {"PipelineRequested": create_model("PipelineRequested", __base__=CommandData)}
    )
    assert write_schemas(tmp_path) == ["commands/PipelineRequested.v1.json"]


def test_a_new_version_stands_beside_the_old_one(published: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class PipelineRequested(CommandData):
        version: ClassVar[int] = 2
        pipeline_name: str
        priority: int

    monkeypatch.setitem(schemas.MODELS, "commands", {"PipelineRequested": PipelineRequested})
    assert write_schemas(published) == ["commands/PipelineRequested.v2.json"]
    assert (published / "commands/PipelineRequested.v1.json").exists()
