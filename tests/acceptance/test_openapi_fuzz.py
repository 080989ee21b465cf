"""The running stack keeps to its OpenAPI document, whatever schemathesis makes of it.

`make fuzz` asks for more: EXAMPLES says how many of each operation, SEED repeats a run.
"""

import asyncio
import json
import os
import random
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.acceptance.fuzzing import CONFIG
from tests.acceptance.records import written
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import ALL_MAPPED, Tenant

EXAMPLES = int(os.environ.get("PIPELOOM_TEST_FUZZ_EXAMPLES") or 3)
ENOUGH = 25
SEED = int(os.environ.get("PIPELOOM_TEST_FUZZ_SEED") or random.randrange(1_000_000))
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
    "negative_data_rejection",
    "missing_required_header",
    "use_after_free",
    "ensure_resource_availability",
]
# A run is as long as its examples; this ends one that hangs.
LIMIT_S = 120.0 + 20 * EXAMPLES

KEPT, SPARE = "kept", "spare"


async def _furnish(tenant: Tenant) -> dict[str, Any]:
    """Make what can be asked about; return what the hooks have to know of it."""
    for name in (KEPT, SPARE):
        assert await tenant.create_step(name) == "Ready"
        assert (await tenant.create_pipeline(name, KEPT)).status_code == 201
        assert (await tenant.create_endpoint(name, KEPT)).status_code == 201
    assert (await tenant.schedule(f"{KEPT}-nightly", KEPT, "0 3 * * *")).status_code == 201
    variables = {"environment_variables": {"KEPT": "example", "SPARE": "example"}}
    assert (await tenant.http.put("/environment-variables", json=variables)).status_code == 200
    source = httpx.URL((await tenant.http.get(f"/steps/{KEPT}/download")).json()["signed_url"])
    letters = [await _bury(tenant) for _ in range(2)]
    kept = {kind: [KEPT] for kind in ("steps", "pipelines")}
    return {
        "seed": SEED,
        "kept": {**kept, "deployments": [KEPT, f"{KEPT}-nightly"], "variables": ["KEPT"], "letters": letters[:1]},
        "spare": {
            **{kind: [SPARE] for kind in ("steps", "pipelines", "deployments")},
            "variables": ["SPARE"],
            "letters": letters[1:],
        },
        "step": tenant.step_body(KEPT),
        "periodic": {"pipeline_name": KEPT, "schedule": "0 3 * * *", **ALL_MAPPED},
        "user_id": (await tenant.http.get("/users/me")).json()["id"],
        "digest": Path(source.path).name,
        "ticket": source.params["ticket"],
    }


async def _bury(tenant: Tenant) -> str:
    """Make a dead letter; return its id."""
    command_id = uuid4()
    record = await tenant.put(b"{}", written(tenant, command_id, {}))
    await tenant.result(command_id)
    return f"{record.partition}-{record.offset}"


@pytest.mark.timeout(LIMIT_S + 60)
async def test_nothing_that_schemathesis_asks_breaks_the_document(stack: Stack, tenant: Tenant, tmp_path: Path) -> None:
    world = {
        "PIPELOOM_FUZZ_WORLD": json.dumps(await _furnish(tenant)),
        "PIPELOOM_FUZZ_SDK_TOKEN": tenant.member.sdk_token,
    }
    where = ["--config-file", str(CONFIG), "run", f"{stack.url}/api/v1/openapi.json", "--checks", ",".join(CHECKS)]
    how_much = ["--max-examples", str(EXAMPLES), "--seed", str(SEED), "--continue-on-failure"]
    # With few examples chance decides whether one of them meets what is there.
    warned_of = [] if EXAMPLES >= ENOUGH else ["--warnings", "missing_auth,unsupported_regex,unresolvable_reference"]
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "schemathesis.cli", *where, *how_much, *warned_of],
        cwd=tmp_path,
        env={**os.environ, **world},
    )
    try:
        code = await asyncio.wait_for(process.wait(), LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert code == 0, f"see above; repeat it by: make fuzz EXAMPLES={EXAMPLES} SEED={SEED}"
