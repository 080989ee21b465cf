"""How Postgres reads a log that is worth an index."""

from typing import Any

from services.kit.postgres import connect
from services.kit.settings import Settings

MANY_EVENTS = """
INSERT INTO event_log
SELECT 99, n, 0, 'e' || n % 7, n, CASE WHEN n % 10 = 0 THEN 'CommandRejected' ELSE 'StepCreated' END, 1, 's/' || n % 3,
    gen_random_uuid(), '/t', true, 'a', now(), NULL, '{}'
FROM generate_series(1, 20000) AS n
"""


class Recorder:
    """A connection that only notes what it is asked."""

    def __init__(self) -> None:
        self.asked: tuple[Any, ...] = ()

    async def fetch(self, *asked: Any) -> list[Any]:
        self.asked = asked
        return []


async def plan_of(installation: Settings, recorder: Recorder) -> str:
    """Return the plan of what was asked of the recorder, on a log of many events."""
    statement, *given = recorder.asked
    connection = await connect(installation.postgres)
    try:
        await connection.execute(MANY_EVENTS)
        await connection.execute("ANALYZE event_log")
        return "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN (ANALYZE) {statement}", *given))
    finally:
        await connection.close()
