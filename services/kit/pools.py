"""How the connection pools of a process are used, and what Postgres answers them with."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import asyncpg
from prometheus_client import Counter, Gauge
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

_pools: "list[asyncpg.Pool[Any]]" = []

WAITING = Gauge("pipeloom_postgres_pool_waiting", "Who waits for a connection of a pool")
ERRORS = Counter("pipeloom_postgres_errors", "Uses of a connection that Postgres, or the way to it, ended", ["kind"])
for _kind_of_error in ("timeout", "connection", "statement"):
    ERRORS.labels(_kind_of_error)


def watch_pool(pool: "asyncpg.Pool[Any]") -> None:
    """Tell of `pool` until it is closed."""
    _pools[:] = [*_open(), pool]


def pool_metrics() -> Iterator[Metric]:
    """Give the connections of all pools of this process."""
    pools = _open()
    size, idle = sum(pool.get_size() for pool in pools), sum(pool.get_idle_size() for pool in pools)
    connections = GaugeMetricFamily(
        "pipeloom_postgres_pool_connections", "Open connections to Postgres, by what they do", labels=["state"]
    )
    connections.add_metric(["idle"], idle)
    connections.add_metric(["used"], size - idle)
    yield connections
    most = sum(pool.get_max_size() for pool in pools)
    yield GaugeMetricFamily("pipeloom_postgres_pool_limit", "Most connections that the pools may open", most)


def _open() -> "list[asyncpg.Pool[Any]]":
    return [pool for pool in _pools if not pool.is_closing()]


@contextmanager
def counted_errors() -> Iterator[None]:
    """Count what ends the block, by its kind."""
    try:
        yield
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        ERRORS.labels(_kind(error)).inc()
        raise


def _kind(error: Exception) -> str:
    match error:
        case TimeoutError() | asyncio.TimeoutError() | asyncpg.QueryCanceledError():
            return "timeout"
        case asyncpg.PostgresConnectionError() | asyncpg.InterfaceError() | OSError():
            return "connection"
        case _:
            return "statement"
