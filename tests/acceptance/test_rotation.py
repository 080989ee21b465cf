"""A new signing key while the product runs: no client notices."""

import asyncio
import os
import subprocess
import sys

import httpx
import jwt

from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant
from tests.support.installation import unique
from tests.support.services import eventually


async def rotate(stack: Stack) -> None:
    variables = {**os.environ, "PIPELOOM_AUTH__SIGNING_KEY_FILE": str(stack.signing_key_file)}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "pipeloom", "admin", "rotate-signing-key"],
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


async def refreshed(tenant: Tenant) -> str:
    answer = await tenant.http.post("/auth/refresh", json={"refresh_token": tenant.member.sdk_token})
    return str(answer.json()["access_token"])


async def key_of_a_new_token(tenant: Tenant) -> str:
    return str(jwt.get_unverified_header(await refreshed(tenant))["kid"])


async def test_a_rotated_key_ends_no_token_and_changes_no_answer(stack: Stack, tenant: Tenant, pipeline: str) -> None:
    # Given
    before = await key_of_a_new_token(tenant)
    repeated = {"Idempotency-Key": unique("key")}

    async def create_endpoint() -> httpx.Response:
        return await tenant.http.post("/endpoints", json={"name": "live", "pipeline_name": pipeline}, headers=repeated)

    created = await create_endpoint()
    # When
    await rotate(stack)

    async def is_taken() -> bool:
        return await key_of_a_new_token(tenant) != before

    await eventually(is_taken, 10)
    # Then
    new = await refreshed(tenant)
    published = [key["kid"] for key in (await tenant.http.get("/auth/jwks.json")).json()["keys"]]
    assert published == [jwt.get_unverified_header(new)["kid"], before]
    for token in (tenant.http.headers["Authorization"], f"Bearer {new}"):
        assert (await tenant.http.get("/pipelines", headers={"Authorization": token})).status_code == 200
    again = await create_endpoint()
    assert (created.status_code, again.status_code) == (201, 201)
    assert again.json()["endpoint_token"] == created.json()["endpoint_token"]
