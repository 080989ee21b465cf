"""`pipeloom status`: one screen of health."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer
from rich.console import Console
from rich.live import Live

from pipeloom.cli import profiles
from pipeloom.cli.connection import telling
from pipeloom.cli.exits import ExitCode, end
from pipeloom.cli.extras import explain
from pipeloom.cli.output import write
from pipeloom.local.admin import FILE_NAME, read_addresses

if TYPE_CHECKING:
    from pipeloom.status.report import Report

DataDir = Annotated[Path, typer.Option(help="The data folder of the `pipeloom up` to look at.")]
Admin = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=URL", help="The admin port of a process, instead of those in the data folder; repeatable."
    ),
]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Look again and again until Ctrl-C.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document; with --watch one a line for each look.")]
Interval = Annotated[
    float, typer.Option(min=0.2, max=3600, help="Seconds between two looks; rates and latencies are those in between.")
]


def status(
    data_dir: DataDir = Path(".pipeloom"),
    admin: Admin = None,
    watch: Watch = False,
    as_json: AsJson = False,
    interval: Interval = 1.0,
) -> None:
    """Show how every process is: readiness with reasons, lags, throughput, latencies and what was refused.

    The addresses come from admin.json in the data folder, which `pipeloom up` keeps, or from --admin, such as
    --admin composer=http://10.0.0.7:8081.

    Ends with 0 when every process is ready, with 1 when one is not or does not answer, with 2 on wrong usage or when
    there are no addresses. With --watch the last look counts.
    """
    addresses = _given(admin) if admin else read_addresses(data_dir / FILE_NAME)
    if not addresses:
        end(
            ExitCode.USAGE,
            f"There is no {FILE_NAME} with addresses in {data_dir}: name the folder of `pipeloom up` with --data-dir, "
            "or the processes with --admin NAME=URL.",
        )
    try:
        import prometheus_client.parser  # noqa: F401 - needs the extra
    except ModuleNotFoundError as error:
        explain(error, "server")
    show = _show_json if as_json else _show_screens
    last: list[Report] = []
    try:
        asyncio.run(show(_looks(addresses, interval, watch=watch), last, watch=watch))
    except KeyboardInterrupt:
        if not watch or not last:
            raise
    raise typer.Exit(0 if last[-1]["ready"] else 1)


def _given(admin: list[str]) -> dict[str, str]:
    addresses: dict[str, str] = {}
    for words in admin:
        name, _, url = words.rpartition("=") if "=" in words.partition("://")[0] else ("", "", words)
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise typer.BadParameter(f"write '{words}' as NAME=http://HOST:PORT.", param_hint="--admin")
        name = name or parts.netloc
        if name in addresses:
            raise typer.BadParameter(f"two processes are named '{name}'.", param_hint="--admin")
        addresses[name] = url
    return addresses


async def _looks(addresses: Mapping[str, str], interval: float, *, watch: bool) -> "AsyncIterator[Report]":
    """Give a report after each interval; one is enough without `watch`."""
    from pipeloom.status.report import report_of
    from pipeloom.status.scrape import scrape_all
    from pipeloom.status.troubles import Troubles

    with telling():
        access = profiles.access()
    with contextlib.closing(Troubles(access.url, access.sdk_token)) as troubles:
        before = await scrape_all(addresses)
        while True:
            await asyncio.sleep(interval)
            now, (refused, letters) = await asyncio.gather(scrape_all(addresses), asyncio.to_thread(troubles.told))
            yield report_of(before, now, refused, datetime.now(UTC).isoformat(timespec="seconds"), letters)
            if not watch:
                return
            before = now


async def _show_json(looks: "AsyncIterator[Report]", last: "list[Report]", *, watch: bool) -> None:
    async for report in looks:
        last[:] = [report]
        typer.echo(json.dumps(report, indent=None if watch else 2))


async def _show_screens(looks: "AsyncIterator[Report]", last: "list[Report]", *, watch: bool) -> None:
    from pipeloom.status.screen import screen_of

    if not (watch and sys.stdout.isatty()):
        async for report in looks:
            last[:] = [report]
            write(screen_of(report))
        return
    with Live(console=Console(highlight=False, markup=False), auto_refresh=False, transient=False) as live:
        async for report in looks:
            last[:] = [report]
            live.update(screen_of(report), refresh=True)
