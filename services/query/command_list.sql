-- name: first_decided_from$
-- The first place of an environment's history that was decided at a moment or later; the one behind its end if none was.
-- Places are decided in their order, so halving the history finds it with a few rows and without an index on time.
WITH RECURSIVE bounds (low, high) AS (
    SELECT 0::bigint, 1 + coalesce((SELECT sequence FROM environment_head WHERE environment = :environment), 0)
    UNION ALL
    SELECT CASE WHEN is_before THEN middle ELSE low END, CASE WHEN is_before THEN high ELSE middle END
    FROM (
        SELECT low, high, middle, coalesce((
            SELECT i.decided_at < :moment
            FROM event_log e JOIN inbox i ON i.environment = e.environment AND i.command_id = e.command_id
            WHERE e.environment = :environment AND e.sequence = middle
        ), true) AS is_before
        FROM (SELECT low, high, (low + high) / 2 AS middle FROM bounds WHERE high - low > 1) AS halves
    ) AS looked_up
)
SELECT high FROM bounds ORDER BY high - low LIMIT 1;

-- name: list_commands
-- Of the next rows of an environment's history, the newest first, the results that are wanted, and the last row, which
-- says how far this went. Rows read, rows told and the bytes of their refusals are bounded; the first one always is in.
-- OFFSET 0 keeps each look-up one by its key: a session keeps its plan from when the log was small.
WITH span AS (
    (
        SELECT sequence, is_result, type, actor, data FROM event_log
        WHERE :refused_only::boolean AND environment = :environment AND type = 'CommandRejected'
            AND sequence >= :first AND sequence < :before
        ORDER BY sequence DESC LIMIT :row_limit
    )
    UNION ALL
    (
        SELECT sequence, is_result, type, actor, data FROM event_log
        WHERE NOT :refused_only::boolean AND environment = :environment
            AND sequence >= :first AND sequence < :before
        ORDER BY sequence DESC LIMIT :row_limit
    )
), judged AS (
    SELECT sequence, CASE WHEN type = 'CommandRejected' THEN octet_length(data) ELSE 0 END AS bytes,
        is_result
        AND (:actor::text IS NULL OR actor = :actor)
        AND (NOT :succeeded_only::boolean OR type <> 'CommandRejected')
        AND (
            :result_types::text[] IS NULL
            OR type = ANY(:result_types::text[])
            OR (type = 'CommandRejected' AND starts_with(data, :refusal_opening))
        ) AS is_wanted
    FROM span
), measured AS (
    SELECT sequence, is_wanted, count(*) OVER () AS found,
        coalesce(count(*) FILTER (WHERE is_wanted) OVER before_it, 0) AS wanted_before,
        coalesce(sum(bytes) FILTER (WHERE is_wanted) OVER before_it, 0) AS bytes_before
    FROM judged
    WINDOW before_it AS (ORDER BY sequence DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), page AS (
    SELECT *, min(sequence) OVER () AS covered, count(*) OVER () AS looked_at
    FROM measured
    WHERE wanted_before < :wanted_limit AND bytes_before < :byte_limit
)
SELECT p.is_wanted, p.covered, (p.looked_at < p.found OR p.found = :row_limit) AS has_more, e.sequence, e.type,
    e.version, e.subject, e.time, e.actor, e.command_id, e.command_source, e.traceparent, i.decided_at,
    CASE WHEN p.is_wanted AND e.type = 'CommandRejected' THEN e.data END AS refusal
FROM page p
CROSS JOIN LATERAL (
    SELECT * FROM event_log WHERE environment = :environment AND sequence = p.sequence OFFSET 0
) e
LEFT JOIN LATERAL (
    SELECT decided_at FROM inbox WHERE environment = :environment AND command_id = e.command_id OFFSET 0
) i ON true
WHERE p.is_wanted OR p.sequence = p.covered
ORDER BY e.sequence DESC;
