"""What an operator does to the running product while its users work: verify, rebuild the projection, prune the past."""

import asyncio
import json

from services.kit.postgres import connect
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


async def test_the_past_is_pruned_under_users_who_write_and_all_is_as_whole_as_before(
    tenant: Tenant, pipeline: str, stack: Stack, pipeloom: Pipeloom
) -> None:
    # Given a history that is old, as far as Postgres knows
    server = {
        "PIPELOOM_POSTGRES__DSN": stack.postgres.dsn.get_secret_value(),
        "PIPELOOM_KAFKA__BOOTSTRAP_SERVERS": stack.kafka.bootstrap_servers,
        "PIPELOOM_KAFKA__TOPIC_PREFIX": stack.kafka.topic_prefix,
    }
    connection = await connect(stack.postgres)
    try:
        await connection.execute(
            "UPDATE inbox SET decided_at = now() - interval '20 days' WHERE environment = $1", tenant.environment
        )
    finally:
        await connection.close()
    # When
    pruning = asyncio.ensure_future(_pruned(pipeloom, tenant.environment, server))
    created: list[str] = []
    while not pruning.done() or len(created) < 20:
        name = f"p{len(created)}"
        assert (await tenant.create_pipeline(name, "train")).status_code == 201
        created.append(name)
    await pruning
    # Then
    listed = (await tenant.http.get("/pipelines")).json()
    history = await tenant.http.get(f"/pipelines/{pipeline}/history")
    verified = await pipeloom("verify", "--environment", tenant.environment, "--output", "json", **server)
    assert sorted(each["pipeline_name"] for each in listed) == sorted([pipeline, *created])
    assert (history.json(), int(history.headers["Pipeloom-Pruned-Up-To"]) > 0) == ([], True)
    assert verified.code == 0, verified.stdout + verified.stderr


async def _pruned(pipeloom: Pipeloom, environment: str, server: dict[str, str]) -> None:
    """Prune until nothing old is left of an environment: what the relay is about to publish goes a moment later."""
    while True:
        ended = await pipeloom("prune", "--keep-days", "14", "--output", "json", **server)
        assert ended.code == 0, ended.stdout + ended.stderr
        if environment not in json.loads(ended.stdout)["held"]:
            return
