"""Who may ask: only the bearer of an access token that this installation signed and that has not expired."""

import time
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from tests.acceptance.problems import problem
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import NO_TLS, Tenant
from tests.acceptance.tokens import claims, expired_token
from tests.support.services import eventually

ADDRESSES = [
    ("GET", "/pipelines"),
    ("POST", "/pipelines"),
    ("DELETE", "/pipelines/churn"),
    ("GET", "/commands/00000000-0000-0000-0000-000000000000"),
    ("GET", "/users/me"),
]


async def ask(tenant: Tenant, method: str, address: str, authorization: str | bytes | None) -> httpx.Response:
    body = {"pipeline_name": "churn", "step_names": ["train"]} if method == "POST" else None
    async with httpx.AsyncClient(base_url=tenant.http.base_url, verify=NO_TLS) as nobody:
        headers = {} if authorization is None else {"Authorization": authorization}
        return await nobody.request(method, address, json=body, headers=headers)  # type: ignore[arg-type] # raw bytes


def unauthenticated(response: httpx.Response, name: str) -> None:
    problem(response, 401, name)
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("authorization", [None, "Bearer", "Basic YWRhOmFkYQ==", "EndpointToken abc"])
@pytest.mark.parametrize(("method", "address"), ADDRESSES)
async def test_without_a_token_nothing_is_told_and_nothing_is_done(
    tenant: Tenant, method: str, address: str, authorization: str | None
) -> None:
    unauthenticated(await ask(tenant, method, address, authorization), "unauthenticated")

    assert await tenant.sent() == []


@pytest.mark.parametrize("token", [b"garbage", b"a.b.c", b"\xff\xfe", b"x" * 5000, b"eyJhbGciOiJFZERTQSJ9..", b"."])
async def test_garbage_is_no_token(tenant: Tenant, token: bytes) -> None:
    unauthenticated(await ask(tenant, "GET", "/pipelines", b"Bearer " + token), "invalid_token")


async def test_a_token_with_one_letter_changed_is_refused(tenant: Tenant) -> None:
    header, payload, signature = tenant.http.headers["Authorization"].split(".")
    forged = f"{header}.{payload}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"

    unauthenticated(await ask(tenant, "GET", "/pipelines", forged), "invalid_token")


def own_key(stack: Stack) -> Ed25519PrivateKey:
    key = load_pem_private_key(stack.signing_key_file.read_bytes(), password=None)
    assert isinstance(key, Ed25519PrivateKey)
    return key


async def test_the_test_itself_can_sign_a_token_that_is_taken(tenant: Tenant, stack: Stack) -> None:
    token = jwt.encode(claims(tenant), own_key(stack), algorithm="EdDSA")

    assert (await ask(tenant, "GET", "/pipelines", f"Bearer {token}")).status_code == 200


@pytest.mark.parametrize(
    "changes",
    [{"iss": "another"}, {"aud": "another"}, {"exp": None}, {"environment": None}, {"sub": None}, {"iat": None}],
)
async def test_a_token_that_says_too_little_or_is_for_others_is_refused(
    tenant: Tenant, stack: Stack, changes: dict[str, Any]
) -> None:
    token = jwt.encode(claims(tenant, **changes), own_key(stack), algorithm="EdDSA")

    unauthenticated(await ask(tenant, "GET", "/pipelines", f"Bearer {token}"), "invalid_token")


async def test_a_token_of_another_key_is_refused(tenant: Tenant) -> None:
    token = jwt.encode(claims(tenant), Ed25519PrivateKey.generate(), algorithm="EdDSA")

    unauthenticated(await ask(tenant, "GET", "/pipelines", f"Bearer {token}"), "invalid_token")


async def test_a_token_that_is_not_signed_is_refused(tenant: Tenant) -> None:
    token = jwt.encode(claims(tenant), "", algorithm="none")

    unauthenticated(await ask(tenant, "GET", "/pipelines", f"Bearer {token}"), "invalid_token")


async def test_a_token_that_takes_the_public_key_for_a_password_is_refused(tenant: Tenant, stack: Stack) -> None:
    public = own_key(stack).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    token = jwt.encode(claims(tenant), public, algorithm="HS256")

    unauthenticated(await ask(tenant, "GET", "/pipelines", f"Bearer {token}"), "invalid_token")


@pytest.mark.parametrize(("method", "address"), ADDRESSES)
async def test_an_expired_token_is_refused_as_such(tenant: Tenant, stack: Stack, method: str, address: str) -> None:
    token = expired_token(stack, tenant)

    unauthenticated(await ask(tenant, method, address, f"Bearer {token}"), "expired_token")
    assert await tenant.sent() == []


async def test_a_token_that_was_taken_before_is_refused_once_it_expires(tenant: Tenant, stack: Stack) -> None:
    expires_at = int(time.time()) + 2
    token = jwt.encode(claims(tenant, exp=expires_at), own_key(stack), algorithm="EdDSA")

    async def is_refused() -> bool:
        return (await ask(tenant, "GET", "/pipelines", f"Bearer {token}")).status_code != 200

    assert not await is_refused()
    await eventually(is_refused, within_s=10)

    assert time.time() >= expires_at
    unauthenticated(await ask(tenant, "GET", "/pipelines", f"Bearer {token}"), "expired_token")


@pytest.mark.parametrize("token", ["no-token-of-anybody", "x" * 1000, "é"])
async def test_an_unknown_sdk_token_gives_no_access_token(tenant: Tenant, token: str) -> None:
    unauthenticated(await tenant.http.post("/auth/refresh", json={"refresh_token": token}), "invalid_token")


async def test_an_sdk_token_gives_an_access_token_that_the_sdk_can_read(tenant: Tenant) -> None:
    said = claims(tenant)

    assert said["environment"] == tenant.environment
    assert 30 < said["exp"] - time.time() <= 900
    assert (await tenant.http.get("/users/me")).json()["id"] == said["sub"]
