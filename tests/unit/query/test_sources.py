"""Giving back a step's source by a signed URL, and what else clients ask around a build."""

import io
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest

from services.kit.backend import Backend
from services.kit.health import Health
from services.kit.objects import ObjectStore
from services.kit.settings import AuthSettings, HttpSettings, ObjectsSettings, Settings
from services.kit.signing_keys import ensure_signing_key
from services.kit.tokens import Identity, Tokens
from services.kit.web import make_app
from services.query import sources
from services.query.service import query_routers
from tests.unit.composer.world import step

from .conftest import News, Postgres

BYTES = b"an archive" * 1000


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        objects=ObjectsSettings(location=str(tmp_path / "objects")),
        auth=AuthSettings(signing_key_file=tmp_path / "key.pem"),
    )


@pytest.fixture
def tokens(settings: Settings) -> Tokens:
    ensure_signing_key(settings.auth.signing_key_file)
    return Tokens(settings.auth)


@pytest.fixture
def kept(settings: Settings) -> str:
    return ObjectStore(settings.objects).put(io.BytesIO(BYTES))


@pytest.fixture
async def http(settings: Settings, postgres: Postgres, news: News, tokens: Tokens) -> AsyncIterator[httpx.AsyncClient]:
    backend = Backend(settings, cast("Any", postgres), cast("Any", news), tokens, cast("Any", None))
    app = make_app("queries", query_routers(backend), Health(), tokens=tokens)
    headers = {"Authorization": f"Bearer {tokens.access_token(Identity('ada', 'lab'))}"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://pipeloom.test/api/v1", headers=headers
    ) as client:
        yield client


def keep(postgres: Postgres, **fields: object) -> None:
    postgres.find = lambda sql, given: {"body": step("my step é", **fields).model_dump_json()}  # type: ignore[arg-type]


async def signed_url(http: httpx.AsyncClient) -> str:
    answer = await http.get("/steps/train/download")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["signed_url"])


async def test_the_source_comes_back_by_the_signed_url_without_a_token(
    http: httpx.AsyncClient, postgres: Postgres, kept: str
) -> None:
    keep(postgres, source=kept)
    url = await signed_url(http)
    assert url.startswith(f"http://pipeloom.test/api/v1/sources/{kept}?ticket=")
    del http.headers["Authorization"]
    answer = await http.get(url)
    assert (answer.status_code, answer.content) == (200, BYTES)
    assert answer.headers["content-length"] == str(len(BYTES))
    assert answer.headers["content-type"] == "application/gzip"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''train.tgz"


async def test_a_configured_address_is_in_the_url(
    http: httpx.AsyncClient, postgres: Postgres, kept: str, settings: Settings
) -> None:
    settings.http = HttpSettings(public_url="https://ml.example.org/")
    keep(postgres, source=kept)
    assert (await signed_url(http)).startswith(f"https://ml.example.org/api/v1/sources/{kept}?")


async def test_a_url_expires(
    http: httpx.AsyncClient, postgres: Postgres, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "URL_LIFE_S", -1)
    keep(postgres, source=kept)
    answer = await http.get(await signed_url(http))
    assert (answer.status_code, answer.json()["name"]) == (401, "expired_token")


async def test_a_url_lives_five_minutes(http: httpx.AsyncClient, postgres: Postgres, kept: str) -> None:
    keep(postgres, source=kept)
    [ticket] = parse_qs(urlsplit(await signed_url(http)).query)["ticket"]
    claims = jwt.decode(ticket, options={"verify_signature": False})
    assert claims["exp"] == pytest.approx(time.time() + 300, abs=5)


async def test_neither_a_token_nor_a_ticket_does_what_the_other_is_for(
    http: httpx.AsyncClient, postgres: Postgres, kept: str, tokens: Tokens
) -> None:
    keep(postgres, source=kept)
    [ticket] = parse_qs(urlsplit(await signed_url(http)).query)["ticket"]
    access = tokens.access_token(Identity("ada", "lab"))
    as_ticket = await http.get(f"/sources/{kept}", params={"ticket": access})
    as_token = await http.get("/steps/train/download", headers={"Authorization": f"Bearer {ticket}"})
    other = await http.get(f"/sources/sha256:{'0' * 64}", params={"ticket": ticket})
    answers = (as_ticket, as_token, other)
    assert [(each.status_code, each.json()["name"]) for each in answers] == [(401, "invalid_token")] * 3


@pytest.mark.parametrize("digest", ["sha256:x", "..%2f..%2fetc", "sha256:" + "A" * 64])
async def test_what_is_no_digest_is_refused(http: httpx.AsyncClient, digest: str) -> None:
    assert (await http.get(f"/sources/{digest}", params={"ticket": "x"})).status_code in {404, 422}


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"status": "Pending"}, 409, "step_not_ready"),
        ({"status": "Failed", "failure": "x", "failure_code": "file_not_found"}, 404, "step_failed"),
        ({"status": "Ready"}, 404, "source_not_kept"),
    ],
)
async def test_a_step_without_a_kept_source_says_why(
    http: httpx.AsyncClient, postgres: Postgres, fields: dict[str, str], status: int, code: str
) -> None:
    keep(postgres, **fields)
    answer = await http.get("/steps/train/download")
    assert (answer.status_code, answer.json()["name"]) == (status, code)


async def test_a_step_that_is_not_there_is_not_found(http: httpx.AsyncClient) -> None:
    assert (await http.get("/steps/train/download")).json()["name"] == "step_not_found"
    assert (await http.post("/steps/train/logs", json={})).json()["name"] == "step_not_found"


async def test_an_object_that_is_gone_is_told(http: httpx.AsyncClient, postgres: Postgres) -> None:
    keep(postgres, source=f"sha256:{'0' * 64}")
    answer = await http.get(await signed_url(http))
    assert (answer.status_code, answer.json()["name"]) == (404, "source_not_kept")


async def test_a_project_gives_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.get("/project-information")
    assert answer.json() == {"included_folders": [], "requirements_path": None}


async def test_the_log_tells_what_happened_within_what_was_asked(http: httpx.AsyncClient, postgres: Postgres) -> None:
    keep(
        postgres,
        status="Failed",
        failure="It is gone.",
        failure_code="file_not_found",
        updated_at="2026-01-31T12:00:05.000Z",
    )
    lines = (await http.post("/steps/train/logs", json={})).json()
    assert [line["timestamp"] for line in lines] == ["2026-01-31T12:00:00.000Z", "2026-01-31T12:00:05.000Z"]
    assert lines[1]["message"] == "The build failed (file_not_found): It is gone."
    at_ms = 1769860805000
    later = (await http.post("/steps/train/logs", json={"from": at_ms})).json()
    earlier = (await http.post("/steps/train/logs", json={"to": at_ms - 1})).json()
    first = (await http.post("/steps/train/logs", json={"limit": 1})).json()
    assert (later, earlier, first) == (lines[1:], lines[:1], lines[:1])
