"""A step's way: asked for with or without an upload, waited for, built anew, given back."""

import io
import tarfile

import httpx
import pytest

from tests.acceptance.sources import CODE, FUNCTION_PATH
from tests.acceptance.tenant import NO_TLS, Tenant

WAIT = {"wait_for_completion": "true"}
NEWER = {"craft-ai-client": "craft-ai-sdk@0.55.2"}


def archive(path: str = FUNCTION_PATH) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as tar:
        member = tarfile.TarInfo(path)
        member.size = len(CODE.encode())
        tar.addfile(member, io.BytesIO(CODE.encode()))
    return target.getvalue()


def names_in(data: bytes) -> dict[str, bytes]:
    """Return the files of an archive."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: file.read() for member in tar if (file := tar.extractfile(member))}


async def fetched(tenant: Tenant, step: str) -> bytes:
    """Return what the signed URL of a step gives to anybody who has it."""
    answer = await tenant.http.get(f"/steps/{step}/download")
    assert answer.status_code == 200, answer.text
    async with httpx.AsyncClient(verify=NO_TLS) as anybody:
        given = await anybody.get(answer.json()["signed_url"])
    assert given.status_code == 200, given.text
    return given.content


async def upload(tenant: Tenant, name: str, data: bytes, **params: str) -> httpx.Response:
    fields = {"step_name": name, "function_path": FUNCTION_PATH, "function_name": "constant"}
    return await tenant.http.post("/steps", data=fields, files={"step_file": ("step_file", data)}, params=params)


async def test_what_was_built_from_git_is_given_back_too(tenant: Tenant) -> None:
    assert await tenant.create_step("train") == "Ready"
    assert names_in(await fetched(tenant, "train"))[FUNCTION_PATH] == CODE.encode()


async def test_a_request_that_waits_is_answered_with_the_built_step(tenant: Tenant) -> None:
    built = await upload(tenant, "waited", archive(), **WAIT)
    assert (built.status_code, built.json()["creation_info"]["status"]) == (201, "Ready"), built.text
    read = await tenant.http.get("/steps/waited")
    assert (read.content, read.headers["etag"]) == (built.content, built.headers["etag"])


async def test_a_build_that_fails_has_its_code_for_every_client(tenant: Tenant) -> None:
    failed = await upload(tenant, "lost", archive("other.py"), **WAIT)
    assert (failed.status_code, failed.json()["creation_info"]["failure_code"]) == (200, "file_not_found")
    older = await tenant.http.get("/steps/lost", headers={"craft-ai-client": "craft-ai-sdk@0.43.4"})
    newer = await tenant.http.get("/steps/lost", headers=NEWER)
    assert (older.status_code, older.json()["additional_data"]["failure_code"]) == (404, "file_not_found")
    assert newer.json()["creation_info"]["status"] == "creation_failed"
    [told] = [step for step in (await tenant.http.get("/steps", headers=NEWER)).json() if step["step_name"] == "lost"]
    assert told["status"] == "creation_failed"


async def test_an_upload_under_the_same_key_is_answered_as_before(tenant: Tenant) -> None:
    key = {"Idempotency-Key": "upload-1"}
    tenant.http.headers.update(key)
    first, again = await upload(tenant, "once", archive()), await upload(tenant, "once", archive())
    other = await upload(tenant, "once", archive("other.py"))
    assert (first.status_code, again.status_code) == (206, 206)
    assert first.headers["pipeloom-command-id"] == again.headers["pipeloom-command-id"]
    assert (other.status_code, other.json()["name"]) == (422, "command_id_reused")


@pytest.mark.parametrize(
    ("data", "code"), [(b"no archive", "invalid_archive"), (archive("../out.py"), "unsafe_archive")]
)
async def test_a_bad_archive_leaves_no_trace(tenant: Tenant, data: bytes, code: str) -> None:
    refused = await upload(tenant, "bad", data)
    assert (refused.status_code, refused.json()["name"]) == (422, code)
    assert await tenant.sent() == []


async def test_a_step_is_built_anew(tenant: Tenant) -> None:
    # Given a step that a pipeline uses
    assert await tenant.create_step("train") == "Ready"
    assert (await tenant.create_pipeline("churn", "train")).status_code == 201
    # When
    refused = await tenant.http.put("/steps/train", json={"inputs": []})
    asked = await tenant.http.put("/steps/train", json={"description": "mended", "container_config": {}})
    built = await tenant.http.get("/steps/train", params=WAIT)
    # Then
    assert (refused.status_code, refused.json()["name"]) == (409, "step_in_use")
    assert (asked.status_code, asked.json()["creation_info"]["status"]) == (200, "Pending")
    assert built.json()["creation_info"]["status"] == "Ready"
    assert built.json()["parameters"]["description"] == "mended"
    types = [dict(record.headers)["ce_type"].decode() for record in await tenant.history()]
    assert [each for each in types if ".Step" in each] == [
        f"pipeloom.{name}.v1" for name in ("StepCreated", "StepReady", "StepUpdated", "StepReady")
    ]


async def test_no_secret_reaches_an_event_or_an_answer(tenant: Tenant) -> None:
    secret = "-----BEGIN PRIVATE KEY-----"
    body = tenant.step_body("keyed")
    body["container_config"] = {**body["container_config"], "repository_deploy_key": secret}
    asked = await tenant.http.post("/steps", json=body)
    records = [*await tenant.history(), *await tenant.sent()]
    assert asked.status_code == 206
    assert len(records) >= 2
    assert [record for record in records if secret.encode() in record.value] == []
    assert "deploy_key" not in asked.text
