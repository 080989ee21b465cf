"""`pipeloom pipelines`: steps composed into something that can be deployed."""

from typing import Annotated

import typer

from pipeloom.cli.connection import connected, existing
from pipeloom.cli.names import checked
from pipeloom.cli.output import Output, OutputOption, show, show_all, show_log
from pipeloom.cli.trail import LimitOption, OldestFirstOption, show_history
from pipeloom.cli.writing import KeyOption, WaitOption, YesOption, carry_out, demand_consent
from pipeloom.client import writes

app = typer.Typer(no_args_is_help=True, help="Compose, list and delete pipelines.")

Name = Annotated[str, typer.Argument(help="The pipeline's name.", callback=checked)]


@app.command(epilog="Example: pipeloom pipelines create churn --step train")
def create(
    name: Name,
    step: Annotated[str, typer.Option(help="The step that it consists of; it must be Ready.", callback=checked)],
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Create a pipeline on a step. Its inputs and outputs are the step's."""
    carry_out(writes.create_pipeline(name, step, idempotency_key=idempotency_key), output, wait=wait)


@app.command(epilog="Example: pipeloom pipelines get churn --output json")
def get(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show one pipeline."""
    with connected() as client:
        show(existing(client.get_pipeline(name), f"There is no pipeline '{name}'."), output)


@app.command("list", epilog="Example: pipeloom pipelines list")
def list_all(output: OutputOption = Output.TABLE) -> None:
    """List all pipelines."""
    with connected() as client:
        show_all(
            client.list_pipelines(),
            ("pipeline_name", "status", "created_at"),
            output,
            if_none="No pipelines yet. Create one: pipeloom pipelines create NAME --step STEP",
        )


@app.command(epilog="Example: pipeloom pipelines logs churn")
def logs(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show what is known of the creation of a pipeline."""
    with connected() as client:
        show_log(client.get_pipeline_logs(name), output)


@app.command(epilog="Example: pipeloom pipelines history churn --oldest-first")
def history(
    name: Name,
    oldest_first: OldestFirstOption = False,
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who did what to a pipeline when, and what was refused about it; also when it is gone."""
    show_history("pipeline", name, limit, output, oldest_first=oldest_first)


@app.command(epilog="Example: pipeloom pipelines delete churn --force --yes")
def delete(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Delete the deployments that use it too.")] = False,
    yes: YesOption = False,
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a pipeline. Refused while deployments use it, unless forced."""
    demand_consent(f"Delete the pipeline '{name}'{' and all its deployments' if force else ''}?", is_given=yes)
    carry_out(writes.delete_pipeline(name, force, idempotency_key=idempotency_key), output, wait=wait)
