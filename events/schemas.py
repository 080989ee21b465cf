"""The JSON Schemas of every type on a topic, made from the models: `python -m events.schemas` writes them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from events.envelope import schema_uri
from events.model import Versioned
from events.releases import SCHEMAS, broken_releases
from events.topics import TOPICS

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Model = type[Versioned]
MODELS: dict[str, Mapping[str, Model]] = {topic.suffix: topic.models for topic in TOPICS}


def schema_name(folder: str, model: Model) -> str:
    """Return where a model's schema stands under schemas/, for example `commands/StepRequested.v1.json`."""
    return f"{folder}/{model.__name__}.v{model.version}.json"


def schema_of(folder: str, model: Model) -> dict[str, Any]:
    """Return the JSON Schema of one type in its present version; its `$id` is the `dataschema` of records of it."""
    uri = schema_uri(folder, model.__name__, model.version)
    return {"$schema": DIALECT, "$id": uri, **model.model_json_schema()}


def all_schemas() -> dict[str, dict[str, Any]]:
    """Return every type's schema by its name under schemas/."""
    return {
        schema_name(folder, model): schema_of(folder, model)
        for folder, models in MODELS.items()
        for model in models.values()
    }


def as_text(schema: Mapping[str, Any]) -> str:
    """Return what a schema's file holds: the same text for the same schema."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def write_schemas(folder: Path) -> list[str]:
    """Write the schemas that changed under `folder` and return their names.

    Schemas of earlier versions stay: Kafka still holds records of them. Raises ValueError, and writes nothing, when
    what was released would break.
    """
    schemas = all_schemas()
    if broken := broken_releases(folder, schemas):
        raise ValueError("\n".join(broken))
    changed = [name for name, schema in schemas.items() if _read(folder / name) != as_text(schema)]
    for name in changed:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(schemas[name]), encoding="utf-8")
    return sorted(changed)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> None:
    """Write the schemas and tell which ones changed. Exits with 1 when a released version would break."""
    try:
        changed = write_schemas(SCHEMAS)
    except ValueError as error:
        sys.exit(
            f"{error}\nNothing was written. Raise `version` of these models, and keep reading the released version: "
            "CONTRIBUTING.md tells how."
        )
    print(f"schemas written: {', '.join(changed) or 'none had changed'}")


if __name__ == "__main__":
    main()
