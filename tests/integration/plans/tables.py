"""Tables as a session may find them when it plans: empty and never looked at, or grown and with statistics."""

from uuid import uuid4

from benchmarks.seeding import Shape, seed
from services.kit.postgres import Connection

SHAPE = Shape(pipelines=3_000, environments=3)

# What other services write, as many rows as make an index worth its while.
OTHERS = """
INSERT INTO environment SELECT 'other-' || n FROM generate_series(1, 3000) n;
INSERT INTO environment_head SELECT 'other-' || n, 1 FROM generate_series(1, 3000) n;
INSERT INTO app_user SELECT gen_random_uuid(), 'user-' || n FROM generate_series(1, 3000) n;
INSERT INTO sdk_token SELECT gen_random_uuid(), sha256(u.name::bytea), 'other-1', u.id FROM app_user u;
INSERT INTO environment_variable
    SELECT 'other-' || n % 9, 'NAME_' || n, n, '{}' FROM generate_series(1, 3000) n;
INSERT INTO dead_letter SELECT n % 12, n, 'other-' || n % 9, NULL, 'c', 'm', NULL, NULL, '[]', now()
    FROM generate_series(1, 3000) n;
INSERT INTO webhook SELECT gen_random_uuid(), 'other-' || n, 'u', NULL, '', 's', 'enabled', NULL, NULL, NULL, 0, 'u'
    FROM generate_series(1, 300) n;
INSERT INTO webhook_delivery (webhook_id, sequence, event_id, type, subject, status, next_attempt_at, last_attempt_at)
    SELECT w.id, n, 'e', 't', 's', CASE WHEN n % 20 = 0 THEN 'pending' ELSE 'delivered' END, now(), now()
    FROM webhook w, generate_series(1, 40) n;
INSERT INTO webhook_deleted SELECT gen_random_uuid(), now() - n * interval '1 minute' FROM generate_series(1, 3000) n;
INSERT INTO activity SELECT 'other-' || n, 0, '{}' FROM generate_series(1, 3000) n;
INSERT INTO activity_minute SELECT 'other-' || n % 9, 0, n, '{}' FROM generate_series(1, 3000) n;
ANALYZE;
"""


async def grow(connection: Connection) -> None:
    """Fill every table that grows, and have Postgres look at it."""
    await seed(connection, SHAPE, "pipeloom.commands", uuid4(), lambda _: None)
    await connection.execute(OTHERS)
