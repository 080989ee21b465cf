-- name: put_documents!
INSERT INTO activity (environment, partition, document)
SELECT * FROM unnest(:environments::text[], :partitions::integer[], :documents::text[])
ON CONFLICT (environment, partition) DO UPDATE SET document = excluded.document;

-- name: drop_documents!
DELETE FROM activity a USING unnest(:environments::text[], :partitions::integer[]) AS gone (environment, partition)
WHERE a.environment = gone.environment AND a.partition = gone.partition;

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
