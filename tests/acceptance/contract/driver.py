"""Runs one craft-ai-sdk in the environment that it is installed in, and does what it is told by lines of JSON.

It imports nothing but the package and the standard library. Each line on standard input asks for one thing (`do`), and
each line on standard output answers one: with an `answer` or an `error`.
"""

import importlib
import itertools
import json
import sys
import warnings
from datetime import datetime
from typing import Any, TextIO

import craft_ai_sdk

# Up to 0.48 the package sleeps 10 s between two looks at what it waits for. Only the length of that sleep is changed:
# what it asks, in which order, and what it makes of the answers stay its own. Later ones let the server do the waiting.
RETRY_INTERVAL = "CREATION_REQUESTS_RETRY_INTERVAL"
SHORT_S = 0.05
WAITING_MODULES = ("steps", "pipelines", "deployments")


class Client:
    """A client of the package, which counts what it asks the server."""

    def __init__(self, sdk_token: str, url: str) -> None:
        self.sdk = craft_ai_sdk.CraftAiSdk(sdk_token=sdk_token, environment_url=url, control_url=url)
        self.sdk._session.hooks["response"].append(self._count)
        self.requests = 0

    def _count(self, response: Any, **_: Any) -> None:
        self.requests += 1

    def call(self, name: str, arguments: list[Any], options: dict[str, Any]) -> dict[str, Any]:
        """Call a function, and return what it gave, warned of and asked."""
        before = self.requests
        with warnings.catch_warnings(record=True) as issued:
            warnings.simplefilter("always")
            result = getattr(self.sdk, name)(*arguments, **options)
        told = [str(each.message) for each in issued]
        return {"result": result, "warnings": told, "requests": self.requests - before}


class Driver:
    """The clients that were opened, each under a number."""

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._opened: dict[int, Client] = {}

    def open(self, sdk_token: str, url: str) -> int:
        """Make a client, and return its number."""
        number = next(self._numbers)
        self._opened[number] = Client(sdk_token, url)
        return number

    def call(self, sdk: int, name: str, arguments: list[Any], options: dict[str, Any]) -> dict[str, Any]:
        """Call a function of a client."""
        return self._opened[sdk].call(name, arguments, options)

    def believe(self, sdk: int, access_token: str, expires_at: float) -> None:
        """Let a client hold an access token for good until then, as one with a slow clock does with an expired one."""
        client = self._opened[sdk].sdk
        client._access_token = access_token
        client._access_token_data = {"exp": expires_at}

    def close(self, sdk: int) -> None:
        """Close a client's connections: it offers no way of its own."""
        if client := self._opened.pop(sdk, None):
            client.sdk._session.close()


def wait_shortly() -> None:
    """Shorten the sleep between two looks in each module that has it."""
    for name in WAITING_MODULES:
        module = importlib.import_module(f"craft_ai_sdk.core.{name}")
        if hasattr(module, RETRY_INTERVAL):
            setattr(module, RETRY_INTERVAL, SHORT_S)


def understood(value: dict[str, Any]) -> Any:
    """Return what an object of JSON stands for: an object of the package, one of its constants, a moment, or itself."""
    if "$new" in value:
        return getattr(craft_ai_sdk, value["$new"])(*value["arguments"], **value["options"])
    if "$constant" in value:
        group, name = value["$constant"]
        return getattr(craft_ai_sdk, group)[name]
    if "$moment" in value:
        return datetime.fromisoformat(value["$moment"])
    return value


def answer(driver: Driver, line: str) -> dict[str, Any]:
    """Do what a line asks, and return what is said of it."""
    try:
        asked = json.loads(line, object_hook=understood)
        return {"answer": getattr(driver, asked.pop("do"))(**asked)}
    except Exception as error:  # noqa: BLE001 - whatever the package raises is what the test asked for
        told = {name: getattr(error, name, None) for name in ("status_code", "name", "additional_data", "request_id")}
        message = getattr(error, "message", str(error))
        return {"error": {"type": type(error).__name__, "message": message, "text": str(error), **told}}


def main(lines: TextIO, answers: TextIO) -> None:
    """Answer line by line until there are no more."""
    wait_shortly()
    driver = Driver()
    for line in lines:
        print(json.dumps(answer(driver, line)), file=answers, flush=True)


if __name__ == "__main__":
    channel, sys.stdout = sys.stdout, sys.stderr  # what the package prints is no answer
    main(sys.stdin, channel)
