-- name: find_behind
-- Enabled webhooks whose environment has events that they have no deliveries of, and that have room for some.
SELECT w.id FROM webhook w JOIN environment_head h ON h.environment = w.environment
WHERE w.status = 'enabled' AND h.sequence > w.told_up_to AND (
    SELECT count(*) FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.status = 'pending'
) < :max_pending
ORDER BY w.id;

-- name: make_deliveries$
-- Deliveries of a webhook's next events, and its place behind them, in one step; how many events were looked at.
-- None while as many as may be wait already, or while another process is at it.
WITH taken AS (
    SELECT id, environment, types, subject, told_up_to FROM webhook
    WHERE id = :id AND status = 'enabled' FOR NO KEY UPDATE SKIP LOCKED
), span AS (
    SELECT t.id AS webhook_id, e.*,
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
    SELECT webhook_id, sequence, command_id || '.' || log_index, type, subject FROM span WHERE is_wanted
    ON CONFLICT DO NOTHING
)
UPDATE webhook w SET told_up_to = s.last
FROM (SELECT webhook_id, max(sequence) AS last, count(*) AS looked_at FROM span GROUP BY webhook_id) s
WHERE w.id = s.webhook_id
RETURNING s.looked_at;

-- name: claim
-- Deliveries that are due, with what is to be sent; for the length of the lease nobody else gets them. The ones that
-- are under way here count against what one webhook may have at once.
WITH due AS (
    SELECT d.webhook_id, d.sequence
    FROM webhook w
    LEFT JOIN unnest(:busy_ids::uuid[], :busy_counts::int[]) AS b (webhook_id, under_way) ON b.webhook_id = w.id
    CROSS JOIN LATERAL (
        SELECT webhook_id, sequence, next_attempt_at FROM webhook_delivery
        WHERE webhook_id = w.id AND status = 'pending' AND next_attempt_at <= now()
        ORDER BY next_attempt_at, sequence
        LIMIT greatest(0, :per_webhook - coalesce(b.under_way, 0))
        FOR NO KEY UPDATE SKIP LOCKED
    ) d
    WHERE w.status = 'enabled'
    ORDER BY d.next_attempt_at, d.sequence
    LIMIT :row_limit
)
UPDATE webhook_delivery d SET next_attempt_at = now() + :lease_s * interval '1 second'
FROM due
JOIN webhook w ON w.id = due.webhook_id
LEFT JOIN event_log e ON e.environment = w.environment AND e.sequence = due.sequence
WHERE d.webhook_id = due.webhook_id AND d.sequence = due.sequence
RETURNING d.attempts, w.id, w.url, w.sealed_secret, w.environment, d.sequence,
    e.partition, e.log_offset, e.log_index, e.type, e.version, e.subject, e.command_id, e.command_source, e.is_result,
    e.actor, e.time, e.traceparent, e.data;

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
    SELECT id, :is_gone OR failing_since < now() - :disable_after_s::float8 * interval '1 second' AS is_over
    FROM webhook WHERE id = :id AND url = :url AND status = 'enabled' FOR NO KEY UPDATE
)
UPDATE webhook w SET
    failing_since = coalesce(w.failing_since, now()),
    status = CASE WHEN j.is_over THEN 'disabled' ELSE w.status END,
    disabled_reason = CASE WHEN j.is_over THEN :reason ELSE w.disabled_reason END,
    disabled_at = CASE WHEN j.is_over THEN now() ELSE w.disabled_at END
FROM judged j WHERE w.id = j.id
RETURNING w.status = 'disabled';

-- name: forget_old!
-- A bounded number of deliveries that were done long ago.
DELETE FROM webhook_delivery WHERE (webhook_id, sequence) IN (
    SELECT webhook_id, sequence FROM webhook_delivery
    WHERE status <> 'pending' AND last_attempt_at < now() - :keep_s::float8 * interval '1 second'
    LIMIT :row_limit
);

-- name: count_pending$
SELECT count(*) FROM webhook_delivery WHERE status = 'pending';
