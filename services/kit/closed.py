"""Bodies of requests that take no other fields than their own."""

from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError


class Closed(BaseModel):
    """A body that refuses fields which it does not know, and names those that it does."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _has_known_fields_only(cls, given: Any) -> Any:
        unknown = [name for name in given if name not in cls.model_fields] if isinstance(given, dict) else []
        if unknown:
            known = ", ".join(cls.model_fields)
            fault = PydanticCustomError(
                "unknown_field", "is no field here; the known ones are {known}", {"known": known}
            )
            raise ValidationError.from_exception_data(
                cls.__name__, [InitErrorDetails(type=fault, loc=(name,), input=given[name]) for name in unknown]
            )
        return given
