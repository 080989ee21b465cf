-- name: read_differences
-- Each resource of an environment that is not as the replay says: which columns differ, or on which side it is missing.
WITH step_pair AS (
    SELECT 'steps' AS kind, coalesce(l.name, r.name) AS name, l.name IS NULL AS is_missing, r.name IS NULL AS is_extra,
        to_jsonb(l) AS live, to_jsonb(r) AS replayed
    FROM (SELECT * FROM step WHERE environment = :environment) l
    FULL JOIN (SELECT * FROM replayed_step WHERE environment = :environment) r ON r.name = l.name
    WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
), pipeline_pair AS (
    SELECT 'pipelines', coalesce(l.name, r.name), l.name IS NULL, r.name IS NULL, to_jsonb(l), to_jsonb(r)
    FROM (SELECT * FROM pipeline WHERE environment = :environment) l
    FULL JOIN (SELECT * FROM replayed_pipeline WHERE environment = :environment) r ON r.name = l.name
    WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
), deployment_pair AS (
    SELECT 'deployments', coalesce(l.name, r.name), l.name IS NULL, r.name IS NULL, to_jsonb(l), to_jsonb(r)
    FROM (SELECT * FROM deployment WHERE environment = :environment) l
    FULL JOIN (SELECT * FROM replayed_deployment WHERE environment = :environment) r ON r.name = l.name
    WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
), variable_pair AS (
    SELECT 'environment-variables', coalesce(l.name, r.name), l.name IS NULL, r.name IS NULL, to_jsonb(l), to_jsonb(r)
    FROM (SELECT * FROM environment_variable WHERE environment = :environment) l
    FULL JOIN (SELECT * FROM replayed_environment_variable WHERE environment = :environment) r ON r.name = l.name
    WHERE ROW(l.*) IS DISTINCT FROM ROW(r.*)
), pair AS (
    SELECT * FROM step_pair UNION ALL SELECT * FROM pipeline_pair
    UNION ALL SELECT * FROM deployment_pair UNION ALL SELECT * FROM variable_pair
)
SELECT kind, name, is_missing, is_extra, ARRAY(
    SELECT a.key FROM jsonb_each(live) a WHERE a.value IS DISTINCT FROM replayed -> a.key ORDER BY a.key
) AS columns
FROM pair;

-- name: count_resources$
SELECT (SELECT count(*) FROM replayed_step) + (SELECT count(*) FROM replayed_pipeline)
    + (SELECT count(*) FROM replayed_deployment) + (SELECT count(*) FROM replayed_environment_variable);

-- name: read_strange_commands
-- Inbox rows that do not point at the result of their command, and results to which no inbox row points.
SELECT i.command_id, CASE
    WHEN e.command_id IS NULL THEN 'its inbox row points at no event'
    WHEN NOT e.is_result THEN 'its inbox row points at an event that is no result'
    ELSE 'its inbox row points at the result of another command'
END AS problem
FROM inbox i LEFT JOIN event_log e
    ON e.partition = i.partition AND e.log_offset = i.log_offset AND e.log_index = i.log_index
WHERE i.environment = :environment AND (
    e.command_id IS NULL OR NOT e.is_result OR e.command_id <> i.command_id OR e.environment <> i.environment
)
UNION ALL
SELECT e.command_id, CASE
    WHEN i.command_id IS NULL THEN 'it has a result, but is not in the inbox'
    ELSE 'it has a second result, at ' || e.partition || '-' || e.log_offset || '.' || e.log_index
END
FROM event_log e LEFT JOIN inbox i ON i.environment = e.environment AND i.command_id = e.command_id
WHERE e.environment = :environment AND e.sequence IS NOT NULL AND e.is_result AND (
    i.command_id IS NULL OR (i.partition, i.log_offset, i.log_index) <> (e.partition, e.log_offset, e.log_index)
);

-- name: read_strange_partitions
-- Partitions whose cursor does not stand behind everything that was decided of them.
SELECT d.partition, d.last_offset, c.next_offset
FROM (
    SELECT partition, max(log_offset) AS last_offset FROM (
        SELECT partition, max(log_offset) AS log_offset FROM event_log GROUP BY partition
        UNION ALL SELECT partition, max(log_offset) FROM inbox GROUP BY partition
        UNION ALL SELECT partition, max(log_offset) FROM dead_letter GROUP BY partition
    ) AS ends GROUP BY partition
) AS d
LEFT JOIN partition_cursor c ON c.topic = :topic AND c.partition = d.partition
WHERE c.next_offset IS NULL OR c.next_offset <= d.last_offset
ORDER BY d.partition;

-- name: list_environments
-- Every environment of which anything is stored.
SELECT id AS environment FROM environment
UNION SELECT environment FROM environment_head
UNION SELECT environment FROM step
UNION SELECT environment FROM pipeline
UNION SELECT environment FROM deployment
UNION SELECT environment FROM environment_variable
ORDER BY environment;
