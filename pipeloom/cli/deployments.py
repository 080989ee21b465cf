"""`pipeloom deployments`: pipelines put into production, by an endpoint or a schedule."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import typer

from pipeloom.cli.connection import connected, existing
from pipeloom.cli.mappings import input_mappings, output_mappings
from pipeloom.cli.names import checked
from pipeloom.cli.output import Output, OutputOption, show, show_all, show_log
from pipeloom.cli.trail import LimitOption, OldestFirstOption, show_history
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
    "--map-input months=constant:12 --map-output risk=null\n\n"
    "Example: pipeloom deployments create live --pipeline churn --rule endpoint --mode low_latency --ram 512MiB"
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
    mode: Annotated[
        Mode, typer.Option(help="Take resources for each execution, or hold them for a quick start.")
    ] = Mode.ELASTIC,
    parallel: Annotated[
        bool | None,
        typer.Option("--parallel/--no-parallel", help="Several executions in a pod at once; for low_latency."),
    ] = None,
    max_parallel: Annotated[
        int | None, typer.Option(min=1, max=1000, metavar="N", help="At most so many at once; goes with --parallel.")
    ] = None,
    ram: Annotated[
        str | None, typer.Option(metavar="SIZE", help="The memory it asks for, as 512MiB; for low_latency.")
    ] = None,
    gpu: Annotated[
        int | None, typer.Option(min=0, max=1000, metavar="N", help="The GPUs it asks for; for low_latency.")
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    wait: WaitOption = True,
    idempotency_key: KeyOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Deploy a pipeline. The answer for an endpoint has its token, which is told this once."""
    _check_schedule(rule, schedule)
    _check_options(mode, {"--parallel": parallel, "--max-parallel": max_parallel, "--ram": ram, "--gpu": gpu})
    write = writes.create_deployment(
        pipeline,
        name,
        rule.value,
        mode.value,
        schedule,
        input_mappings(map_input) if map_input else None,
        output_mappings(map_output) if map_output else None,
        description,
        parallel,
        max_parallel,
        ram,
        gpu,
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
            expendable=("created_at", "is_enabled"),
        )


@app.command(epilog="Example: pipeloom deployments schedule nightly")
def schedule(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show when a periodic deployment comes due: in words, and the next three times in UTC."""
    with connected() as client:
        show(client.get_deployment_schedule(name), output)


@app.command(epilog="Example: pipeloom deployments logs live")
def logs(name: Name, output: OutputOption = Output.TABLE) -> None:
    """Show the log of a deployment: nothing yet, since nothing runs deployments so far."""
    with connected() as client:
        show_log(client.get_deployment_logs(name), output)


@app.command("new-token", epilog="Example: pipeloom deployments new-token live --yes --output json")
def new_token(
    name: Name, yes: YesOption = False, idempotency_key: KeyOption = None, output: OutputOption = Output.TABLE
) -> None:
    """Give an endpoint another token and show it, this once. The one before ends at once."""
    demand_consent(f"End the token of the endpoint '{name}' and make another?", is_given=yes)
    carry_out(writes.generate_new_endpoint_token(name, idempotency_key=idempotency_key), output, wait=True)


@app.command(epilog="Example: pipeloom deployments history live --oldest-first")
def history(
    name: Name,
    oldest_first: OldestFirstOption = False,
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who did what to a deployment when, and what was refused about it; also when it is gone."""
    show_history("deployment", name, limit, output, oldest_first=oldest_first)


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


def _check_options(mode: Mode, options: Mapping[str, object]) -> None:
    given = [option for option, value in options.items() if value is not None]
    if mode is not Mode.LOW_LATENCY and given:
        raise typer.BadParameter(f"{', '.join(given)}: for --mode low_latency only.")
