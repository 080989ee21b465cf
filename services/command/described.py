"""Describes, for OpenAPI, the bodies that routes read themselves."""

from typing import Any

from pydantic import BaseModel

from events import names
from services.kit.parameters import NAME_PATTERN


def body_of(model: type[BaseModel], example: Any, *media_types: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the OpenAPI description of a body that the route reads itself; the fields in `without` are the route's."""
    schema = model.model_json_schema()
    described = _inlined(schema, schema.get("$defs", {}))
    for name in without:
        described["properties"].pop(name, None)
    described["required"] = [name for name in described.get("required", []) if name not in without]
    content = {media_type: {"schema": described, "example": example} for media_type in media_types}
    return {"requestBody": {"required": True, "content": content}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return `schema` with what its references lead to in their place: an OpenAPI document has no `$defs`."""
    match schema:
        case {"$ref": str(reference), **beside}:
            return {**_inlined(definitions[reference.removeprefix("#/$defs/")], definitions), **beside}
        case {"pattern": names.PUBLISHED_PATTERN, **beside}:  # the API can say more than what was published
            return {**_inlined(beside, definitions), "pattern": NAME_PATTERN}
        case dict():
            return {key: _inlined(value, definitions) for key, value in schema.items() if key != "$defs"}
        case list():
            return [_inlined(each, definitions) for each in schema]
        case _:
            return schema
