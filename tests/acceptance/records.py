"""Records as a producer may write them, and what is kept of those that are no commands."""

from typing import Any
from uuid import UUID

import asyncpg
from aiokafka.structs import RecordMetadata

from tests.acceptance.stack import Stack
from tests.acceptance.tenant import Tenant

GOOD_VALUE = b'{"pipeline_name": "churn", "step_names": ["train"]}'


def written(tenant: Tenant, command_id: UUID, changes: dict[str, bytes | None]) -> list[tuple[str, bytes]]:
    """Return the headers of a good record, with changes; None leaves a header out."""
    good: dict[str, bytes | None] = {
        "content-type": b"application/json",
        "ce_specversion": b"1.0",
        "ce_id": str(command_id).encode(),
        "ce_type": b"pipeloom.PipelineRequested.v1",
        "ce_source": b"/tests",
        "ce_subject": b"pipelines/churn",
        "ce_time": b"2026-01-31T12:00:00Z",
        "ce_environment": tenant.environment.encode(),
        "ce_actor": b"producer",
    }
    return [(name, value) for name, value in (good | changes).items() if value is not None]


async def dead_letter(stack: Stack, record: RecordMetadata) -> dict[str, Any] | None:
    """Return what is kept of a record, also of one that no environment sees."""
    connection = await asyncpg.connect(stack.postgres.dsn.get_secret_value())
    try:
        row = await connection.fetchrow(
            "SELECT code, record_key, record_value FROM dead_letter WHERE partition = $1 AND log_offset = $2",
            record.partition,
            record.offset,
        )
    finally:
        await connection.close()
    return None if row is None else dict(row)
