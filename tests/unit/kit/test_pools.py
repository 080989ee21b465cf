"""What a process tells of its connections to Postgres."""

from typing import Any, cast

import asyncpg
import pytest
from prometheus_client import REGISTRY

from services.kit.pools import counted_errors, pool_metrics, watch_pool


class Pool:
    def __init__(self) -> None:
        self.is_closed = False

    def is_closing(self) -> bool:
        return self.is_closed

    def get_size(self) -> int:
        return 7

    def get_idle_size(self) -> int:
        return 3

    def get_max_size(self) -> int:
        return 10


def told() -> dict[str, float]:
    samples = [sample for family in pool_metrics() for sample in family.samples]
    return {sample.labels.get("state", "limit"): sample.value for sample in samples}


def test_a_pool_is_told_until_it_is_closed() -> None:
    before, pool = told(), Pool()
    watch_pool(cast("Any", pool))
    now = told()
    assert {key: now[key] - before[key] for key in now} == {"idle": 3, "used": 4, "limit": 10}
    pool.is_closed = True
    assert told() == before


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (TimeoutError(), "timeout"),
        (asyncpg.QueryCanceledError(), "timeout"),
        (ConnectionRefusedError(), "connection"),
        (asyncpg.InterfaceError("closed"), "connection"),
        (asyncpg.UniqueViolationError(), "statement"),
    ],
)
def test_what_ends_the_use_of_a_connection_is_counted_by_its_kind(error: Exception, kind: str) -> None:
    def count() -> float:
        return REGISTRY.get_sample_value("pipeloom_postgres_errors_total", {"kind": kind}) or 0.0

    before = count()
    with pytest.raises(type(error)), counted_errors():
        raise error
    assert count() == before + 1
