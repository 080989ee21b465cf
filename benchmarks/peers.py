"""Who is measured over HTTP: the product, the textbook CRUD service, and the floor."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx

from benchmarks.children import child, wait_until
from benchmarks.product import STEP, Product
from benchmarks.wire import NAME, Template
from pipeloom.local.ports import HOST, pick_port

UP_S = 30.0
PAGE = 100
DESCRIPTION = "Nightly feature build and training of the churn model, owned by the growth team. " * 2
SPEC = {"steps": [{"name": "prepare", "image": "prepare:1"}, {"name": "train", "image": "train:1"}]}


@dataclass(frozen=True)
class Peer:
    """A server, how it is asked for each operation, and the pid that its processes descend from."""

    name: str
    port: int
    pid: int
    asks: Mapping[str, Template]
    shared: tuple[int, ...] = field(default=())
    """Processes that work for it and for others: Postgres."""


def product_peer(product: Product) -> Peer:
    """Return the product as a peer, with a token that lasts 15 minutes."""
    headers = {"Authorization": product.authorization()}
    pipelines = "/api/v1/pipelines"
    asks = {
        "create": Template("POST", pipelines, {"pipeline_name": NAME, "step_names": [STEP]}, headers),
        "get": Template("GET", f"{pipelines}/{NAME}", None, headers),
        "list": Template("GET", f"{pipelines}?limit={PAGE}", None, headers),
        "delete": Template("DELETE", f"{pipelines}/{NAME}", None, headers),
    }
    return Peer("pipeloom", product.port, product.process.pid, asks)


def _crud_asks() -> dict[str, Template]:
    return {
        "create": Template("POST", "/pipelines", {"name": NAME, "description": DESCRIPTION, "spec": SPEC}),
        "get": Template("GET", f"/pipelines/{NAME}"),
        "list": Template("GET", f"/pipelines?limit={PAGE}"),
        "delete": Template("DELETE", f"/pipelines/{NAME}"),
    }


def _floor_asks(document: Mapping[str, object]) -> dict[str, Template]:
    return {
        "create": Template("PUT", f"/{NAME}", document),
        "get": Template("GET", f"/{NAME}"),
        "list": Template("GET", "/"),
        "delete": Template("DELETE", f"/{NAME}"),
    }


async def make_database(dsn: str, name: str) -> None:
    """Create a database on the server of `dsn`."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()


@contextmanager
def crud_peer(product: Product, logs: Path) -> Iterator[Peer]:
    """Run the textbook service inside the block, on a database of its own on the product's Postgres."""
    url = product.dsn("benchmark_crud").replace("postgresql://", "postgresql+asyncpg://", 1)
    with _server("crud", logs, BENCHMARK_CRUD_URL=url) as (port, pid):
        yield Peer("crud", port, pid, _crud_asks(), (product.pid_of("postgres"),))


@contextmanager
def floor_peers(product: Product, logs: Path) -> Iterator[tuple[Peer, Peer]]:
    """Run the floor inside the block: once as one statement of Postgres, once as one record of Kafka."""
    where = {"BENCHMARK_FLOOR_DSN": product.dsn("benchmark_crud"), "BENCHMARK_FLOOR_KAFKA": product.kafka}
    document = {"pipeline_name": NAME, "description": DESCRIPTION, "spec": SPEC}
    with _server("floor", logs, **where) as (port, pid):
        postgres, kafka = product.pid_of("postgres"), product.pid_of("kafka")
        produce = {"create": Template("POST", f"/kafka/{NAME}", document)}
        yield (
            Peer("floor: one statement", port, pid, _floor_asks(document), (postgres,)),
            Peer("floor: one Kafka record", port, pid, produce, (kafka,)),
        )


@contextmanager
def _server(name: str, logs: Path, **env: str) -> Iterator[tuple[int, int]]:
    port = pick_port()
    options = ["--no-access-log", "--log-level", "warning", "--loop", "uvloop", "--http", "httptools"]
    argv = ["-m", "uvicorn", f"benchmarks.baseline.{name}:app", "--host", HOST, "--port", str(port), *options]
    with ExitStack() as stack:
        process = stack.enter_context(child(name, argv, logs / f"{name}.log", env))
        wait_until(lambda: process.poll() is not None or _answers(port), UP_S, f"the server {name} answers")
        if process.poll() is not None:
            raise RuntimeError(f"{name} did not start:\n{(logs / f'{name}.log').read_text()[-2000:]}")
        yield port, process.pid


def _answers(port: int) -> bool:
    try:
        httpx.get(f"http://{HOST}:{port}/pipelines/none", timeout=5)
    except httpx.TransportError:
        return False
    return True
