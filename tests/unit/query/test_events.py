"""What a reader of the live feed may ask for."""

import httpx
import pytest

from .conftest import Postgres


@pytest.fixture(autouse=True)
def history(postgres: Postgres) -> None:
    """An environment in which 41 events have happened."""
    postgres.value = 41


@pytest.mark.parametrize("place", ["42", "x", "-1", "4.0", "4 1", "00003", "１", "9" * 40, ""], ids=str)
async def test_a_last_event_id_that_is_not_ours_is_refused(http: httpx.AsyncClient, place: str) -> None:
    response = await http.get("/events", headers=[(b"Last-Event-ID", place.encode())])
    assert (response.status_code, response.json()["name"]) == (400, "invalid_header")
    assert "from=beginning" in response.json()["message"]


async def test_blanks_around_a_last_event_id_do_not_count(http: httpx.AsyncClient) -> None:
    response = await http.get("/events", headers={"Last-Event-ID": "\t 42 "})
    assert response.json()["message"].startswith("The Last-Event-ID '42' is not")


async def test_a_last_event_id_that_cannot_be_read_is_not_repeated(http: httpx.AsyncClient) -> None:
    response = await http.get("/events", headers=[(b"Last-Event-ID", "größer".encode())])
    assert response.json()["message"].startswith("The Last-Event-ID has characters other than digits, so it is not")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/events?from=now&from=beginning", "from"),
        ("/events?type=StepReady&pipeline=a&pipeline=b", "pipeline"),
        ("/commands?status=rejected&status=succeeded", "status"),
        ("/dead-letters?limit=1&limit=1", "limit"),
    ],
)
async def test_a_parameter_that_counts_once_is_refused_when_it_is_there_twice(
    http: httpx.AsyncClient, address: str, name: str
) -> None:
    response = await http.get(address)
    told = response.json()
    assert (response.status_code, told["name"], told["additional_data"]) == (
        400,
        "invalid_request",
        {"repeated": [name]},
    )
    assert told["message"] == f"The parameter '{name}' is there 2 times; give it once."


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("/events?from=yesterday", "from: must be 'beginning' or 'now'."),
        ("/events?subject=a%00", "subject: must not have a NUL character in it."),
        ("/events?pipeline=a/b", "pipeline: the name cannot be used: it contains one of / ? # %."),
        ("/dead-letters/x", "dead_letter_id: must be a dead letter's id, as in 3-1042."),
        (
            "/dead-letters?after=x",
            "after: must be where a page of dead letters ends; take it from the Link of that page.",
        ),
        ("/dead-letters?limit=0", "limit: must be at least 1."),
        (
            "/commands?since=2026-01-31T12:00:00",
            "since: must be a time with its zone (RFC 3339), as in 2026-01-31T12:00:00Z.",
        ),
        ("/commands?since=1", "since: write a time with its zone (RFC 3339), as in 2026-01-31T12:00:00Z."),
        ("/commands/zzz", "command_id: must be a UUID, as in 0198c5f2-a7f0-7e11-b9f4-0d2f7c64e5a9."),
    ],
)
async def test_a_parameter_that_cannot_be_is_refused_in_words(
    http: httpx.AsyncClient, address: str, message: str
) -> None:
    assert (await http.get(address)).json()["message"] == message


async def test_a_type_that_there_is_not_is_refused_without_a_word_of_python(http: httpx.AsyncClient) -> None:
    told = (await http.get("/events?type=Nonsense")).json()
    assert told["message"].startswith("type.0: there is no event type 'Nonsense'; the known ones are StepCreated, ")


async def test_a_parameter_that_does_not_exist_is_refused_with_those_that_do(http: httpx.AsyncClient) -> None:
    response = await http.get("/events", params={"types": "StepReady"})
    assert (response.status_code, response.json()["additional_data"]) == (
        400,
        {"unknown": ["types"], "known": ["type", "pipeline", "subject", "from"]},
    )


@pytest.mark.parametrize(
    "params",
    [
        {"type": "Nonsense"},
        {"type": ""},
        {"from": "yesterday"},
        {"subject": "a\0b"},
        {"subject": "x" * 3000},
        {"pipeline": ""},
        {"pipeline": "a/b"},
    ],
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
