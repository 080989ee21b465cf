"""What a reader of the live feed may ask for."""

import httpx
import pytest

from .conftest import Postgres


@pytest.fixture(autouse=True)
def history(postgres: Postgres) -> None:
    """An environment in which 41 events have happened."""
    postgres.value = 41


@pytest.mark.parametrize("place", ["42", "x", "-1", "4.0", "41 ", "１", "9" * 40], ids=str)
async def test_a_last_event_id_that_is_not_ours_is_refused(http: httpx.AsyncClient, place: str) -> None:
    response = await http.get("/events", headers=[(b"Last-Event-ID", place.encode())])
    assert (response.status_code, response.json()["name"]) == (400, "invalid_header")
    assert "from=beginning" in response.json()["message"]


async def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do(http: httpx.AsyncClient) -> None:
    response = await http.get("/events", params={"types": "StepReady"})
    assert (response.status_code, response.json()["additional_data"]) == (
        400,
        {"unknown": ["types"], "known": ["type", "subject", "from"]},
    )


@pytest.mark.parametrize(
    "params", [{"type": "Nonsense"}, {"type": ""}, {"from": "yesterday"}, {"subject": "a\0b"}, {"subject": "x" * 3000}]
)
async def test_a_filter_that_cannot_be_is_refused(http: httpx.AsyncClient, params: dict[str, str]) -> None:
    response = await http.get("/events", params=params)
    assert (response.status_code, response.json()["name"]) == (422, "invalid_parameter")


async def test_the_types_that_there_are_are_told(http: httpx.AsyncClient) -> None:
    response = await http.get("/events", params={"type": "Nonsense"})
    assert "PipelineCreated" in response.json()["message"]


async def test_a_stream_does_not_begin_without_postgres(http: httpx.AsyncClient, postgres: Postgres) -> None:
    postgres.value = OSError("away")
    response = await http.get("/events")
    assert (response.status_code, response.json()["name"]) == (503, "postgres_unavailable")
