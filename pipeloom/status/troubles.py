"""What went wrong in an environment, from the API: only it may tell what is in one."""

from collections.abc import Callable
from typing import Any

from pipeloom.client import Client, PipeloomError
from pipeloom.client.requests import Request

MOST = 5
MOST_LETTERS = 100
TIMEOUT_S = 3.0
NOT_CONFIGURED = "set PIPELOOM_URL and PIPELOOM_SDK_TOKEN to see those of your environment"


class Troubles:
    """Asks with one client, and so with one access token, however often."""

    def __init__(self, url: str | None, sdk_token: str | None, open_client: Callable[..., Client] = Client) -> None:
        self._access = (url, sdk_token)
        self._open_client = open_client
        self._client: Client | None = None

    def last_refusals(self) -> list[Any] | str:
        """Return the last refused commands of the token's environment, or a sentence that says why not."""
        if not all(self._access):
            return NOT_CONFIGURED
        try:
            return self._list("/commands", {"status": "rejected", "limit": str(MOST)})
        except PipeloomError as error:
            return error.message

    def open_letters(self) -> dict[str, Any] | None:
        """Return how many dead letters of the environment nobody has settled, or None when that is not known."""
        if not all(self._access):
            return None
        try:
            found = self._list("/dead-letters", {"status": "open", "limit": str(MOST_LETTERS)})
        except PipeloomError:
            return None  # why is said by the last refusals, which come from the same service
        return {"count": len(found), "is_at_least": len(found) == MOST_LETTERS}

    def told(self) -> tuple[list[Any] | str, dict[str, Any] | None]:
        """Return both; a service that does not answer is not asked twice."""
        refusals = self.last_refusals()
        return refusals, self.open_letters() if isinstance(refusals, list) else None

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()

    def _list(self, path: str, wanted: dict[str, str]) -> list[Any]:
        if self._client is None:
            self._client = self._open_client(*self._access, timeout_s=TIMEOUT_S)
        return list(self._client.send(Request("GET", path, list, query=wanted, timeout_s=TIMEOUT_S)))
