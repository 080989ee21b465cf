"""The base of every model that travels: frozen, strict about types, deaf to unknown fields."""

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """A value of the language. Unknown fields are ignored, so that newer writers do no harm."""

    model_config = ConfigDict(frozen=True, strict=True, extra="ignore", allow_inf_nan=False)
