"""Steps: what is told of a failed one to whom, and waiting for one to be built."""

import json
from typing import Any, cast

import httpx
import pytest

from services.query import steps

from .conftest import News, Postgres, Row

SOON_S = 0.05


def row(status: str, version: int = 1) -> Row:
    creation: dict[str, Any] = {"status": status}
    if status == "Failed":
        creation |= {"failure": "There is no src/train.py.", "failure_code": "file_not_found"}
    # What a user wrote may look like a status.
    document = {"parameters": {"container_config": {"status": status}}, "creation_info": creation}
    return {"status": status, "version": version, "document": json.dumps(document, separators=(",", ":"))}


def keep(postgres: Postgres, *rows: Row | None) -> None:
    """Let each look find the next row, and every further one the last."""
    left = list(rows)
    postgres.find = lambda sql, given: left.pop(0) if len(left) > 1 else left[0]


def status_in(response: httpx.Response) -> str:
    return str(response.json()["creation_info"]["status"])


@pytest.mark.parametrize("status", ["Pending", "Ready"])
async def test_a_step_that_has_not_failed_is_told_to_everyone(
    http: httpx.AsyncClient, postgres: Postgres, status: str
) -> None:
    keep(postgres, row(status))
    response = await http.get("/steps/train", headers={"craft-ai-client": "craft-ai-sdk@0.43.4"})
    assert (response.status_code, status_in(response), response.headers["etag"]) == (200, status, '"1"')


@pytest.mark.parametrize("client", ["0.30.0", "0.43.4", "0.51.0", "0.9.1"])
async def test_a_failed_step_is_gone_for_an_sdk_that_knows_no_failure(
    http: httpx.AsyncClient, postgres: Postgres, client: str
) -> None:
    keep(postgres, row("Failed"))
    response = await http.get("/steps/train", headers={"craft-ai-client": f"craft-ai-sdk@{client}"})
    assert (response.status_code, response.json()["name"]) == (404, "step_failed")
    assert response.json()["message"] == "The step 'train' could not be built: There is no src/train.py."
    assert response.json()["additional_data"] == {"step_name": "train", "failure_code": "file_not_found"}


@pytest.mark.parametrize(
    ("client", "spelled"),
    [
        ("craft-ai-sdk@0.52.0", "creation_failed"),
        ("craft-ai-sdk@0.100.0", "creation_failed"),
        ("craft-ai-sdk@1.0.0", "creation_failed"),
        ("", "Failed"),
        ("curl", "Failed"),
    ],
)
async def test_a_failed_step_is_told_to_everyone_else(
    http: httpx.AsyncClient, postgres: Postgres, client: str, spelled: str
) -> None:
    keep(postgres, row("Failed"))
    response = await http.get("/steps/train", headers={"craft-ai-client": client})
    assert (response.status_code, status_in(response)) == (200, spelled)


@pytest.mark.parametrize(
    ("client", "pending", "ready"),
    [
        ("craft-ai-sdk@0.30.0", "Pending", "Ready"),
        ("craft-ai-sdk@0.49.9", "Pending", "Ready"),
        ("craft-ai-sdk@0.50.1", "creation_pending", "ready"),
        ("craft-ai-sdk@0.55.2", "creation_pending", "ready"),
        ("pipeloom@0.1.0", "Pending", "Ready"),
    ],
)
async def test_each_client_reads_the_status_as_it_spells_it(
    http: httpx.AsyncClient, postgres: Postgres, client: str, pending: str, ready: str
) -> None:
    # Given
    keep(postgres, row("Pending"), row("Ready"))
    summary = '{"step_name":"t","status":"Ready","repository_url":{"status":"Ready"}}'
    postgres.list = lambda sql, given: [{"name": "t", "summary": summary}]
    headers = {"craft-ai-client": client}
    # When
    waiting = await http.get("/steps/train", headers=headers)
    built_one = await http.get("/steps/train", headers=headers)
    [entry] = (await http.get("/steps", headers=headers)).json()
    # Then
    assert (status_in(waiting), status_in(built_one)) == (pending, ready)
    assert waiting.json()["parameters"]["container_config"] == {"status": "Pending"}
    assert entry == {"step_name": "t", "status": ready, "repository_url": {"status": "Ready"}}
    assert waiting.headers["vary"] == "craft-ai-client"


async def test_a_step_that_is_not_there_is_not_found(http: httpx.AsyncClient, postgres: Postgres) -> None:
    keep(postgres, None)
    response = await http.get("/steps/ghost")
    assert (response.status_code, response.json()["name"]) == (404, "step_not_found")
    assert response.json()["additional_data"] == {"step_name": "ghost"}


async def test_a_client_that_waits_is_answered_when_the_step_is_built(
    http: httpx.AsyncClient, postgres: Postgres, news: News
) -> None:
    # Given
    keep(postgres, row("Pending"), row("Ready", 2))
    news.on_wait = lambda: news.waiting["lab", "steps/train"].set_result(cast("Any", "the news"))
    # When
    response = await http.get("/steps/train", params={"wait_for_completion": "true"})
    # Then
    assert (status_in(response), response.headers["etag"]) == ("Ready", '"2"')
    assert not news.waiting


async def test_a_client_that_waits_goes_on_waiting_through_other_news(
    http: httpx.AsyncClient, postgres: Postgres, news: News
) -> None:
    keep(postgres, row("Pending"), row("Pending"), row("Pending"), row("Ready"))
    news.on_wait = lambda: news.waiting["lab", "steps/train"].set_result(cast("Any", "the news"))
    response = await http.get("/steps/train", params={"wait_for_completion": "true"})
    assert status_in(response) == "Ready"


@pytest.mark.parametrize("status", ["Ready", "Failed"])
async def test_a_client_need_not_wait_for_a_step_that_is_built(
    http: httpx.AsyncClient, postgres: Postgres, status: str
) -> None:
    keep(postgres, row(status))
    response = await http.get("/steps/train", params={"wait_for_completion": "true"})
    assert (response.status_code, status_in(response)) == (200, status)


async def test_a_client_is_not_held_for_ever(
    http: httpx.AsyncClient, postgres: Postgres, news: News, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "HOLD_S", SOON_S)
    keep(postgres, row("Pending"))
    response = await http.get("/steps/train", params={"wait_for_completion": "True"})
    assert status_in(response) == "Pending"
    assert not news.waiting


async def test_a_client_that_waits_for_a_step_that_is_deleted_meanwhile_is_told(
    http: httpx.AsyncClient, postgres: Postgres, news: News
) -> None:
    keep(postgres, row("Pending"), None)
    news.on_wait = lambda: news.waiting["lab", "steps/train"].set_result(cast("Any", "the news"))
    response = await http.get("/steps/train", params={"wait_for_completion": "true"})
    assert (response.status_code, response.json()["name"]) == (404, "step_not_found")
