-- name: lock_histories$
-- Be the only one that takes events out of histories until this transaction ends; false when somebody else is, or when a
-- rebuild reads them piece by piece.
SELECT pg_try_advisory_xact_lock(hashtext('pipeloom histories'));

-- name: lead$
-- Be the one that prunes for as long as this session lives, so that more composers do not make it faster.
SELECT pg_try_advisory_lock(hashtext('pipeloom retention'));

-- name: now$
SELECT now();

-- name: is_decided$
-- Whether the cursors are behind everything that the commands topic of that id held when its ends were read.
SELECT NOT EXISTS (
    SELECT FROM unnest(:partitions::int[], :ends::bigint[]) AS t (partition, end_offset)
    LEFT JOIN partition_cursor c ON c.topic = :topic AND c.partition = t.partition
    WHERE CASE
        WHEN c.partition IS NULL THEN t.end_offset > 0
        ELSE c.topic_id <> :topic_id OR c.next_offset < t.end_offset
    END
);

-- name: read_oldest_of_each
-- When the oldest event was decided of some environments behind one: from one to the next by the index of histories.
WITH RECURSIVE found AS (
    SELECT (
        SELECT environment FROM event_log
        WHERE environment > :after AND sequence IS NOT NULL ORDER BY environment, sequence LIMIT 1
    ) AS environment, 1 AS number
    UNION ALL
    SELECT (
        SELECT e.environment FROM event_log e
        WHERE e.environment > f.environment AND e.sequence IS NOT NULL ORDER BY e.environment, e.sequence LIMIT 1
    ), f.number + 1
    FROM found f WHERE f.environment IS NOT NULL AND f.number < :page_size
)
SELECT f.environment, oldest.decided_at
FROM found f CROSS JOIN LATERAL (
    SELECT i.decided_at
    FROM event_log e LEFT JOIN inbox i ON i.environment = e.environment AND i.command_id = e.command_id
    WHERE e.environment = f.environment AND e.sequence IS NOT NULL
    ORDER BY e.sequence LIMIT 1
) AS oldest
WHERE f.environment IS NOT NULL
ORDER BY f.environment;

-- name: read_oldest
-- The next events of a history behind a place, with when they were decided: bounded by their number and their bytes, but
-- for the first command, of which all are read.
WITH first AS (
    SELECT coalesce((
        SELECT sequence FROM event_log
        WHERE environment = :environment AND sequence > :after AND is_result ORDER BY sequence LIMIT 1
    ), 0) AS result
), span AS (
    SELECT e.*, f.result, sum(octet_length(e.data)) OVER (ORDER BY e.sequence) - octet_length(e.data) AS bytes_before
    FROM first f, event_log e
    WHERE e.environment = :environment AND e.sequence > :after
        AND e.sequence <= greatest(:after + :row_limit, f.result)
)
SELECT s.*, i.decided_at
FROM span s LEFT JOIN inbox i ON i.environment = s.environment AND i.command_id = s.command_id
WHERE s.bytes_before < :byte_limit OR s.sequence <= s.result
ORDER BY s.sequence;

-- name: read_published
-- Up to where each partition is certainly published: what its relay noted last.
SELECT partition, log_offset, log_index FROM relay_position;

-- name: read_told_up_to$
-- The last place that every webhook of an environment was told of, and that none still has to be told again. One that was
-- disabled for as long as events are kept waits for nothing any more.
SELECT min(least(w.told_up_to, (
    SELECT d.sequence - 1 FROM webhook_delivery d
    WHERE d.webhook_id = w.id AND d.status = 'pending' ORDER BY d.sequence LIMIT 1
)))
FROM webhook w
WHERE w.environment = :environment AND (w.status = 'enabled' OR w.disabled_at >= :decided_before);

-- name: keep_baseline!
-- What a pruned piece of a history has left of each resource that it changed.
WITH gone AS (
    DELETE FROM baseline b
    USING unnest(:gone_kinds::text[], :gone_names::text[]) AS t (kind, name)
    WHERE b.environment = :environment AND b.kind = t.kind AND b.name = t.name
)
INSERT INTO baseline (environment, kind, name, version, body)
SELECT :environment, t.* FROM unnest(:kinds::text[], :names::text[], :versions::bigint[], :bodies::text[]) AS t
ON CONFLICT (environment, kind, name) DO UPDATE SET version = excluded.version, body = excluded.body;

-- name: remember_replays!
-- Note in dead letters what came of their replays, before the inbox forgets it.
UPDATE dead_letter d SET remembered_replay = n.replayed_as, remembered_outcome = n.replay
FROM dead_letter_now n
WHERE d.environment = :environment AND d.replayed_as = ANY(:command_ids::uuid[])
    AND n.environment = :environment AND n.replayed_as = ANY(:command_ids::uuid[])
    AND n.partition = d.partition AND n.log_offset = d.log_offset AND n.replay IN ('done', 'refused');

-- name: forget_commands$
-- Take commands out of the inbox; how many it had. A repeat of them is a new command from here on.
WITH gone AS (
    DELETE FROM inbox WHERE environment = :environment AND command_id = ANY(:command_ids::uuid[]) RETURNING 1
)
SELECT count(*) FROM gone;

-- name: delete_events$
-- Take the events of a history out of the log up to a place; how many there were.
WITH gone AS (
    DELETE FROM event_log WHERE environment = :environment AND sequence <= :last RETURNING 1
)
SELECT count(*) FROM gone;

-- name: delete_strays$
-- Take published rejections that belong to no history out of the log, some at a time; how many there were.
WITH old AS (
    SELECT e.partition, e.log_offset, e.log_index
    FROM event_log e JOIN relay_position r
        ON r.partition = e.partition AND (e.log_offset, e.log_index) <= (r.log_offset, r.log_index)
    WHERE e.sequence IS NULL AND e.time < :before
    ORDER BY e.time
    LIMIT :row_limit
), gone AS (
    DELETE FROM event_log e USING old
    WHERE e.partition = old.partition AND e.log_offset = old.log_offset AND e.log_index = old.log_index
    RETURNING 1
)
SELECT count(*) FROM gone;

-- name: move_horizon!
-- Note up to where a history was pruned.
INSERT INTO history_horizon (environment, sequence, partition, log_offset, log_index)
VALUES (:environment, :sequence, :partition, :log_offset, :log_index)
ON CONFLICT (environment) DO UPDATE SET sequence = excluded.sequence, partition = excluded.partition,
    log_offset = excluded.log_offset, log_index = excluded.log_index, pruned_at = now();
