"""What a step is built from, as options: its inputs and outputs, and where its code is."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

TYPES = ("string", "number", "boolean", "json", "array", "file")

BranchOption = Annotated[
    str | None, typer.Option(help="The branch or tag of the repository; its default branch without it.")
]
TakesOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME:TYPE[:required]",
        help="An input of the function, for example months:number:required; repeatable.",
    ),
]
ReturnsOption = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME:TYPE", help="An output of the function, for example risk:number; repeatable."),
]
RequirementsOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="The requirements file, relative to the root of the code.")
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATH", help="Keep only this folder or file, relative to the root of the code; repeatable. Else all."
    ),
]
DeployKeyOption = Annotated[
    Path | None,
    typer.Option(
        exists=True,
        dir_okay=False,
        metavar="FILE",
        help="The file with the private key that reads the repository over ssh; it is sealed on its way.",
    ),
]


def inputs_of(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return the inputs that options declare. Raises BadParameter on one that says nothing."""
    return [_declared(text.removesuffix(":required")) | {"is_required": text.endswith(":required")} for text in texts]


def outputs_of(texts: Iterable[str]) -> list[dict[str, Any]]:
    """Return the outputs that options declare. Raises BadParameter on one that says nothing."""
    return [_declared(text) for text in texts]


def container_config(
    repository: str | None,
    branch: str | None,
    requirements: str | None,
    include: list[str] | None,
    deploy_key_file: Path | None,
) -> dict[str, Any]:
    """Return where the code is and what of it counts, without what is not given. Raises BadParameter."""
    given = {
        "repository_url": repository,
        "repository_branch": branch,
        "requirements_path": requirements,
        "included_folders": include or None,
        "repository_deploy_key": _key_in(deploy_key_file),
    }
    return {name: value for name, value in given.items() if value is not None}


def _key_in(file: Path | None) -> str | None:
    try:
        return None if file is None else file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"The deploy key in '{file}' cannot be read: {error}.") from error


def _declared(text: str) -> dict[str, Any]:
    name, colon, data_type = text.rpartition(":")
    if not (name and colon and data_type):
        raise typer.BadParameter(f"'{text}' must be written as NAME:TYPE, for example rows:json.")
    if data_type not in TYPES:
        raise typer.BadParameter(f"'{text}': the type '{data_type}' is not one of {', '.join(TYPES)}.")
    return {"name": name, "data_type": data_type}
