"""The `pipeloom` command: what there is to type."""

import typer

from pipeloom.cli import deployments, pipelines, services, steps
from pipeloom.cli.demo import demo
from pipeloom.cli.up import up

HERE, RUNNING, SERVER = "All of it on this machine", "With a running Pipeloom", "For those who operate it"

app = typer.Typer(
    name="pipeloom",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help=(
        "Compose machine-learning steps into pipelines and keep their lifecycle, on Kafka and Postgres.\n\n"
        "New here? `pipeloom demo` shows what it does, `pipeloom up` starts it on this machine. The commands about "
        "steps, pipelines and deployments read PIPELOOM_URL and PIPELOOM_SDK_TOKEN (or CRAFT_AI_SDK_TOKEN); "
        "`set -a; . .pipeloom/env; set +a` loads those of `pipeloom up`."
    ),
    epilog="Exit codes: 0 done, 1 refused, 2 wrong usage, 3 the service is not there or the outcome is unknown.",
)

app.command(epilog="Example: pipeloom demo", rich_help_panel=HERE)(demo)
app.command(epilog="Example: pipeloom up --http-port 8080", rich_help_panel=HERE)(up)

app.add_typer(steps.app, name="steps", rich_help_panel=RUNNING)
app.add_typer(pipelines.app, name="pipelines", rich_help_panel=RUNNING)
app.add_typer(deployments.app, name="deployments", rich_help_panel=RUNNING)

app.command(epilog="Example: pipeloom serve composer", rich_help_panel=SERVER)(services.serve)
app.command(epilog="Example: pipeloom init", rich_help_panel=SERVER)(services.init)
app.command(
    epilog="Example: pipeloom admin bootstrap --environment demo --user demo",
    rich_help_panel=SERVER,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(services.admin)
