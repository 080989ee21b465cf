"""Ports on the loopback address: which are free, and which one a data folder used before."""

import random
import socket
from pathlib import Path

from pipeloom.local.errors import PortTakenError

HOST = "127.0.0.1"

# Below the range from which systems pick the source port of outgoing connections: a port of that range may be in use
# by any client for a moment, and a killed server would then not get its own port back.
_CANDIDATES = range(20_000, 32_000)
_given_out: set[int] = set()


def is_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def pick_port() -> int:
    """Return a port on which nobody listens, and which this process has not been given before."""
    for port in random.sample(_CANDIDATES, k=200):
        if port not in _given_out and is_free(port):
            _given_out.add(port)
            return port
    raise PortTakenError(f"No free port on {HOST} between {_CANDIDATES.start} and {_CANDIDATES.stop}.")


def demand_port(port: int, user: str, remedy: str) -> int:
    """Return `port`, or refuse it if another program listens on it."""
    if not is_free(port):
        raise PortTakenError(f"Port {port} on {HOST}, wanted for {user}, is in use by another program: {remedy}.")
    return port


def remembered_port(file: Path) -> int:
    """Return the port that `file` names while it is free, else a new one, and write it down."""
    if file.exists():
        port = int(file.read_text())
        if is_free(port):
            return port
    return remember_port(file, pick_port())


def remember_port(file: Path, port: int) -> int:
    """Write `port` down for the next start."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{port}\n")
    return port
