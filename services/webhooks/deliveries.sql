-- name: are_any$
-- Whether anybody is to be told of anything.
SELECT EXISTS (SELECT FROM webhook WHERE status = 'enabled');

-- name: find_behind
-- Enabled webhooks whose environment has events that they have no deliveries of, and that have room for some.
SELECT w.id FROM webhook w JOIN environment_head h ON h.environment = w.environment
WHERE w.status = 'enabled' AND h.sequence > w.told_up_to AND (
    SELECT count(*) FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.status = 'pending'
) < :max_pending
ORDER BY w.id;

-- name: make_deliveries^
-- Deliveries of a webhook's next events, and its place behind them, in one step; how many events were looked at, and
-- how many of them are to be delivered. No row while as many as may be wait already, or while another process is at it.
WITH taken AS (
    SELECT id, environment, types, subject, told_up_to FROM webhook
    WHERE id = :id AND status = 'enabled' FOR NO KEY UPDATE SKIP LOCKED
), span AS (
    SELECT e.*,
        (t.types IS NULL OR e.type = ANY(t.types)) AND starts_with(e.subject, t.subject) AS is_wanted
    FROM taken t CROSS JOIN LATERAL (
        SELECT sequence, type, subject, command_id, log_index FROM event_log
        WHERE environment = t.environment AND sequence > t.told_up_to
        ORDER BY sequence
        LIMIT greatest(0, least(:row_limit, :max_pending - (
            SELECT count(*) FROM webhook_delivery d WHERE d.webhook_id = t.id AND d.status = 'pending'
        )))
    ) e
), made AS (
    INSERT INTO webhook_delivery (webhook_id, sequence, event_id, type, subject)
    SELECT :id, sequence, command_id || '.' || log_index, type, subject FROM span WHERE is_wanted
    ON CONFLICT DO NOTHING
    RETURNING sequence
)
UPDATE webhook w SET told_up_to = s.last
FROM (SELECT max(sequence) AS last, count(*) AS looked_at FROM span) s
WHERE w.id = :id AND s.looked_at > 0
RETURNING s.looked_at, (SELECT count(*) FROM made) AS made;

-- name: claim
-- Deliveries that are due, with what is to be sent; for the length of the lease nobody else gets them. Each environment
-- has its share of the places, and webhooks that fail have some of each share and some of the whole: so receivers that
-- hang hold up their like. Within a share the webhooks take turns. What is under way here counts.
WITH busy AS (
    SELECT * FROM unnest(:busy_ids::uuid[], :busy_environments::text[], :busy_failing::boolean[])
        AS b (webhook_id, environment, is_failing)
), found AS (
    SELECT w.environment, w.id AS webhook_id, w.failing_since IS NOT NULL AS is_failing,
        d.sequence, d.next_attempt_at, b.under_way
    FROM webhook w
    CROSS JOIN LATERAL (SELECT count(*) AS under_way FROM busy WHERE busy.webhook_id = w.id) b
    CROSS JOIN LATERAL (
        SELECT sequence, next_attempt_at FROM webhook_delivery
        WHERE webhook_id = w.id AND status = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at, sequence
        LIMIT greatest(0, :per_webhook - b.under_way)
        FOR NO KEY UPDATE SKIP LOCKED
    ) d
    WHERE w.status = 'enabled'
), turns AS (
    SELECT *,
        under_way + row_number() OVER (PARTITION BY webhook_id ORDER BY next_attempt_at, sequence) AS turn
    FROM found
), shares AS (
    SELECT *,
        row_number() OVER (PARTITION BY environment ORDER BY is_failing, turn, next_attempt_at) AS place,
        row_number() OVER (PARTITION BY environment, is_failing ORDER BY turn, next_attempt_at) AS place_of_kind
    FROM turns
), fair AS (
    SELECT *, row_number() OVER (PARTITION BY is_failing ORDER BY place_of_kind, next_attempt_at) AS place_in_all
    FROM shares s CROSS JOIN LATERAL (
        SELECT count(*) AS under_way_of_all, count(*) FILTER (WHERE is_failing) AS failing_of_all
        FROM busy WHERE busy.environment = s.environment
    ) b
    WHERE s.place + b.under_way_of_all <= :per_environment
        AND (NOT s.is_failing OR s.place_of_kind + b.failing_of_all <= :failing_per_environment)
), due AS (
    SELECT webhook_id, sequence FROM fair
    WHERE NOT is_failing OR place_in_all + (SELECT count(*) FROM busy WHERE is_failing) <= :failing
    ORDER BY is_failing, place, next_attempt_at
    LIMIT :row_limit
)
UPDATE webhook_delivery d SET next_attempt_at = now() + :lease_s * interval '1 second'
FROM due
JOIN webhook w ON w.id = due.webhook_id
LEFT JOIN LATERAL (
    SELECT * FROM event_log WHERE environment = w.environment AND sequence = due.sequence OFFSET 0
) e ON true
WHERE d.webhook_id = due.webhook_id AND d.sequence = due.sequence
RETURNING d.attempts, w.id, w.url, w.sealed_secret, w.environment, w.failing_since IS NOT NULL AS is_failing, d.sequence,
    e.partition, e.log_offset, e.log_index, e.type, e.version, e.subject, e.command_id, e.command_source, e.is_result,
    e.actor, e.time, e.traceparent, e.data;

