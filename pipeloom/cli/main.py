"""The `pipeloom` command: what there is to type."""

from importlib.metadata import version
from typing import Annotated

import typer

from pipeloom.cli import (
    commands,
    config,
    dead_letters,
    deployments,
    pipelines,
    profiles,
    services,
    steps,
    variables,
    webhooks,
)
from pipeloom.cli.activity import activity
from pipeloom.cli.demo import demo
from pipeloom.cli.events import events
from pipeloom.cli.exits import EXIT_CODES
from pipeloom.cli.program import Program
from pipeloom.cli.status import status
from pipeloom.cli.trace import trace
from pipeloom.cli.up import up

HERE, RUNNING, SERVER = "All of it on this machine", "With a running Pipeloom", "For those who operate it"

app = typer.Typer(
    name="pipeloom",
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Compose machine-learning steps into pipelines and keep their lifecycle, on Kafka and Postgres.\n\n"
        "New here? `pipeloom demo` shows what it does, `pipeloom up` starts it on this machine. The commands about "
        "steps, pipelines, deployments and variables read PIPELOOM_URL and PIPELOOM_SDK_TOKEN (or CRAFT_AI_SDK_TOKEN), "
        "or a profile: see `pipeloom config show --help`. To load those of `pipeloom up`, type "
        "`set -a; . .pipeloom/env; set +a`"
    ),
    epilog=EXIT_CODES,
)


def _tell_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"pipeloom {version('pipeloom')}")
        raise typer.Exit


@app.callback()
def begin(
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Take address and token from this profile of the config file.")
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take what holds for every command."""
    profiles.choose(profile)


app.command(epilog="Example: pipeloom demo", rich_help_panel=HERE)(demo)
app.command(epilog="Example: pipeloom up --http-port 8080", rich_help_panel=HERE)(up)

app.add_typer(steps.app, name="steps", rich_help_panel=RUNNING)
app.add_typer(pipelines.app, name="pipelines", rich_help_panel=RUNNING)
app.add_typer(deployments.app, name="deployments", rich_help_panel=RUNNING)
app.add_typer(variables.app, name="variables", rich_help_panel=RUNNING)
app.add_typer(commands.app, name="commands", rich_help_panel=RUNNING)
app.add_typer(dead_letters.app, name="dead-letters", rich_help_panel=RUNNING)
app.add_typer(webhooks.app, name="webhooks", rich_help_panel=RUNNING)
app.command(epilog="Example: pipeloom events --type PipelineCreated --since beginning", rich_help_panel=RUNNING)(events)
app.command(epilog="Example: pipeloom activity --minutes 5", rich_help_panel=RUNNING)(activity)
app.add_typer(config.app, name="config", rich_help_panel=RUNNING)

app.command(epilog="Example: pipeloom status --watch", rich_help_panel=SERVER)(status)
app.command(epilog="Example: pipeloom serve composer", rich_help_panel=SERVER)(services.serve)
app.command(epilog="Example: pipeloom init", rich_help_panel=SERVER)(services.init)
app.command(epilog="Example: pipeloom trace .pipeloom/traces.jsonl", rich_help_panel=SERVER)(trace)
app.command(
    epilog="Example: pipeloom admin bootstrap --environment demo --user demo",
    rich_help_panel=SERVER,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(services.admin)
for _operation, _example in (
    (services.verify, "pipeloom verify --output json"),
    (services.rebuild, "pipeloom rebuild --dry-run"),
    (services.prune, "pipeloom prune --keep-days 90 --dry-run"),
):
    app.command(
        epilog=f"Example: {_example}",
        rich_help_panel=SERVER,
        add_help_option=False,
        context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
    )(_operation)
