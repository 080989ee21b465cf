"""Liveness and readiness of a process, told over HTTP."""

from dataclasses import dataclass, field

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
        status = "ready" if health.is_ready else "not ready"
        return JSONResponse({"status": status, "parts": parts}, status_code=200 if health.is_ready else 503)

    return [Route(LIVEZ, livez), Route(READYZ, readyz)]


def health_app(health: Health) -> Starlette:
    """Return the application of the admin port: the health routes and /metrics."""
    return Starlette(routes=[*health_routes(health), metrics_route(health.troubles)])
