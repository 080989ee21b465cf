"""What was released is kept: `python -m events.releases VERSION` freezes the present schemas as a release."""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from events.compatibility import breaking_changes, surprises
from events.topics import COMMANDS_TOPIC, TOPICS

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"
Schema = Mapping[str, Any]


class Promise(NamedTuple):
    """A schema as it was released: in which release, and under which name."""

    release: str
    name: str
    schema: Schema


def promises(folder: Path) -> Iterator[Promise]:
    """Give every schema of every release under `folder`."""
    for path in sorted((folder / "released").glob("*/*/*.json")):
        release, *name = path.relative_to(folder / "released").parts
        yield Promise(release, "/".join(name), json.loads(path.read_text(encoding="utf-8")))


def broken_promises(name: str, released: Schema, schema: Schema) -> list[str]:
    """Return what `schema` breaks of the one that was released under the same name.

    Producers and the event log rely on what was valid; consumers of events also on nothing else coming.
    """
    old, new = dict(released), dict(schema)
    return breaking_changes(old, new) + ([] if _is_of_command(name) else surprises(old, new))


def _is_of_command(name: str) -> bool:
    return name.startswith(f"{COMMANDS_TOPIC.suffix}/")


def broken_releases(folder: Path, schemas: Mapping[str, Schema]) -> list[str]:
    """Return what the present `schemas`, and the earlier versions kept under `folder`, break of any release."""
    return [
        f"{promise.name} (released in {promise.release}): {broken}"
        for promise in promises(folder)
        for broken in _broken(folder, schemas, promise)
    ]


def _broken(folder: Path, schemas: Mapping[str, Schema], promise: Promise) -> list[str]:
    schema = schemas.get(promise.name)
    if schema is not None:
        return broken_promises(promise.name, promise.schema, schema)
    return [] if (folder / promise.name).exists() else ["the schema is gone; records of it are still read"]


def freeze(folder: Path, release: str) -> Path:
    """Keep the schemas under `folder` as those of `release`. Raises ValueError when there is one of that name."""
    frozen = folder / "released" / release
    if frozen.exists():
        raise ValueError(f"{release} is released already; what was released does not change")
    for topic in TOPICS:
        shutil.copytree(folder / topic.suffix, frozen / topic.suffix)
    return frozen


def main(arguments: list[str]) -> None:
    """Freeze the present schemas. Exits with 1 when that release exists."""
    if len(arguments) != 1:
        sys.exit("Name the release: python -m events.releases 0.2.0")
    try:
        print(f"frozen: {freeze(SCHEMAS, arguments[0])}")
    except ValueError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main(sys.argv[1:])
