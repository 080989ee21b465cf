"""The command line as a script runs it."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.acceptance.stack import Stack

NOBODY = "http://127.0.0.1:1"


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    stdout: str
    stderr: str


Pipeloom = Callable[..., Awaitable[Ended]]


def pipeloom_at(stack: Stack, sdk_token: str) -> Pipeloom:
    """Return what runs the program, with a proxy in its environment that nobody may use for this machine."""
    variables = {
        "PATH": os.environ["PATH"],
        "PIPELOOM_URL": stack.url,
        "PIPELOOM_SDK_TOKEN": sdk_token,
        "HTTP_PROXY": NOBODY,
        "ALL_PROXY": NOBODY,
    }

    async def run(*words: str, stdin: str = "", **more: str) -> Ended:
        program = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pipeloom",
            *words,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**variables, **more},
        )
        stdout, stderr = await asyncio.wait_for(program.communicate(stdin.encode()), 60)
        return Ended(program.returncode or 0, stdout.decode(), stderr.decode())

    return run
