"""`serve`, `init`, `admin`, `verify`, `rebuild` and `prune`: the server's side, one process at a time."""

from enum import StrEnum
from typing import Annotated

import typer

from pipeloom.cli.extras import run_module


class Service(StrEnum):
    """The processes that Pipeloom consists of."""

    COMPOSER = "composer"
    RELAY = "relay"
    BUILDER = "builder"
    MONITOR = "monitor"
    WEBHOOKS = "webhooks"
    GATEWAY = "gateway"
    COMMAND = "command"
    QUERY = "query"


def serve(
    name: Annotated[Service, typer.Argument(help="Which one; `gateway` serves command and query on one port.")],
) -> None:
    """Run one service until it is told to stop (Ctrl-C, SIGTERM).

    Kafka and Postgres are the ones that PIPELOOM_KAFKA__BOOTSTRAP_SERVERS and PIPELOOM_POSTGRES__DSN name. Run
    `pipeloom init` once before. For all services at once, on this machine, there is `pipeloom up`.
    """
    run_module(f"services.{name.value}")


def init() -> None:
    """Create or update the database's tables and create the Kafka topics; harmless when all is there."""
    run_module("services.init")


def admin(context: typer.Context) -> None:
    """Create environments, users and tokens (`pipeloom admin --help` says how)."""
    run_module("services.admin", context.args)


def verify(context: typer.Context) -> None:
    """Hold the projection against a replay of the event log, while the system runs (`pipeloom verify --help`)."""
    run_module("services.composer.recovery", ["verify", *context.args])


def rebuild(context: typer.Context) -> None:
    """Build the projection anew from the event log, then swap it in, all while running (`pipeloom rebuild --help`)."""
    run_module("services.composer.recovery", ["rebuild", *context.args])


def prune(context: typer.Context) -> None:
    """Take what is older than it is kept out of the event log, while the system runs (`pipeloom prune --help`)."""
    run_module("services.composer.retention", context.args)
