"""`pipeloom steps`: code from a repository, with declared inputs and outputs."""

from typing import Annotated, Any

import typer

from pipeloom.cli.connection import connected, existing
from pipeloom.cli.names import checked
from pipeloom.cli.output import Output, OutputOption, show, show_all, waiting
from pipeloom.cli.writing import KeyOption, WaitOption, YesOption, carry_out, demand_consent
from pipeloom.client import writes

app = typer.Typer(no_args_is_help=True, help="Turn functions in a repository into steps.")

TYPES = ("string", "number", "boolean", "json", "array", "file")

Name = Annotated[str, typer.Argument(help="The step's name.", callback=checked)]

_EXAMPLE = (
    "Example: pipeloom steps create train --repository https://github.com/me/churn.git "
    "--path src/train.py --function train --takes rows:json:required --returns score:number"
)


@app.command(epilog=_EXAMPLE)
def create(
    name: Name,
    path: Annotated[str, typer.Option(help="The file in the repository that defines the function.")],
    function: Annotated[str, typer.Option(help="The function's name.")],
    repository: Annotated[str, typer.Option(help="The git repository's URL.")],
    branch: Annotated[str | None, typer.Option(help="The branch; the repository's default without it.")] = None,
    takes: Annotated[
        list[str] | None, typer.Option(metavar="NAME:TYPE[:required]", help="An input of the function; repeatable.")
    ] = None,
    returns: Annotated[
        list[str] | None, typer.Option(metavar="NAME:TYPE", help="An output of the function; repeatable.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it does.")] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until it is Ready, or only print the id of the command.")
    ] = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Create a step from a function in a git repository.

    TYPE is one of string, number, boolean, json, array, file.
    """
    asked: dict[str, Any] = {
        "step_name": name,
        "function_path": path,
        "function_name": function,
        "description": description,
        "container_config": {"repository_url": repository} | ({"repository_branch": branch} if branch else {}),
        "inputs": [_input(text) for text in takes or []],
        "outputs": [_declared(text) for text in returns or []],
        "idempotency_key": idempotency_key,
    }
    if not wait:
        carry_out(writes.create_step(**asked), output, wait=False)
        return
    with connected() as client, waiting(f"Building the step '{name}' …"):
        document = client.create_step(**asked)
    show(document, output)


@app.command(epilog="Example: pipeloom steps get train")
def get(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show one step, and whether it is Ready."""
    with connected() as client:
        show(existing(client.get_step(name), f"There is no step '{name}'."), output)


@app.command("list", epilog="Example: pipeloom steps list")
def list_all(output: OutputOption = Output.TABLE) -> None:
    """List all steps."""
    with connected() as client:
        show_all(
            client.list_steps(),
            ("step_name", "status", "created_at", "repository_url"),
            output,
            if_none="No steps yet. See: pipeloom steps create --help",
        )


@app.command(epilog="Example: pipeloom steps delete train --force --yes")
def delete(
    name: Name,
    force: Annotated[
        bool, typer.Option("--force", help="Delete the pipelines on it and their deployments too.")
    ] = False,
    yes: YesOption = False,
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a step. Refused while pipelines use it, unless forced."""
    dependents = ", all pipelines on it and their deployments" if force else ""
    demand_consent(f"Delete the step '{name}'{dependents}?", is_given=yes)
    carry_out(writes.delete_step(name, force, idempotency_key=idempotency_key), output, wait=wait)


def _input(text: str) -> dict[str, Any]:
    declared = text.removesuffix(":required")
    return _declared(declared) | {"is_required": declared != text}


def _declared(text: str) -> dict[str, Any]:
    name, colon, data_type = text.rpartition(":")
    if not (name and colon and data_type):
        raise typer.BadParameter(f"'{text}' must be written as NAME:TYPE, for example rows:json.")
    if data_type not in TYPES:
        raise typer.BadParameter(f"'{text}': the type '{data_type}' is not one of {', '.join(TYPES)}.")
    return {"name": name, "data_type": data_type}
