"""How our own programs are called."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Programs:
    """The command lines of our own programs."""

    init: Sequence[str]
    bootstrap: Sequence[str]
    workers: Mapping[str, Sequence[str]]
    gateway: Sequence[str]
    onlookers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """What nothing else waits for: the others are ready without them, and stay so when they end."""


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"services.{name}", *arguments]


# What takes long to load, in the order of its use: what all share, then what only one needs. No module of a service is
# among them: its metrics would be told by the others as well.
PRELOADED = (
    "services.kit.kafka",
    "services.kit.migrations",
    "services.kit.signing_keys",
    "services.kit.process",
    "services.kit.clients",
    "services.kit.eventlog",
    "services.kit.tracing",
    "services.kit.probes",
    "uvloop",
    "fastapi",
    "faust",
    "obstore",
    "dulwich.client",
    "paramiko",
)

PROGRAMS = Programs(
    init=_module("init"),
    bootstrap=_module("admin", "bootstrap", "--environment", "demo", "--user", "demo"),
    workers={name: _module(name) for name in ("composer", "relay", "builder", "webhooks")},
    gateway=_module("gateway"),
    onlookers={"monitor": _module("monitor")},
)
