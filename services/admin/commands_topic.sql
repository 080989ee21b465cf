-- name: read_cursors
-- Where each partition of the commands topic goes on; held until the transaction ends, so that no composer claims one.
SELECT partition, topic_id, next_offset FROM partition_cursor WHERE topic = :topic ORDER BY partition FOR UPDATE;

-- name: own_publishing$
-- Own the publishing of a partition until the transaction ends; false when a relay owns it.
SELECT pg_try_advisory_xact_lock(hashtext(:topic), :partition);

-- name: find_unpublished
-- Of some partitions those whose last event is not noted as published.
SELECT last.partition
FROM unnest(:partitions::int[]) AS p (partition)
CROSS JOIN LATERAL (
    SELECT e.partition, e.log_offset, e.log_index FROM event_log e WHERE e.partition = p.partition
    ORDER BY e.log_offset DESC, e.log_index DESC LIMIT 1
) AS last
LEFT JOIN relay_position r ON r.partition = last.partition
WHERE r.partition IS NULL OR (r.log_offset, r.log_index) < (last.log_offset, last.log_index)
ORDER BY last.partition;

-- name: find_distance$
-- By how much offsets have to be lowered, so that none is one that was there before, and all are less than -1, behind
-- which the relay publishes.
SELECT greatest(max(log_offset), max(log_offset) - min(log_offset)) + 2 FROM (
    SELECT log_offset FROM event_log WHERE partition = ANY(:partitions::int[])
    UNION ALL SELECT log_offset FROM inbox WHERE partition = ANY(:partitions::int[])
    UNION ALL SELECT log_offset FROM dead_letter WHERE partition = ANY(:partitions::int[])
    UNION ALL SELECT log_offset FROM history_horizon WHERE partition = ANY(:partitions::int[])
) AS used;

-- name: lower_events!
-- Make room for new commands at the offsets of the event log.
UPDATE event_log SET log_offset = log_offset - :distance WHERE partition = ANY(:partitions::int[]);

-- name: lower_inbox!
-- Have the inbox point at the same results as before.
UPDATE inbox SET log_offset = log_offset - :distance WHERE partition = ANY(:partitions::int[]);

-- name: lower_dead_letters!
-- Make room for new dead letters.
UPDATE dead_letter SET log_offset = log_offset - :distance WHERE partition = ANY(:partitions::int[]);

-- name: lower_horizons!
-- Have pruned histories go on behind the same place as before.
UPDATE history_horizon SET log_offset = log_offset - :distance WHERE partition = ANY(:partitions::int[]);

-- name: publish_from!
-- Nothing that will be in the log is on the events topic yet: what is to be read back begins at its end.
INSERT INTO relay_position (partition, topic_offset, log_offset, log_index)
SELECT t.partition, t.topic_offset, -1, -1
FROM unnest(:partitions::int[], :ends::bigint[]) AS t (partition, topic_offset)
ON CONFLICT (partition) DO UPDATE SET topic_offset = excluded.topic_offset, log_offset = -1, log_index = -1;

-- name: move_cursors!
-- Have the partitions go on in the topic of that id; no batch of before can be saved any more.
UPDATE partition_cursor c SET topic_id = :topic_id, next_offset = t.next_offset, epoch = c.epoch + 1
FROM unnest(:partitions::int[], :next_offsets::bigint[]) AS t (partition, next_offset)
WHERE c.topic = :topic AND c.partition = t.partition;
