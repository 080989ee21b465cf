"""`pipeloom deployments`: pipelines put into production, by an endpoint or a schedule."""

from enum import StrEnum
from typing import Annotated

import typer

from pipeloom.cli.connection import connected, existing
from pipeloom.cli.mappings import INPUT_HELP, OUTPUT_HELP, input_mappings, output_mappings
from pipeloom.cli.output import Output, OutputOption, show, show_all

app = typer.Typer(no_args_is_help=True, help="Put pipelines into production, by an endpoint or a schedule.")

Name = Annotated[str, typer.Argument(help="The deployment's name.")]


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
    "--input months=constant:3 --output-to risk=null"
)
def create(
    name: Name,
    pipeline: Annotated[str, typer.Option(help="The pipeline that it runs.")],
    rule: Annotated[Rule, typer.Option(help="Run it when it is called, or by a schedule.")],
    schedule: Annotated[str | None, typer.Option(help="Five cron fields in UTC; for the periodic rule.")] = None,
    mode: Annotated[Mode, typer.Option(help="How it keeps its resources.")] = Mode.ELASTIC,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    inputs: Annotated[list[str], typer.Option("--input", help=INPUT_HELP)] = [],  # noqa: B006 - typer copies it
    outputs: Annotated[list[str], typer.Option("--output-to", help=OUTPUT_HELP)] = [],  # noqa: B006
    output: OutputOption = Output.TABLE,
) -> None:
    """Deploy a pipeline. An endpoint maps what is left out to its own inputs and outputs; a periodic one maps all."""
    mapped = (input_mappings(inputs), output_mappings(outputs))
    with connected() as client:
        document = client.create_deployment(name, pipeline, rule.value, schedule, mode.value, description, *mapped)
        show(document, output)


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


@app.command(epilog="Example: pipeloom deployments delete nightly")
def delete(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Delete a deployment; its pipeline stays."""
    with connected() as client:
        show(client.delete_deployment(name), output)
