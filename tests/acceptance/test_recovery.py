"""What an operator does to the running product: verify it, and rebuild the projection while its users work."""

import asyncio
import json

from tests.acceptance.program import Pipeloom
from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant


async def test_a_rebuild_under_users_who_read_and_write_is_seen_by_nobody(
    tenant: Tenant, pipeline: str, stack: Stack, pipeloom: Pipeloom
) -> None:
    # Given
    server = {
        "PIPELOOM_POSTGRES__DSN": stack.postgres.dsn.get_secret_value(),
        "PIPELOOM_KAFKA__TOPIC_PREFIX": stack.kafka.topic_prefix,
    }
    rebuilding = asyncio.ensure_future(pipeloom("rebuild", **server))
    # When
    created: list[str] = []
    while not rebuilding.done() or len(created) < 20:
        name = f"p{len(created)}"
        assert (await tenant.create_pipeline(name, "train")).status_code == 201
        created.append(name)
        listed = (await tenant.http.get("/pipelines")).json()
        # Then each one can be read at once
        assert sorted(each["pipeline_name"] for each in listed) == sorted([pipeline, *created])
    rebuilt = await rebuilding
    verified = await pipeloom("verify", "--environment", tenant.environment, "--output", "json", **server)
    assert (rebuilt.code, rebuilt.stdout[:8]) == (0, "Rebuilt:")
    assert verified.code == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["differences"] == []
