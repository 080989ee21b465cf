"""Where each process of a stack answers about itself: written down for `pipeloom status` and for scrapers."""

import json
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from pipeloom.local.ports import HIGHEST, HOST, demand_port, is_free, pick_port

FILE_NAME = "admin.json"


def read_addresses(file: Path) -> dict[str, str]:
    """Return process → address as the file of a stack tells them; none when there is no such file."""
    try:
        told = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return {}
    if not isinstance(told, dict):
        return {}
    return {name: url for name, url in told.items() if isinstance(url, str)}


class AdminPorts:
    """The admin ports of a stack's processes: one after the other from a chosen one, or free ones that stay."""

    def __init__(self, file: Path, names: Sequence[str], first: int | None = None) -> None:
        """Keep the ports in `file`; with `first`, the processes get it and those behind it, in the order of `names`."""
        self._file = file
        self._names = names
        self._first = first
        before = {name: _port_of(url) for name, url in read_addresses(file).items() if name in names}
        self._ports = {name: port for name, port in before.items() if port is not None}

    def demand(self) -> None:
        """Refuse chosen ports that somebody else has, before anything is started."""
        if self._first is not None:
            for name in self._names:
                demand_port(self._chosen(name), f"the admin port of {name}", "choose others with --admin-port")

    def settle(self, name: str) -> int:
        """Return the port for the next start of a process, and write down where it will answer."""
        if self._first is None:
            before = self._ports.get(name)
            self._ports[name] = before if before is not None and is_free(before) else pick_port()
        else:
            self._ports[name] = self._chosen(name)
        self._write()
        return self._ports[name]

    def _chosen(self, name: str) -> int:
        return (self._first or 0) + self._names.index(name)

    def _write(self) -> None:
        told = {name: f"http://{HOST}:{self._ports[name]}" for name in self._names if name in self._ports}
        self._file.parent.mkdir(parents=True, exist_ok=True)
        scratch = self._file.with_suffix(".new")
        scratch.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        scratch.replace(self._file)


def _port_of(url: str) -> int | None:
    try:
        port = urlsplit(url).port
    except ValueError:
        return None
    return port if port and 0 < port <= HIGHEST else None
