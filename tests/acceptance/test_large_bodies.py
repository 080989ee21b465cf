"""A body may be 1 MiB; a larger one is refused before it is read whole, whether or not its length is announced."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from tests.acceptance.problems import KEYS, problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import API, Tenant

MIB = 1024 * 1024
JSON = "application/json"
POSTS = ["/pipelines", "/steps", "/endpoints", "/periodic-deployment"]
PIPELINE = b'{"pipeline_name": "churn", "step_names": ["train"]}'


async def pieces(size: int) -> AsyncIterator[bytes]:
    for _ in range(size // 65_536):
        yield b" " * 65_536


@pytest.mark.parametrize("path", [*POSTS, "/auth/refresh"])
@pytest.mark.parametrize("in_pieces", [False, True])
async def test_a_body_over_one_mib_is_refused(tenant: Tenant, path: str, in_pieces: bool) -> None:
    content = pieces(4 * MIB) if in_pieces else b" " * (4 * MIB)

    answer = await tenant.http.post(path, content=content, headers={"content-type": JSON})

    assert problem(answer, 413, "payload_too_large")["additional_data"] == {"limit": MIB}
    assert await tenant.sent() == []


async def test_a_body_of_one_mib_is_read(tenant: Tenant, step: str) -> None:
    body = PIPELINE.ljust(MIB)

    answer = await tenant.http.post("/pipelines", content=body, headers={"content-type": JSON})

    assert (answer.status_code, answer.json()["steps"]) == (201, [step])


async def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(stack: Stack) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", stack.http_port)
    writer.write(f"POST {API}/pipelines HTTP/1.1\r\nHost: x\r\nContent-Length: {100 * MIB}\r\n\r\n".encode())

    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
    length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split()[1])
    body = json.loads(await asyncio.wait_for(reader.readexactly(length), 10))

    assert head.startswith(b"HTTP/1.1 413 ")
    assert (body["name"], set(body)) == ("payload_too_large", KEYS)
    writer.close()
