-- name: read_activity^
-- An environment's numbers as the monitor wrote them, and up to when they are complete. An environment that the monitor
-- knows nothing of is complete when all partitions are.
SELECT a.document, a.partition, now() AS now,
    coalesce((SELECT as_of FROM activity_progress p WHERE p.partition = a.partition),
        (SELECT min(as_of) FROM activity_progress WHERE a.partition IS NULL)) AS as_of
FROM (SELECT) AS one LEFT JOIN activity a ON a.environment = :environment
LIMIT 1;

-- name: read_minutes
-- The results of so many minutes up to the newest one, which is the last one with results where none is given.
SELECT minute, tallies FROM activity_minute
WHERE environment = :environment AND partition = :partition AND minute > coalesce(
    :newest::bigint,
    (SELECT max(minute) FROM activity_minute WHERE environment = :environment AND partition = :partition)
) - :minutes_back::integer
ORDER BY minute
LIMIT :most;

-- name: read_parts
-- How far behind each part is on a partition; the worst one of all when it is not known which.
SELECT part, max(behind) AS behind, min(measured_at) AS measured_at FROM activity_part
WHERE partition = :partition::integer OR :partition::integer IS NULL
GROUP BY part ORDER BY part;
