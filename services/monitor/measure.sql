-- name: read_cursors
-- Up to where the composer has decided.
SELECT partition, next_offset FROM partition_cursor WHERE topic = :topic;

-- name: read_published^
-- What was certainly published when a relay noted it.
SELECT log_offset, log_index FROM relay_position WHERE partition = :partition;

-- name: settled
-- Which of these commands were decided without a result of their own: repeats.
SELECT wanted.log_offset FROM unnest(:offsets::bigint[]) AS wanted (log_offset)
WHERE wanted.log_offset < (SELECT next_offset FROM partition_cursor WHERE topic = :topic AND partition = :partition)
    AND NOT EXISTS (
        SELECT FROM event_log e WHERE e.partition = :partition AND e.log_offset = wanted.log_offset OFFSET 0
    );
