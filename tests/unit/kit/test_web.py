"""What surrounds every request: its id, and the limit on its body."""

from collections.abc import AsyncIterator, Callable
from uuid import UUID

import httpx
import pytest

from services.kit.health import Health
from services.kit.web import LINGER_BYTES, MAX_BODY_BYTES, etag

JSON = {"Content-Type": "application/json"}
CHUNK = 64 * 1024


class Chunks:
    """A body that is sent in pieces without a declared length, and how much of it was asked for."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while self.sent < self._size:
            piece = min(CHUNK, self._size - self.sent)
            self.sent += piece
            yield b" " * piece


@pytest.mark.parametrize("given", ["r-1", "A.b_c-9", "x" * 100])
async def test_a_request_keeps_the_id_that_it_came_with(http: httpx.AsyncClient, given: str) -> None:
    assert (await http.get("/things/1", headers={"X-Request-Id": given})).headers["x-request-id"] == given


@pytest.mark.parametrize("given", ["", "x" * 101, "a b", "a\tb", "<script>", "é".encode().decode("latin-1")])
async def test_an_id_that_could_do_harm_is_replaced(http: httpx.AsyncClient, given: str) -> None:
    headers = httpx.Headers([(b"X-Request-Id", given.encode("latin-1"))])
    made = (await http.get("/things/1", headers=headers)).headers["x-request-id"]
    assert str(UUID(made)) == made


async def test_every_request_without_an_id_gets_one_of_its_own(http: httpx.AsyncClient) -> None:
    ids = {(await http.get("/things/1")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("size", [0, 1, MAX_BODY_BYTES])
async def test_a_body_up_to_the_limit_is_read(http: httpx.AsyncClient, size: int) -> None:
    assert (await http.post("/echo", content=b" " * size)).json() == {"bytes": size}
    assert (await http.post("/echo", content=Chunks(size))).json() == {"bytes": size}


async def test_a_body_that_is_declared_too_large_is_refused_unread(http: httpx.AsyncClient) -> None:
    body = Chunks(100 * MAX_BODY_BYTES)
    response = await http.post("/echo", content=body, headers={"Content-Length": str(100 * MAX_BODY_BYTES)})
    assert (response.status_code, response.json()["name"]) == (413, "payload_too_large")
    assert response.json()["additional_data"] == {"limit": MAX_BODY_BYTES}
    assert (response.headers["connection"], "x-request-id" in response.headers) == ("close", True)
    assert body.sent <= LINGER_BYTES + CHUNK


async def test_a_body_that_grows_too_large_is_refused_at_the_limit(http: httpx.AsyncClient) -> None:
    body = Chunks(100 * MAX_BODY_BYTES)
    response = await http.post("/echo", content=body)
    assert (response.status_code, response.json()["name"]) == (413, "payload_too_large")
    assert body.sent <= MAX_BODY_BYTES + 2 * CHUNK


async def test_a_body_that_grows_too_large_is_refused_whoever_reads_it(http: httpx.AsyncClient) -> None:
    response = await http.post("/typed", content=Chunks(2 * MAX_BODY_BYTES), headers=JSON)
    assert (response.status_code, response.json()["name"]) == (413, "payload_too_large")


async def test_a_refusal_of_a_body_does_not_reach_the_next_request(http: httpx.AsyncClient) -> None:
    await http.post("/echo", content=Chunks(2 * MAX_BODY_BYTES))
    assert (await http.post("/echo", content=Chunks(5))).json() == {"bytes": 5}


async def test_the_description_of_the_api_is_served_under_its_prefix(http: httpx.AsyncClient) -> None:
    description = (await http.get("/openapi.json")).json()
    assert "/api/v1/things/{number}" in description["paths"]


def test_an_entity_tag_is_the_version_in_quotes() -> None:
    assert etag(17) == '"17"'


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_the_health_routes_stand_beside_the_api(http: httpx.AsyncClient, health: Health, path: str) -> None:
    health.well("everything")
    assert (await http.get(f"http://pipeloom.test{path}")).status_code == 200


@pytest.mark.parametrize(
    ("say", "status", "parts"),
    [
        (lambda health: health.expect("kafka", "postgres"), 503, {"kafka": "starting", "postgres": "starting"}),
        (lambda health: health.ill("kafka", "it is away"), 503, {"kafka": "it is away"}),
        (lambda health: health.well("kafka"), 200, {"kafka": "ok"}),
    ],
)
async def test_readiness_tells_of_every_part(
    http: httpx.AsyncClient, health: Health, say: Callable[[Health], None], status: int, parts: dict[str, str]
) -> None:
    say(health)
    response = await http.get("http://pipeloom.test/readyz")
    assert response.status_code == status
    assert response.json() == {"status": "ready" if status == 200 else "not ready", "parts": parts}


async def test_an_ill_process_is_alive(http: httpx.AsyncClient, health: Health) -> None:
    health.ill("kafka", "it is away")
    response = await http.get("http://pipeloom.test/livez")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})
