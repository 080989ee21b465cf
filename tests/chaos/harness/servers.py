"""Kafka and Postgres, each behind one proxy for each kind of client, kept alive whatever befalls them."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psutil

from pipeloom.local.errors import LocalStackError
from pipeloom.local.kafka import EmbeddedKafka
from pipeloom.local.ports import HOST, pick_port
from pipeloom.local.postgres import EmbeddedPostgres
from pipeloom.local.progress import SILENT
from tests.chaos.harness.proxy import Proxy

RETRY_S = 0.5
# A reply to a save of Postgres, or to records for Kafka, rather than to a heartbeat.
LARGE = 700


class ProxiedKafka(EmbeddedKafka):
    """A broker that tells each kind of client the address of that kind's proxy, on whichever listener it asks."""

    def __init__(self, data_dir: Path, kinds: Sequence[str], log_file: Path) -> None:
        super().__init__(data_dir, log_file=log_file)
        listening = {kind: pick_port() for kind in kinds}
        self.proxies = {kind: Proxy(f"kafka/{kind}", port, LARGE) for kind, port in listening.items()}
        self._listening = listening

    def _write_properties(self, port: int) -> Path:
        file = super()._write_properties(port)
        own = f"PLAINTEXT://{HOST}:{port}"
        listeners = [own, f"CONTROLLER://{HOST}:{self._controller_port}"]
        listeners += [f"{kind.upper()}://{HOST}:{each}" for kind, each in self._listening.items()]
        advertised = [own, *(f"{kind.upper()}://{HOST}:{each.port}" for kind, each in self.proxies.items())]
        protocols = ["PLAINTEXT:PLAINTEXT", "CONTROLLER:PLAINTEXT", *(f"{k.upper()}:PLAINTEXT" for k in self.proxies)]
        with file.open("a") as properties:  # the last line that sets a property counts
            properties.write(f"listeners={','.join(listeners)}\n")
            properties.write(f"advertised.listeners={','.join(advertised)}\n")
            properties.write(f"listener.security.protocol.map={','.join(protocols)}\n")
        return file


def through(dsn: str, port: int, user: str) -> str:
    """Return the address of the same database by way of a proxy, as a user with the same password."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(netloc=f"{user}:{parts.password}@{HOST}:{port}"))


class Kept:
    """A server that is started again whenever it ends."""

    def __init__(self, server: ProxiedKafka | EmbeddedPostgres) -> None:
        self.server = server
        self.in_use = asyncio.Lock()
        self.starts = 0
        self.is_up = False
        self._keeper: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        return self.server.name

    async def start(self) -> None:
        await self.server.start()
        self.starts, self.is_up = 1, True
        self._keeper = asyncio.create_task(self._keep(), name=f"keep {self.name}")

    async def stop(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        await self.server.stop()

    def kill(self) -> None:
        os.kill(self.server.pid, signal.SIGKILL)

    def terminate(self) -> None:
        """End it in order; Postgres would wait for its clients if it were not asked so."""
        os.kill(self.server.pid, signal.SIGINT if self.name == "postgres" else signal.SIGTERM)

    def pids(self) -> list[int]:
        """Return the pids of the server and its children; none while it is down."""
        try:
            top = psutil.Process(self.server.pid)
            return [top.pid, *(child.pid for child in top.children(recursive=True))]
        except psutil.NoSuchProcess:
            return []

    async def _keep(self) -> None:
        while True:
            await self.server.wait()
            self.is_up = False
            await self._start_again()

    async def _start_again(self) -> None:
        while True:
            try:
                await self.server.start(SILENT)
            except (LocalStackError, OSError):
                await asyncio.sleep(RETRY_S)
            else:
                self.starts += 1
                self.is_up = True
                return


def signal_all(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to each that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
