-- name: try_lock$
-- Own a partition for as long as this session lives; false when another relay owns it.
SELECT pg_try_advisory_lock(hashtext(:topic), :partition);

-- name: read_position^
-- Where the events topic may be read back from, and what was certainly published by then.
SELECT topic_offset, log_offset, log_index FROM relay_position WHERE partition = :partition;

-- name: save_position!
-- Note what was published.
INSERT INTO relay_position (partition, topic_offset, log_offset, log_index)
VALUES (:partition, :topic_offset, :log_offset, :log_index)
ON CONFLICT (partition) DO UPDATE SET topic_offset = excluded.topic_offset,
    log_offset = excluded.log_offset, log_index = excluded.log_index;

-- name: read_backlog^
-- How many events of a partition are behind a position, counted up to a bound, and where the log ends now.
SELECT (
    SELECT count(*) FROM (
        SELECT 1 FROM event_log
        WHERE partition = :partition AND (log_offset, log_index) > (:log_offset, :log_index)
        LIMIT :at_most
    ) AS behind
) AS unpublished, last.log_offset, last.log_index
FROM (SELECT) AS one
LEFT JOIN LATERAL (
    SELECT log_offset, log_index FROM event_log
    WHERE partition = :partition
    ORDER BY log_offset DESC, log_index DESC
    LIMIT 1
) AS last ON true;
