"""How our own programs are called."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Programs:
    """The command lines of our own programs."""

    init: Sequence[str]
    bootstrap: Sequence[str]
    workers: Mapping[str, Sequence[str]]
    gateway: Sequence[str]


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", f"services.{name}", *arguments]


PROGRAMS = Programs(
    init=_module("init"),
    bootstrap=_module("admin", "bootstrap", "--environment", "demo", "--user", "demo"),
    workers={name: _module(name) for name in ("composer", "relay", "builder", "webhooks")},
    gateway=_module("gateway"),
)
