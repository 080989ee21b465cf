"""The base of every model that travels: frozen, strict about types, deaf to unknown fields."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value of the language. Unknown fields are ignored, so that newer writers do no harm."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)


class Versioned(Model):
    """The data of a command or of an event, in one version of its type; the type's name is the class's name."""

    version: ClassVar[int] = 1
