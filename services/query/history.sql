-- name: read_subject
-- A page of what happened to one resource, in either direction, with the command behind what a deletion took along.
-- Its rows are bounded by their number and by their bytes; the first one always is in it. `found` tells of a next page.
-- OFFSET 0 keeps each look-up one by its key: a session keeps its plan from when the log was small.
WITH span AS (
    (
        SELECT sequence, -sequence AS place, octet_length(data) AS bytes FROM event_log
        WHERE :newest_first::boolean AND environment = :environment AND subject = :subject AND sequence < :after
        ORDER BY sequence DESC LIMIT :row_limit
    )
    UNION ALL
    (
        SELECT sequence, sequence AS place, octet_length(data) AS bytes FROM event_log
        WHERE NOT :newest_first::boolean AND environment = :environment AND subject = :subject AND sequence > :after
        ORDER BY sequence LIMIT :row_limit
    )
), measured AS (
    SELECT sequence, place, count(*) OVER () AS found, sum(bytes) OVER (ORDER BY place) - bytes AS bytes_before FROM span
)
SELECT e.sequence, e.type, e.version, e.time, e.is_result, e.actor, e.command_id, e.command_source, e.traceparent,
    e.data, coalesce(r.type, e.type) AS result_type, coalesce(r.subject, e.subject) AS command_subject, m.found
FROM measured m
CROSS JOIN LATERAL (
    SELECT * FROM event_log WHERE environment = :environment AND sequence = m.sequence OFFSET 0
) e
LEFT JOIN LATERAL (
    SELECT * FROM inbox WHERE NOT e.is_result AND environment = :environment AND command_id = e.command_id OFFSET 0
) i ON true
LEFT JOIN LATERAL (
    SELECT type, subject FROM event_log
    WHERE partition = i.partition AND log_offset = i.log_offset AND log_index = i.log_index OFFSET 0
) r ON true
WHERE m.bytes_before < :byte_limit
ORDER BY m.place;

-- name: is_known$
-- Whether there is a resource, or anything is still logged about it: of one that is old the log may tell nothing more.
SELECT EXISTS (
    SELECT FROM event_log WHERE environment = :environment AND subject = :subject AND sequence IS NOT NULL
) OR CASE :kind
    WHEN 'step' THEN EXISTS (SELECT FROM step WHERE environment = :environment AND name = :name)
    WHEN 'pipeline' THEN EXISTS (SELECT FROM pipeline WHERE environment = :environment AND name = :name)
    ELSE EXISTS (SELECT FROM deployment WHERE environment = :environment AND name = :name)
END;
