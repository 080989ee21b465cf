"""`pipeloom variables`: the variables of the environment, whose values are secrets."""

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from events.names import is_variable_name
from pipeloom.cli.connection import connected
from pipeloom.cli.output import Output, OutputOption, show, show_all
from pipeloom.cli.writing import KeyOption, WaitOption, YesOption, demand_consent, show_id
from pipeloom.client import writes

app = typer.Typer(no_args_is_help=True, help="Set the variables that deployments may map, and see which there are.")

MASK = "********"
ShowOption = Annotated[bool, typer.Option("--show", help="Show values: they are secrets.")]


def _known(name: str) -> str:
    if not is_variable_name(name):
        raise typer.BadParameter(f"'{name}' cannot be a variable: write letters, digits and _, no digit first.")
    return name


@app.command(
    "set",
    epilog="Example: pipeloom variables set REGION=eu API_KEY=- < key.txt\n\n"
    "Example: pipeloom variables set SSH_KEY=@id_ed25519",
)
def set_all(
    assignments: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=VALUE...", help="A value as it is, @FILE for the content of a file, or - for stdin."
        ),
    ],
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Set variables together, whether they exist or not: all of them, or none.

    Others on this machine can read the command line, so give a secret as @FILE (its content, byte for byte) or as -,
    which reads stdin without the line break at its end, and asks at a terminal without showing what is typed.
    """
    variables = _read(assignments)
    write = writes.create_or_update_environment_variables(variables, idempotency_key=idempotency_key)
    with connected() as client:
        if not wait:
            show_id(client.submit(write), output)
            return
        client.send(write)
    show({"set": list(variables)}, output)


@app.command("list", epilog="Example: pipeloom variables list --show --output json")
def list_all(show_values: ShowOption = False, output: OutputOption = Output.TABLE) -> None:
    """List all variables; their values only with --show."""
    with connected() as client:
        found = client.list_environment_variables()
    masked = [{"name": each["name"]} | ({"value": MASK} if output is Output.TABLE else {}) for each in found]
    show_all(
        found if show_values else masked,
        ("name", "value"),
        output,
        if_none="No variables yet. Set one: pipeloom variables set NAME=VALUE",
        free=("value",),
    )


@app.command(epilog="Example: pipeloom variables delete API_KEY --yes")
def delete(
    name: Annotated[str, typer.Argument(help="The variable's name.", callback=_known)],
    yes: YesOption = False,
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a variable. Deployments that map it stay."""
    demand_consent(f"Delete the variable '{name}'?", is_given=yes)
    write = writes.delete_environment_variable(name, idempotency_key=idempotency_key)
    with connected() as client:
        if not wait:
            show_id(client.submit(write), output)
            return
        client.send(write)
    show({"name": name}, output)


def _read(assignments: list[str]) -> dict[str, str]:
    pairs = [assignment.partition("=") for assignment in assignments]
    names = [_known(name) for name, _, _ in pairs]
    for name, equals, _ in pairs:
        if not equals:
            raise typer.BadParameter(f"'{name}' has no value: write {name}=VALUE, {name}=@FILE or {name}=-.")
        if names.count(name) > 1:
            raise typer.BadParameter(f"'{name}' is set twice.")
    if sum(value == "-" for _, _, value in pairs) > 1:
        raise typer.BadParameter("Only one value can come from stdin.")
    return {name: _value(name, text) for name, _, text in pairs}


def _value(name: str, text: str) -> str:
    try:
        if text == "-":
            return _from_stdin(name)
        return Path(text[1:]).read_bytes().decode() if text.startswith("@") else text
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise typer.BadParameter(f"The value of '{name}' cannot be read from '{text}': {why}.") from None


def _from_stdin(name: str) -> str:
    if sys.stdin is None:
        raise typer.BadParameter(f"The value of '{name}' is to come from stdin, which is closed.")
    if _is_terminal():
        return getpass.getpass(f"Value of {name} (not shown): ", stream=sys.stderr)
    return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")


def _is_terminal() -> bool:
    return sys.stdin.isatty()
