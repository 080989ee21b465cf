"""Requests as a client sends them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.types import Message

from services.command.sources import Sources
from services.kit.objects import ObjectStore
from services.kit.sealing import Sealer, ensure_secrets_key
from services.kit.settings import AuthSettings, ObjectsSettings, SecretsSettings
from services.kit.signing_keys import ensure_signing_key
from services.kit.tokens import Tokens

MakeRequest = Callable[..., Request]


@pytest.fixture
def make_request() -> MakeRequest:
    """Make a request with headers and a body."""

    def make(headers: Mapping[str, str] | None = None, body: bytes = b"") -> Request:
        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in (headers or {}).items()]
        scope = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": raw}
        return Request(scope, receive)

    return make


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    ensure_signing_key(tmp_path / "key.pem")
    return Tokens(AuthSettings(signing_key_file=tmp_path / "key.pem"))


@pytest.fixture
def sealer(tmp_path: Path) -> Sealer:
    ensure_secrets_key(tmp_path / "secrets.key")
    return Sealer(SecretsSettings(key_file=tmp_path / "secrets.key"))


@pytest.fixture
def objects_settings(tmp_path: Path) -> ObjectsSettings:
    """A store in a folder, with limits that tests reach."""
    return ObjectsSettings(
        location=str(tmp_path / "objects"), max_upload_bytes=300_000, max_unpacked_bytes=1_000_000, max_members=20
    )


@pytest.fixture
def sources(objects_settings: ObjectsSettings, sealer: Sealer) -> Sources:
    return Sources(objects_settings, ObjectStore(objects_settings), sealer)
