"""Where a deployment's inputs come from and its outputs go: what is asked, and what is so (source: sdk-contract 7)."""

from typing import Annotated, Any

from pydantic import Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from events.model import Model
from events.names import VariableName

Label = Annotated[str, Field(min_length=1, max_length=255)]
StorePath = Annotated[str, Field(min_length=1, max_length=1024)]


def _renamed(given: Any, old: str, new: str) -> Any:
    """Return an entry with the name that clients up to 0.43 use replaced by the one that is used since."""
    if not isinstance(given, dict) or old not in given:
        return given
    fields = {key: value for key, value in given.items() if key != old}
    if fields.setdefault(new, given[old]) != given[old]:
        raise PydanticCustomError("two_names", f"{old} and {new} are the same field and must not differ")
    return fields


class InputMapping(Model):
    """Where one input of the pipeline comes from: exactly one source, the others left out.

    `is_required` and `default_value` belong to `endpoint_input_name`. `step_input_name` is read as
    `pipeline_input_name` too.
    """

    pipeline_input_name: Label
    endpoint_input_name: Label | None = None
    is_required: bool | None = None
    default_value: JsonValue = None
    constant_value: JsonValue = None
    environment_variable_name: VariableName | None = None
    is_null: bool | None = None
    datastore_path: StorePath | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_any_client(cls, given: Any) -> Any:
        return _renamed(given, "step_input_name", "pipeline_input_name")

    def sources(self) -> list[str]:
        """Return the fields that name a source; one is right."""
        values = {
            "endpoint_input_name": self.endpoint_input_name,
            "constant_value": self.constant_value,
            "environment_variable_name": self.environment_variable_name,
            "is_null": self.is_null or None,
            "datastore_path": self.datastore_path,
        }
        return [name for name, value in values.items() if value is not None]


class OutputMapping(Model):
    """Where one output of the pipeline goes: exactly one destination, the others left out.

    `step_output_name` is read as `pipeline_output_name` too.
    """

    pipeline_output_name: Label
    endpoint_output_name: Label | None = None
    is_null: bool | None = None
    datastore_path: StorePath | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_any_client(cls, given: Any) -> Any:
        return _renamed(given, "step_output_name", "pipeline_output_name")

    def destinations(self) -> list[str]:
        """Return the fields that name a destination; one is right."""
        values = {
            "endpoint_output_name": self.endpoint_output_name,
            "is_null": self.is_null or None,
            "datastore_path": self.datastore_path,
        }
        return [name for name, value in values.items() if value is not None]
