"""The running stack keeps to its OpenAPI document, whatever schemathesis makes of it.

`make fuzz` asks for more: EXAMPLES says how many of each operation, SEED repeats a run.
"""

import asyncio
import os
import random
import sys
from pathlib import Path

import httpx
import pytest

from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant

CONFIG = Path(__file__).with_name("openapi_fuzz.toml")
EXAMPLES = int(os.environ.get("PIPELOOM_TEST_FUZZ_EXAMPLES", "3"))
SEED = int(os.environ.get("PIPELOOM_TEST_FUZZ_SEED") or random.randrange(1_000_000))
SPARE = [f"spare-{number}" for number in range(1, 5)]
VARIABLES = ["API_KEY", "SPARE_1", "SPARE_2"]
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
    "ignored_auth",
]
# A run is as long as its examples; this ends one that hangs.
LIMIT_S = 60.0 + 20 * EXAMPLES


async def _furnish(tenant: Tenant) -> None:
    """Make what the names in the configuration mean."""
    for step in ["train", "rebuilt", *SPARE]:
        assert await tenant.create_step(step) == "Ready"
    for pipeline in ["churn", *SPARE]:
        assert (await tenant.create_pipeline(pipeline, "train")).status_code == 201
    for endpoint in ["churn-api", *SPARE]:
        assert (await tenant.create_endpoint(endpoint, "churn")).status_code == 201
    assert (await tenant.schedule("churn-nightly", "churn", "0 3 * * *")).status_code == 201
    variables = {"environment_variables": dict.fromkeys(VARIABLES, "example")}
    assert (await tenant.http.put("/environment-variables", json=variables)).status_code == 200


@pytest.mark.timeout(LIMIT_S + 60)
async def test_nothing_that_schemathesis_asks_breaks_the_document(stack: Stack, tenant: Tenant, tmp_path: Path) -> None:
    await _furnish(tenant)
    arguments = ["--config-file", str(CONFIG), "run", f"{stack.url}/api/v1/openapi.json"]
    options = ["--checks", ",".join(CHECKS), "--seed", str(SEED), "--max-examples", str(EXAMPLES)]
    source = httpx.URL((await tenant.http.get("/steps/train/download")).json()["signed_url"])
    process = await asyncio.create_subprocess_exec(
        *[
            sys.executable,
            "-m",
            "schemathesis.cli",
            *arguments,
            *options,
            "--continue-on-failure",
            *os.environ.get("FZ", "").split(),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "PIPELOOM_FUZZ_SDK_TOKEN": tenant.member.sdk_token,
            "PIPELOOM_FUZZ_SOURCE": Path(source.path).name,
            "PIPELOOM_FUZZ_TICKET": source.params["ticket"],
        },
    )
    try:
        code = await asyncio.wait_for(process.wait(), LIMIT_S)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert code == 0, f"see above; repeat it by: make fuzz EXAMPLES={EXAMPLES} SEED={SEED}"
