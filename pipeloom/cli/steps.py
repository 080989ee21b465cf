"""`pipeloom steps`: code from a repository or a folder, with declared inputs and outputs."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeloom.cli.building import building, usable_files
from pipeloom.cli.connection import connected, existing
from pipeloom.cli.declared import (
    BranchOption,
    DeployKeyOption,
    IncludeOption,
    RequirementsOption,
    ReturnsOption,
    TakesOption,
    container_config,
    inputs_of,
    outputs_of,
)
from pipeloom.cli.names import checked
from pipeloom.cli.output import Output, OutputOption, show, show_all, show_log
from pipeloom.cli.trail import LimitOption, OldestFirstOption, show_history
from pipeloom.cli.writing import KeyOption, WaitOption, YesOption, carry_out, demand_consent, show_id
from pipeloom.client import writes

app = typer.Typer(no_args_is_help=True, help="Turn functions in a repository or a folder into steps.")

Name = Annotated[str, typer.Argument(help="The step's name.", callback=checked)]
BuildWaitOption = Annotated[
    bool, typer.Option("--wait/--no-wait", help="Wait until it is Ready, or only print the id of the command.")
]

_EXAMPLES = (
    "Example: pipeloom steps create train --repository https://github.com/me/churn.git --path src/train.py "
    "--function train --takes rows:json:required --returns score:number\n\n"
    "Example: pipeloom steps create train --folder . --include src --requirements requirements.txt "
    "--path src/train.py --function train"
)


@app.command(epilog=_EXAMPLES)
def create(
    name: Name,
    path: Annotated[str, typer.Option(help="The file that defines the function, relative to the root of the code.")],
    function: Annotated[str, typer.Option(help="The function's name.")],
    repository: Annotated[str | None, typer.Option(help="The URL of the git repository with the code.")] = None,
    folder: Annotated[
        Path | None,
        typer.Option(exists=True, file_okay=False, help="The folder with the code, which is uploaded, instead."),
    ] = None,
    branch: BranchOption = None,
    takes: TakesOption = None,
    returns: ReturnsOption = None,
    requirements: RequirementsOption = None,
    include: IncludeOption = None,
    deploy_key_file: DeployKeyOption = None,
    description: Annotated[str | None, typer.Option(help="What it does.")] = None,
    wait: BuildWaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Create a step from a function in a git repository, or in a folder of this machine.

    TYPE is one of string, number, boolean, json, array, file. Of a folder, .git and __pycache__ stay here.
    """
    _demand_one_source(repository, folder, branch, deploy_key_file)
    asked: dict[str, Any] = {
        "step_name": name,
        "function_path": path,
        "function_name": function,
        "description": description,
        "container_config": container_config(repository, branch, requirements, include, deploy_key_file),
        "inputs": inputs_of(takes or []),
        "outputs": outputs_of(returns or []),
        "folder": folder,
        "idempotency_key": idempotency_key,
    }
    if not wait:
        with connected() as client, usable_files():
            command_id = client.submit(writes.create_step(**asked))
        show_id(command_id, output)
        return
    with connected() as client, building(name, folder) as on_upload:
        document = client.create_step(**asked, on_upload=on_upload)
    show(document, output)


@app.command(
    epilog="Example: pipeloom steps update train\n\nExample: pipeloom steps update train --branch next --function fit"
)
def update(
    name: Name,
    path: Annotated[str | None, typer.Option(help="The file that defines the function.")] = None,
    function: Annotated[str | None, typer.Option(help="The function's name.")] = None,
    repository: Annotated[str | None, typer.Option(help="The URL of the git repository with the code.")] = None,
    branch: BranchOption = None,
    takes: TakesOption = None,
    returns: ReturnsOption = None,
    requirements: RequirementsOption = None,
    include: IncludeOption = None,
    deploy_key_file: DeployKeyOption = None,
    description: Annotated[str | None, typer.Option(help="What it does.")] = None,
    wait: BuildWaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Build a step anew, for example from the last commit of its branch. What is left out stays as it is.

    While pipelines use the step, its inputs and outputs have to stay. A step from a folder cannot be updated: delete it
    and create it again.
    """
    asked: dict[str, Any] = {
        "step_name": name,
        "function_path": path,
        "function_name": function,
        "description": description,
        "container_config": container_config(repository, branch, requirements, include, deploy_key_file) or None,
        "inputs": inputs_of(takes) if takes else None,
        "outputs": outputs_of(returns) if returns else None,
        "idempotency_key": idempotency_key,
    }
    if not wait:
        carry_out(writes.update_step(**asked), output, wait=False)
        return
    with connected() as client, building(name):
        document = client.update_step(**asked)
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
            free=("repository_url",),
        )


@app.command(epilog="Example: pipeloom steps logs train")
def logs(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show what is known of the last build of a step, a line for each thing that happened."""
    with connected() as client:
        show_log(client.get_step_logs(name), output)


@app.command(epilog="Example: pipeloom steps download train --to /tmp")
def download(
    name: Name,
    to: Annotated[Path, typer.Option(exists=True, file_okay=False, help="The folder to save it in.")] = Path(),
    output: OutputOption = Output.TABLE,
) -> None:
    """Save the code that a step was built from as NAME.tgz, a gzip tar, and print the path of that file.

    A file of that name is replaced.
    """
    with connected() as client, usable_files():
        path = client.download_step_local_folder(name, to)
    if output is Output.JSON:
        show({"path": str(path)}, output)
    else:
        typer.echo(str(path))


@app.command(epilog="Example: pipeloom steps history train --oldest-first")
def history(
    name: Name,
    oldest_first: OldestFirstOption = False,
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who did what to a step when, and what was refused about it; also when it is gone."""
    show_history("step", name, limit, output, oldest_first=oldest_first)


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


def _demand_one_source(
    repository: str | None, folder: Path | None, branch: str | None, deploy_key_file: Path | None
) -> None:
    if (repository is None) == (folder is None):
        raise typer.BadParameter("Say where the code is: --repository URL or --folder PATH, one of them.")
    if folder is not None and (branch is not None or deploy_key_file is not None):
        raise typer.BadParameter("--branch and --deploy-key-file go with --repository: a folder is taken as it is.")
