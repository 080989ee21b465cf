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
