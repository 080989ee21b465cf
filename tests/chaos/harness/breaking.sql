-- name: some_session$
-- A session of one of our processes.
SELECT pid FROM pg_stat_activity WHERE application_name = 'pipeloom' ORDER BY backend_start DESC LIMIT 1;

-- name: end_sessions
-- End all sessions of our processes.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pipeloom';

-- name: lock_inbox!
-- Hold up every save and every look at a result.
LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE;

-- name: lock_event_log!
-- Hold up every save, once it has locked its cursors.
LOCK TABLE event_log IN SHARE MODE;

-- name: is_anybody_waiting$
-- Whether a save waits for the lock on the event log.
SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'event_log'::regclass);

-- name: want_cursors!
-- Wait for the cursors that such a save has locked; whoever waited first is told of the deadlock.
SELECT partition FROM partition_cursor FOR UPDATE;
