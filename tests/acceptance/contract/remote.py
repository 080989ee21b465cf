"""A craft-ai-sdk in an environment of its own, called as if it were here: `await sdk.create_pipeline(...)`."""

import asyncio
import json
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

DRIVER = Path(__file__).with_name("driver.py")
CALL_S = 60.0
STOP_S = 10.0
LINE_BYTES = 2**26

Document = dict[str, Any]


class SdkError(Exception):
    """What the SDK raised, with all that it said."""

    def __init__(self, error: Document) -> None:
        super().__init__(error["text"])
        self.type: str = error["type"]
        self.status_code: int | None = error["status_code"]
        self.name: str | None = error["name"]
        self.message: str = error["message"]
        self.additional_data: Document = error["additional_data"]
        self.request_id: str | None = error["request_id"]


class Driver:
    """The process that a version runs in. A call that does not end in time ends it, and the next one starts another."""

    def __init__(self, python: Path) -> None:
        self._python = python
        self._process: Process | None = None
        self._turn = asyncio.Lock()

    async def ask(self, **asked: Any) -> Any:
        """Return the answer to one question. Raises SdkError, and TimeoutError when there is none in time."""
        async with self._turn:
            process = await self._running()
            try:
                line = await asyncio.wait_for(_exchange(process, json.dumps(asked)), CALL_S)
            except TimeoutError:
                await self.stop()
                raise TimeoutError(f"craft-ai-sdk did not answer {asked} within {CALL_S:.0f} s") from None
        if not line:
            raise EOFError(f"the driver of craft-ai-sdk ended at {asked}")
        told: Document = json.loads(line)
        if "error" in told:
            raise SdkError(told["error"])
        return told["answer"]

    async def stop(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()
            await asyncio.wait_for(process.wait(), STOP_S)

    async def _running(self) -> Process:
        if self._process is None or self._process.returncode is not None:
            # -I: neither the variables of the tests nor their packages reach the SDK.
            command = (str(self._python), "-I", str(DRIVER))
            self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, limit=LINE_BYTES)
        return self._process


async def _exchange(process: Process, line: str) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line.encode() + b"\n")
    await process.stdin.drain()
    return await process.stdout.readline()


class Sdk:
    """One client: each function of the package under its own name.

    `warnings` and `requests` tell what the last call warned of and how often it asked the server.
    """

    def __init__(self, driver: Driver, number: int) -> None:
        self._driver = driver
        self._number = number
        self.warnings: list[str] = []
        self.requests = 0

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        """Return a function that calls the SDK's function of that name."""
        return partial(self._call, name)

    async def _call(self, name: str, *arguments: Any, **options: Any) -> Any:
        answer = await self._driver.ask(do="call", sdk=self._number, name=name, arguments=arguments, options=options)
        self.warnings, self.requests = answer["warnings"], answer["requests"]
        return answer["result"]

    async def believe(self, access_token: str, expires_at: float) -> None:
        """Let the client hold this access token for good until then, whatever the token itself says."""
        await self._driver.ask(do="believe", sdk=self._number, access_token=access_token, expires_at=expires_at)


@asynccontextmanager
async def open_sdk(driver: Driver, url: str, sdk_token: str) -> AsyncIterator[Sdk]:
    """Give a client for the length of the block."""
    number = await driver.ask(do="open", sdk_token=sdk_token, url=url)
    try:
        yield Sdk(driver, number)
    finally:
        await driver.ask(do="close", sdk=number)


def new(kind: str, *arguments: Any, **options: Any) -> Document:
    """Stand for an object of the package, for example `new("Input", "months", "number")`."""
    return {"$new": kind, "arguments": arguments, "options": options}


def constant(group: str, name: str) -> Document:
    """Stand for a member of one of the package's enumerations."""
    return {"$constant": [group, name]}


def moment(when: datetime) -> Document:
    """Stand for a datetime."""
    return {"$moment": when.isoformat()}
