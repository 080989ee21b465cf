-- name: put_documents!
INSERT INTO activity (environment, partition, document)
SELECT * FROM unnest(:environments::text[], :partitions::integer[], :documents::text[])
ON CONFLICT (environment, partition) DO UPDATE SET document = excluded.document;

-- name: put_minutes!
INSERT INTO activity_minute (environment, partition, minute, tallies)
SELECT * FROM unnest(:environments::text[], :partitions::integer[], :minutes::bigint[], :tallies::text[])
ON CONFLICT (environment, partition, minute) DO UPDATE SET tallies = excluded.tallies;

-- name: drop_minutes!
-- Each one is looked up by its key and deleted where it stands: a session keeps its plan from when the table was small.
DELETE FROM activity_minute WHERE ctid = ANY(ARRAY(
    SELECT found.place
    FROM unnest(:environments::text[], :partitions::integer[], :minutes::bigint[]) AS gone (environment, partition, minute)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM activity_minute
        WHERE environment = gone.environment AND partition = gone.partition AND minute = gone.minute OFFSET 0
    ) found
));

-- name: drop_older!
-- Also what an earlier monitor has left that was killed before it dropped it.
DELETE FROM activity_minute WHERE ctid = ANY(ARRAY(
    SELECT found.place
    FROM unnest(:environments::text[], :partitions::integer[], :oldest::bigint[]) AS kept (environment, partition, oldest)
    CROSS JOIN LATERAL (
        SELECT ctid AS place FROM activity_minute
        WHERE environment = kept.environment AND partition = kept.partition AND minute < kept.oldest OFFSET 0
    ) found
));

-- name: drop_documents!
WITH gone AS (
    SELECT * FROM unnest(:environments::text[], :partitions::integer[]) AS gone (environment, partition)
), minutes AS (
    DELETE FROM activity_minute WHERE ctid = ANY(ARRAY(
        SELECT found.place FROM gone CROSS JOIN LATERAL (
            SELECT ctid AS place FROM activity_minute
            WHERE environment = gone.environment AND partition = gone.partition OFFSET 0
        ) found
    ))
)
DELETE FROM activity WHERE ctid = ANY(ARRAY(
    SELECT found.place FROM gone CROSS JOIN LATERAL (
        SELECT ctid AS place FROM activity
        WHERE environment = gone.environment AND partition = gone.partition OFFSET 0
    ) found
));

-- name: put_progress!
INSERT INTO activity_progress (partition, as_of)
SELECT partition, to_timestamp(milliseconds / 1000.0)
FROM unnest(:partitions::integer[], :moments::bigint[]) AS told (partition, milliseconds)
ON CONFLICT (partition) DO UPDATE SET as_of = excluded.as_of;

-- name: put_parts!
INSERT INTO activity_part (part, partition, behind, measured_at)
SELECT part, partition, behind, to_timestamp(:milliseconds::bigint / 1000.0)
FROM unnest(:parts::text[], :partitions::integer[], :behind::bigint[]) AS told (part, partition, behind)
ON CONFLICT (part, partition) DO UPDATE SET behind = excluded.behind, measured_at = excluded.measured_at;
