-- name: cursors
SELECT partition, next_offset FROM partition_cursor;

-- name: last_events
SELECT DISTINCT ON (partition) partition, log_offset, log_index FROM event_log
ORDER BY partition, log_offset DESC, log_index DESC;

-- name: pending_steps$
SELECT count(*) FROM step WHERE status = 'Pending';

-- name: sessions$
SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pipeloom';

-- name: environments
SELECT id FROM environment;

-- name: heads
SELECT environment, sequence FROM environment_head;

-- name: inbox
SELECT environment, command_id, fingerprint, partition, log_offset, log_index FROM inbox;

-- name: event_log
SELECT * FROM event_log ORDER BY partition, log_offset, log_index;

-- name: dead_letters
SELECT partition, log_offset, environment, command_id, code FROM dead_letter;

-- name: projection
SELECT 'step' AS kind, environment, name, version, body FROM step
UNION ALL SELECT 'pipeline', environment, name, version, body FROM pipeline
UNION ALL SELECT 'deployment', environment, name, version, body FROM deployment
UNION ALL SELECT 'variable', environment, name, version, body FROM environment_variable;
