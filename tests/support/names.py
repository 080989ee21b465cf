"""Names that the system's resolver takes its time for."""

import socket
import threading
from typing import Any

import pytest


class SlowNames:
    """Names under `.slow` are not resolved before they are told to be; then they lead to `leads_to`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, leads_to: str = "127.0.0.1") -> None:
        self.asked: list[str] = []
        self._leads_to = leads_to
        self._may_answer = threading.Event()
        self._ordinary = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self._getaddrinfo)

    def answer(self) -> None:
        """Resolve them all, from now on at once."""
        self._may_answer.set()

    def _getaddrinfo(self, host: Any, *arguments: Any, **named: Any) -> Any:
        if not str(host).endswith(".slow"):
            return self._ordinary(host, *arguments, **named)
        self.asked.append(host)
        self._may_answer.wait(30)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (self._leads_to, 0))]
