"""The last commands that were refused, from the API: only it may tell what is in an environment."""

from typing import Any

from pipeloom.client import Client, PipeloomError
from pipeloom.client.requests import Request

MOST = 5
TIMEOUT_S = 3.0


def last_refusals(url: str | None, sdk_token: str | None) -> list[Any] | str:
    """Return the last refused commands of the environment of `sdk_token`, or a sentence that says why not."""
    if not (url and sdk_token):
        return "set PIPELOOM_URL and PIPELOOM_SDK_TOKEN to see those of your environment"
    wanted = {"status": "rejected", "limit": str(MOST)}
    try:
        with Client(url, sdk_token, timeout_s=TIMEOUT_S) as client:
            return list(client.send(Request("GET", "/commands", list, query=wanted, timeout_s=TIMEOUT_S)))
    except PipeloomError as error:
        return error.message
