"""Asks each process on its admin port how it is and what it counts."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Scrape:
    """What one process told; `trouble` is why it told nothing of its health."""

    name: str
    url: str
    at_s: float
    is_ready: bool = False
    trouble: str | None = None
    parts: Mapping[str, str] = field(default_factory=dict)
    last_end: str | None = None
    samples: tuple[Sample, ...] = ()


async def scrape_all(addresses: Mapping[str, str]) -> list[Scrape]:
    """Return what the processes at `addresses` tell now; one that does not answer within TIMEOUT_S is told so."""
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT_S) as http:
        asked = [_scrape(http, name, url.rstrip("/")) for name, url in addresses.items()]
        return await asyncio.gather(*asked)


async def _scrape(http: httpx.AsyncClient, name: str, url: str) -> Scrape:
    try:
        async with asyncio.timeout(TIMEOUT_S):
            health, metrics = await http.get(f"{url}/readyz"), await http.get(f"{url}/metrics")
    except TimeoutError:
        return Scrape(name, url, time.monotonic(), trouble=f"does not answer within {TIMEOUT_S:g} s")
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Scrape(name, url, time.monotonic(), trouble=f"does not answer: {error or type(error).__name__}")
    parts = _parts(health)
    trouble = None if parts is not None else f"answers {health.status_code} without a health page"
    return Scrape(
        name,
        url,
        time.monotonic(),
        is_ready=health.status_code == httpx.codes.OK and trouble is None,
        trouble=trouble,
        parts=parts or {},
        last_end=_last_end(health) if parts is not None else None,
        samples=_samples(metrics),
    )


def _parts(health: httpx.Response) -> dict[str, str] | None:
    try:
        return {str(part): str(state) for part, state in health.json()["parts"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _last_end(health: httpx.Response) -> str | None:
    """Return why the process before this one ended, where that is told."""
    told = health.json().get("last_end")
    return None if told is None else str(told)


def _samples(metrics: httpx.Response) -> tuple[Sample, ...]:
    """Return what is counted; nothing from what tells no metrics, such as a process of an older version."""
    if metrics.status_code != httpx.codes.OK:
        return ()
    try:
        families = list(text_string_to_metric_families(metrics.text))
    except ValueError:
        return ()
    return tuple(sample for family in families for sample in family.samples)
