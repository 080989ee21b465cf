"""The last commands that were refused, from the API: only it may tell what is in an environment."""

from collections.abc import Callable
from typing import Any

from pipeloom.client import Client, PipeloomError
from pipeloom.client.requests import Request

MOST = 5
TIMEOUT_S = 3.0
NOT_CONFIGURED = "set PIPELOOM_URL and PIPELOOM_SDK_TOKEN to see those of your environment"


class Refusals:
    """Asks with one client, and so with one access token, however often."""

    def __init__(self, url: str | None, sdk_token: str | None, open_client: Callable[..., Client] = Client) -> None:
        self._access = (url, sdk_token)
        self._open_client = open_client
        self._client: Client | None = None

    def last(self) -> list[Any] | str:
        """Return the last refused commands of the token's environment, or a sentence that says why not."""
        if not all(self._access):
            return NOT_CONFIGURED
        wanted = {"status": "rejected", "limit": str(MOST)}
        try:
            if self._client is None:
                self._client = self._open_client(*self._access, timeout_s=TIMEOUT_S)
            return list(self._client.send(Request("GET", "/commands", list, query=wanted, timeout_s=TIMEOUT_S)))
        except PipeloomError as error:
            return error.message

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
