"""Ports on the loopback address: which are free, and which one a data folder used before."""

import errno
import random
import socket
from pathlib import Path

from pipeloom.local.errors import PortTakenError

HOST = "127.0.0.1"
HIGHEST = 65_535

# Below the range from which systems pick the source port of outgoing connections: a port of that range may be in use
# by any client for a moment, and a killed server would then not get its own port back.
_CANDIDATES = range(20_000, 32_000)
_given_out: set[int] = set()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    return _obstacle(port, HOST) is None


def _obstacle(port: int, host: str) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as obstacle:
            return obstacle
    return None


def pick_port() -> int:
    """Return a port on which nobody listens, and which this process has not been given before."""
    for port in random.sample(_CANDIDATES, k=200):
        if port not in _given_out and is_free(port):
            _given_out.add(port)
            return port
    raise PortTakenError(f"No free port on {HOST} between {_CANDIDATES.start} and {_CANDIDATES.stop}.")


def demand_port(port: int, user: str, remedy: str, host: str = HOST) -> int:
    """Return `port`, or refuse it if another program listens on it, or nobody may."""
    _given_out.add(port)  # whoever asked for it does not listen yet: nobody else is to be given it meanwhile
    obstacle = _obstacle(port, host)
    if obstacle is not None:
        taken = obstacle.errno == errno.EADDRINUSE
        why = "is in use by another program" if taken else f"cannot be used ({obstacle.strerror or obstacle})"
        raise PortTakenError(f"Port {port} on {host}, wanted for {user}, {why}: {remedy}.")
    return port


def previous_port(file: Path) -> int:
    """Return the port that `file` names while it is free, else a new one."""
    port = _named_in(file)
    return port if port is not None and is_free(port) else pick_port()


def _named_in(file: Path) -> int | None:
    try:
        port = int(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return port if 0 < port <= HIGHEST else None


def remember_port(file: Path, port: int) -> None:
    """Write `port` down for the next start."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{port}\n")
