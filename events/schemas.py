"""The JSON Schemas of every command and result, made from the models: `python -m events.schemas` writes them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from events.activity import ACTIVITY, ActivityData
from events.commands import COMMANDS, CommandData
from events.compatibility import breaking_changes, surprises
from events.results import RESULTS, EventData

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"

Model = type[CommandData] | type[EventData] | type[ActivityData]
MODELS: dict[str, Mapping[str, Model]] = {"commands": COMMANDS, "events": RESULTS, "activity": ACTIVITY}


def schema_name(folder: str, model: Model) -> str:
    """Return where a model's schema stands under schemas/, for example `commands/StepRequested.v1.json`."""
    return f"{folder}/{model.__name__}.v{model.version}.json"


def schema_of(folder: str, model: Model) -> dict[str, Any]:
    """Return the JSON Schema of one type in its present version."""
    return {"$schema": DIALECT, "$id": schema_name(folder, model), **model.model_json_schema()}


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


def broken_promises(name: str, published: Mapping[str, Any], schema: Mapping[str, Any]) -> list[str]:
    """Return what `schema` breaks of the one that was published under the same name.

    Producers and the event log rely on what was valid; consumers of events also on nothing else coming.
    """
    old, new = dict(published), dict(schema)
    return breaking_changes(old, new) + ([] if name.startswith("commands/") else surprises(old, new))


def write_schemas(folder: Path) -> list[str]:
    """Write the schemas that changed under `folder` and return their names; broken promises keep all from changing.

    Schemas of earlier versions stay: Kafka still holds records of them. Raises ValueError on broken promises.
    """
    schemas = all_schemas()
    changed = {name for name, schema in schemas.items() if _read(folder / name) != as_text(schema)}
    broken = [
        f"{name}: {promise}"
        for name in sorted(changed)
        if (text := _read(folder / name))
        for promise in broken_promises(name, json.loads(text), schemas[name])
    ]
    if broken:
        raise ValueError("\n".join(broken))
    for name in changed:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(as_text(schemas[name]), encoding="utf-8")
    return sorted(changed)


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def main() -> None:
    """Write the schemas and tell which ones changed. Exits with 1 when a published version would break."""
    try:
        changed = write_schemas(SCHEMAS)
    except ValueError as error:
        sys.exit(
            f"{error}\nNothing was written. Raise `version` of these models and keep reading the old version, or, "
            "if it was never released, delete its schema and run this again."
        )
    print(f"schemas written: {', '.join(changed) or 'none had changed'}")


if __name__ == "__main__":
    main()
