"""`pipeloom demo`: the main job, told as a story."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from pipeloom.cli.extras import explain


def demo(
    data_dir: Annotated[
        Path | None,
        typer.Option(
            help="Where the demo keeps its data; by default a temporary folder of its own.", show_default=False
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(
            help="Use the Pipeloom that runs there, with the token and the Kafka of the environment variables, "
            "instead of starting one."
        ),
    ] = None,
) -> None:
    """Show what Pipeloom does, as a story that checks itself, on a Kafka and a Postgres of its own.

    A step becomes Ready, a pipeline is composed, what cannot be is refused, a deployment blocks the deletion, and a
    consumer reads the events. It may run beside a `pipeloom up`.

    Ends by itself: with 0 when all of it held, with 1 when not all did or it could not go on, with 2 on wrong usage or
    when a package is missing, and with 128 plus the signal's number (Ctrl-C: 130) when it was stopped before the end.
    """
    try:
        from pipeloom.demo.run import run_demo  # needs the extra
    except ModuleNotFoundError as error:
        explain(error, "local")
    raise typer.Exit(asyncio.run(run_demo(data_dir, url)))
