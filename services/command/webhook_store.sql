-- name: lock_environment^
-- Keeps others from making webhooks in the environment until the end of the transaction; how many there are.
SELECT (SELECT count(*) FROM webhook WHERE environment = e.id) AS webhooks
FROM environment e WHERE id = :environment FOR NO KEY UPDATE;

-- name: create^
-- A webhook that is told what happens from now on; no row when the id is taken.
INSERT INTO webhook (id, environment, url, types, subject, sealed_secret, created_by, told_up_to)
VALUES (
    :id, :environment, :url, :types, :subject, :sealed_secret, :created_by,
    coalesce((SELECT sequence FROM environment_head WHERE environment = :environment), 0)
)
ON CONFLICT (id) DO NOTHING
RETURNING *;

-- name: find^
SELECT * FROM webhook WHERE environment = :environment AND id = :id;

-- name: find_to_change^
SELECT * FROM webhook WHERE environment = :environment AND id = :id FOR NO KEY UPDATE;

-- name: change^
-- Enabling forgets why it was disabled; that or another URL, since when it failed.
UPDATE webhook SET
    url = :url,
    types = :types,
    subject = :subject,
    status = :status,
    disabled_reason = CASE WHEN :status = status THEN disabled_reason WHEN :status = 'disabled' THEN :reason END,
    disabled_at = CASE WHEN :status = status THEN disabled_at WHEN :status = 'disabled' THEN now() END,
    failing_since = CASE WHEN :status = status AND :url = url THEN failing_since END
WHERE id = :id
RETURNING *;

-- name: was_deleted$
SELECT EXISTS (SELECT FROM webhook_deleted WHERE id = :id);

-- name: delete^
-- For a while it is known that there was one.
WITH gone AS (DELETE FROM webhook WHERE environment = :environment AND id = :id RETURNING id)
INSERT INTO webhook_deleted (id) SELECT id FROM gone RETURNING id;

-- name: redeliver^
-- Makes a delivery due now; one that is done begins anew.
UPDATE webhook_delivery SET
    attempts = CASE WHEN status = 'pending' THEN attempts ELSE 0 END,
    status = 'pending',
    next_attempt_at = now()
WHERE webhook_id = :id AND sequence = :sequence
RETURNING *;
