"""`pipeloom deployments`: pipelines put into production, by an endpoint or a schedule."""

from enum import StrEnum
from typing import Annotated

import typer

from pipeloom.cli.connection import connected, existing
from pipeloom.cli.mappings import input_mappings, output_mappings
from pipeloom.cli.names import checked
from pipeloom.cli.output import Output, OutputOption, show, show_all
from pipeloom.cli.writing import KeyOption, WaitOption, YesOption, carry_out, demand_consent
from pipeloom.client import writes

app = typer.Typer(no_args_is_help=True, help="Put pipelines into production, by an endpoint or a schedule.")

Name = Annotated[str, typer.Argument(help="The deployment's name.", callback=checked)]


class Rule(StrEnum):
    """When a deployment runs its pipeline."""

    ENDPOINT = "endpoint"
    PERIODIC = "periodic"


class Mode(StrEnum):
    """How a deployment keeps its resources."""

    ELASTIC = "elastic"
    LOW_LATENCY = "low_latency"


@app.command(
    epilog="Example: pipeloom deployments create nightly --pipeline churn --rule periodic --schedule '0 3 * * *' "
    "--map-input months=constant:12 --map-output risk=null"
)
def create(
    name: Name,
    pipeline: Annotated[str, typer.Option(help="The pipeline that it runs.", callback=checked)],
    rule: Annotated[Rule, typer.Option(help="Run it when it is called, or by a schedule.")],
    schedule: Annotated[str | None, typer.Option(help="Five cron fields in UTC; for the periodic rule.")] = None,
    map_input: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FROM",
            help="Where an input comes from: constant:VALUE, variable:NAME, endpoint:NAME, datastore:PATH or null; "
            "repeatable.",
        ),
    ] = None,
    map_output: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TO", help="Where an output goes: endpoint:NAME, datastore:PATH or null; repeatable."
        ),
    ] = None,
    mode: Annotated[Mode, typer.Option(help="How it keeps its resources.")] = Mode.ELASTIC,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Deploy a pipeline."""
    _check_schedule(rule, schedule)
    write = writes.create_deployment(
        name,
        pipeline,
        rule.value,
        schedule,
        mode.value,
        description,
        input_mappings(map_input) if map_input else None,
        output_mappings(map_output) if map_output else None,
        idempotency_key=idempotency_key,
    )
    carry_out(write, output, wait=wait)


@app.command(epilog="Example: pipeloom deployments get nightly")
def get(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show one deployment."""
    with connected() as client:
        show(existing(client.get_deployment(name), f"There is no deployment '{name}'."), output)


@app.command("list", epilog="Example: pipeloom deployments list")
def list_all(output: OutputOption = Output.TABLE) -> None:
    """List all deployments."""
    with connected() as client:
        show_all(
            client.list_deployments(),
            ("name", "pipeline_name", "execution_rule", "is_enabled", "created_at"),
            output,
            if_none="No deployments yet. Create one: pipeloom deployments create NAME --pipeline P --rule endpoint",
        )


@app.command(epilog="Example: pipeloom deployments delete nightly --yes")
def delete(
    name: Name,
    yes: YesOption = False,
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete a deployment; its pipeline stays."""
    demand_consent(f"Delete the deployment '{name}'?", is_given=yes)
    carry_out(writes.delete_deployment(name, idempotency_key=idempotency_key), output, wait=wait)


def _check_schedule(rule: Rule, schedule: str | None) -> None:
    if rule is Rule.PERIODIC and schedule is None:
        raise typer.BadParameter("A periodic deployment needs a schedule: --schedule '0 6 * * 1'.")
    if rule is Rule.ENDPOINT and schedule is not None:
        raise typer.BadParameter("An endpoint runs when it is called: leave --schedule out, or say --rule periodic.")