-- name: give_back!
-- A delivery that was claimed and not attempted: it is due again before long, and no attempt is counted.
UPDATE webhook_delivery SET next_attempt_at = now() + :again_s * interval '1 second'
WHERE webhook_id = :id AND sequence = :sequence AND status = 'pending' AND attempts = :attempts;

-- name: record_success!
-- Unless another process has told the outcome of this attempt before.
WITH told AS (
    UPDATE webhook_delivery SET status = 'delivered', attempts = attempts + 1, next_attempt_at = NULL,
        last_attempt_at = now(), last_status_code = :status_code, last_error = NULL
    WHERE webhook_id = :id AND sequence = :sequence AND status = 'pending' AND attempts = :attempts
)
UPDATE webhook SET failing_since = NULL WHERE id = :id AND url = :url AND failing_since IS NOT NULL;

-- name: record_failure$
-- The next attempt, or the end of all; and whether the webhook is disabled for it. A failure of a URL that it has no
-- longer says nothing about the webhook.
WITH told AS (
    UPDATE webhook_delivery SET
        status = CASE WHEN :retry_s::float8 IS NULL THEN 'failed' ELSE 'pending' END,
        attempts = attempts + 1,
        next_attempt_at = now() + :retry_s::float8 * interval '1 second',
        last_attempt_at = now(), last_status_code = :status_code, last_error = :error
    WHERE webhook_id = :id AND sequence = :sequence AND status = 'pending' AND attempts = :attempts
), judged AS (
    SELECT :is_gone OR failing_since < now() - :disable_after_s::float8 * interval '1 second' AS is_over
    FROM webhook WHERE id = :id AND url = :url AND status = 'enabled' FOR NO KEY UPDATE
)
UPDATE webhook w SET
    failing_since = coalesce(w.failing_since, now()),
    status = CASE WHEN j.is_over THEN 'disabled' ELSE w.status END,
    disabled_reason = CASE WHEN j.is_over THEN :reason ELSE w.disabled_reason END,
    disabled_at = CASE WHEN j.is_over THEN now() ELSE w.disabled_at END
FROM judged j WHERE w.id = :id
RETURNING w.status = 'disabled';

-- name: forget_old$
-- Deletes a bounded number of deliveries that were done long ago; how many.
WITH gone AS (
    DELETE FROM webhook_delivery WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM webhook_delivery
        WHERE status <> 'pending' AND last_attempt_at < now() - :keep_s::float8 * interval '1 second'
        ORDER BY last_attempt_at LIMIT :row_limit
    ))
    RETURNING sequence
)
SELECT count(*) FROM gone;

-- name: forget_deleted!
-- Webhooks that were deleted long ago.
DELETE FROM webhook_deleted WHERE deleted_at < now() - :keep_s::float8 * interval '1 second';

-- name: count_pending$
SELECT count(*) FROM webhook_delivery WHERE status = 'pending';

-- name: count_webhooks_due$
-- How many webhooks that do not fail have a delivery that is due.
SELECT count(*) FROM webhook w
WHERE w.status = 'enabled' AND w.failing_since IS NULL AND EXISTS (
    SELECT FROM webhook_delivery WHERE webhook_id = w.id AND status = 'pending' AND next_attempt_at <= now()
);

-- name: oldest_due_s$
-- For how long the oldest delivery has been due of those whose webhooks do not fail: they are held up by nobody else.
SELECT coalesce(greatest(0, extract(epoch FROM now() - min(d.next_attempt_at))), 0)::float8
FROM webhook w CROSS JOIN LATERAL (
    SELECT next_attempt_at FROM webhook_delivery WHERE webhook_id = w.id AND status = 'pending'
    ORDER BY next_attempt_at LIMIT 1
) d
WHERE w.status = 'enabled' AND w.failing_since IS NULL;
