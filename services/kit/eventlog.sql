-- name: read_ranges
-- Of the events under the given offset ranges of some partitions those that are awaited, in the order of the log.
SELECT e.*
FROM unnest(:partitions::int[], :firsts::bigint[], :lasts::bigint[]) AS r (partition, first_offset, last_offset)
JOIN event_log e ON e.partition = r.partition AND e.log_offset BETWEEN r.first_offset AND r.last_offset
WHERE e.command_id = ANY(:command_ids::uuid[]) OR e.subject = ANY(:subjects::text[])
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
