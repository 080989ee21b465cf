-- name: read_ranges
-- Of the events under the given offset ranges of some partitions those that are awaited, in the order of the log.
-- OFFSET 0 keeps the ranges what leads to the events: a session keeps its plan from when the log was small.
SELECT e.*
FROM unnest(:partitions::int[], :firsts::bigint[], :lasts::bigint[]) AS r (partition, first_offset, last_offset)
CROSS JOIN LATERAL (
    SELECT * FROM event_log
    WHERE partition = r.partition AND log_offset BETWEEN r.first_offset AND r.last_offset
        AND (command_id = ANY(:command_ids::uuid[]) OR subject = ANY(:subjects::text[]))
    OFFSET 0
) e
ORDER BY e.partition, e.log_offset, e.log_index;

-- name: read_after
-- The next events of one partition behind a position, in the order of the log.
-- No more than about 32 MiB of them; the first one always.
SELECT * FROM (
    SELECT *, sum(octet_length(data)) OVER (ORDER BY log_offset, log_index) - octet_length(data) AS bytes_before
    FROM (
        SELECT * FROM event_log
        WHERE partition = :partition AND (log_offset, log_index) > (:log_offset, :log_index)
        ORDER BY log_offset, log_index
        LIMIT :row_limit
    ) AS next_events
) AS measured
WHERE bytes_before < 33554432
ORDER BY log_offset, log_index;

-- name: read_result^
-- The result of a command, with the fingerprint of what was asked.
SELECT e.*, i.fingerprint
FROM inbox i
JOIN event_log e ON e.partition = i.partition AND e.log_offset = i.log_offset AND e.log_index = i.log_index
WHERE i.environment = :environment AND i.command_id = :command_id;

-- name: read_environments
-- Which of some environments have events under the given offset ranges.
SELECT DISTINCT e.environment
FROM unnest(:partitions::int[], :firsts::bigint[], :lasts::bigint[]) AS r (partition, first_offset, last_offset)
CROSS JOIN LATERAL (
    SELECT environment FROM event_log
    WHERE partition = r.partition AND log_offset BETWEEN r.first_offset AND r.last_offset
        AND environment = ANY(:environments::text[]) AND sequence IS NOT NULL
    OFFSET 0
) e;

-- name: read_head$
-- The last place of an environment's history.
SELECT sequence FROM environment_head WHERE environment = :environment;

-- name: read_extent^
-- Where an environment's history ends, and up to where it was pruned.
SELECT
    coalesce((SELECT sequence FROM environment_head WHERE environment = :environment), 0) AS head,
    coalesce((SELECT sequence FROM history_horizon WHERE environment = :environment), 0) AS pruned_up_to;

-- name: read_history
-- Of the next rows of an environment's history those that are wanted, and the last one, which says how far this went.
-- The rows that are read are bounded by their number, those that are told by their bytes too; the first one always is.
WITH span AS (
    SELECT *,
        (:types::text[] IS NULL OR type = ANY(:types::text[])) AND starts_with(subject, :subject)
        AND CASE
            WHEN :pipeline::text IS NULL OR subject = 'pipelines/' || :pipeline::text THEN true
            -- Only the data of a deployment's event says whose it is. No JSON of Postgres has a NUL in a text.
            WHEN type = ANY('{DeploymentCreated,DeploymentDeleted,EndpointTokenRenewed}') THEN
                replace(data, '\u0000', '\u0001')::json #>> '{deployment,pipeline_name}' = :pipeline::text
            ELSE false
        END AS is_wanted
    FROM event_log
    WHERE environment = :environment AND sequence > :after
    ORDER BY sequence
    LIMIT :row_limit
), measured AS (
    SELECT *,
        coalesce(sum(octet_length(data)) FILTER (WHERE is_wanted) OVER before_it, 0) AS bytes_before
    FROM span
    WINDOW before_it AS (ORDER BY sequence ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), page AS (
    SELECT *, min(sequence) OVER () AS begins, max(sequence) OVER () AS covered
    FROM measured WHERE bytes_before < :byte_limit
)
SELECT partition, log_offset, log_index, environment, sequence, type, version, subject, command_id, command_source,
    is_result, actor, time, traceparent, CASE WHEN is_wanted THEN data ELSE '' END AS data, is_wanted, begins, covered
FROM page
WHERE is_wanted OR sequence = covered
ORDER BY sequence;
