"""Whether what was measured over HTTP was true: what does not hold makes the whole run fail."""

from collections.abc import Sequence

import asyncpg
import httpx

from benchmarks.peers import Peer
from benchmarks.product import Product
from benchmarks.wire import NAME
from pipeloom.local.ports import HOST

SAMPLE = 5


def demand_readable(peer: Peer, names: Sequence[str]) -> None:
    """Read back some of what was created, the last ones first: a create that nobody can read does not count."""
    if "get" not in peer.asks:
        return
    asks = peer.asks["get"]
    with httpx.Client(base_url=f"http://{HOST}:{peer.port}", headers=dict(asks.headers)) as client:
        for name in names[-SAMPLE:]:
            client.get(asks.path.replace(NAME, name)).raise_for_status()


def demand_page(peer: Peer, length: int) -> None:
    """See that a page is as long as it should be: an empty one would be fast."""
    asks = peer.asks["list"]
    answer = httpx.get(f"http://{HOST}:{peer.port}{asks.path}", headers=dict(asks.headers)).raise_for_status()
    if len(answer.json()) != length:
        raise RuntimeError(f"{peer.name} lists {len(answer.json())} pipelines instead of {length}")


async def demand_stored(product: Product, stored: int) -> None:
    """See that nothing is left over or lost: what was created and deleted cancels out on both sides."""
    for database, table in (("pipeloom", "pipeline"), ("benchmark_crud", "pipelines"), ("benchmark_crud", "floor")):
        connection = await asyncpg.connect(product.dsn(database))
        try:
            count = await connection.fetchval(f"SELECT count(*) FROM {table}")
        finally:
            await connection.close()
        if count != stored:
            raise RuntimeError(f"{database}.{table} holds {count} rows instead of {stored}")
