"""What can go wrong, by kind: the service refused, its outcome is unknown, or it is not there."""

from collections.abc import Mapping
from typing import Any


class PipeloomError(Exception):
    """The base of every error of the client: a stable code, a sentence for a person, details for a program."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int | None = None,
        details: Mapping[str, Any] | None = None,
        request_id: str | None = None,
        command_id: str | None = None,
    ) -> None:
        """Carry what the service said; `status` is the HTTP status, None when there was no answer."""
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.details = dict(details or {})
        self.request_id = request_id
        self.command_id = command_id

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"


class NotConfigured(PipeloomError):  # noqa: N818 - these names say what happened
    """The client was not told where the service is, or who asks."""


class Unreadable(PipeloomError):  # noqa: N818
    """The answer is not one that Pipeloom gives; is another program at that address?"""


class Refused(PipeloomError):  # noqa: N818
    """The service refused, and nothing was changed."""


class NotFound(Refused):
    """What the request names does not exist (404)."""


class Conflict(Refused):
    """The state of the environment does not allow it (409, 412)."""


class Invalid(Refused):
    """The request itself is wrong (any other 4xx)."""


class Unauthenticated(Refused):
    """The token is missing, unknown, revoked or expired (401)."""


class OutcomeUnknown(PipeloomError):  # noqa: N818
    """The write may or may not take effect.

    Learn which with `get_command(error.command_id, wait_s=30)` or by the same call again with
    `idempotency_key=error.details["idempotency_key"]`: it never takes effect twice.
    """


class Unavailable(PipeloomError):  # noqa: N818
    """The service, or what it stands on, cannot be reached right now; try again later."""
