"""Liveness and readiness of a process, told over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from services.kit.metrics import metrics_route

LIVEZ, READYZ = "/livez", "/readyz"
HEALTH_PATHS = frozenset({LIVEZ, READYZ})


@dataclass
class Health:
    """What each part of a process says of itself; ready when every part is well."""

    troubles: dict[str, str | None] = field(default_factory=dict)
    turns: int = 0
    """How often the loop that does the work came round."""
    gave_up: str | None = None
    """Why the process ends itself, once it does."""
    last_end: str | None = None
    """Why the process before this one ended, as far as the supervisor has told."""
    on_give_up: Callable[[], None] = lambda: None

    def expect(self, *parts: str) -> None:
        """Announce `parts` that are not ready before they say so."""
        self.troubles.update(dict.fromkeys(parts, "starting"))

    def well(self, part: str) -> None:
        """Say that `part` works."""
        self.troubles[part] = None

    def ill(self, part: str, reason: str) -> None:
        """Say that `part` does not work, and why."""
        self.troubles[part] = reason

    def forget(self, part: str) -> None:
        """Say nothing more about `part`: it is somebody else's now."""
        self.troubles.pop(part, None)

    def turned(self) -> None:
        """Say that the loop that does the work came round."""
        self.turns += 1

    def give_up(self, reason: str) -> None:
        """Have the process end, in order, and be started again; the first reason counts."""
        if self.gave_up is None:
            self.gave_up = reason
            self.on_give_up()

    def is_well(self, part: str) -> bool:
        """Tell whether `part` works."""
        return self.troubles.get(part, "unknown") is None

    @property
    def is_ready(self) -> bool:
        """Tell whether the process has announced its parts and every one works."""
        return bool(self.troubles) and not any(self.troubles.values())


def health_routes(health: Health) -> list[Route]:
    """Return /livez (the event loop turns) and /readyz (every part is well; 503 with the reasons otherwise)."""

    async def livez(_: Request) -> JSONResponse:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> JSONResponse:
        parts = {part: trouble or "ok" for part, trouble in health.troubles.items()}
        body: dict[str, Any] = {"status": "ready" if health.is_ready else "not ready", "parts": parts}
        if health.last_end:
            body["last_end"] = health.last_end
        return JSONResponse(body, status_code=200 if health.is_ready else 503)

    return [Route(LIVEZ, livez), Route(READYZ, readyz)]


def health_app(health: Health) -> Starlette:
    """Return the application of the admin port: the health routes and /metrics."""
    return Starlette(routes=[*health_routes(health), metrics_route(health.troubles)])
