-- name: some_session$
-- A session of one of our processes.
SELECT pid FROM pg_stat_activity WHERE application_name = 'pipeloom' ORDER BY backend_start DESC LIMIT 1;

-- name: end_sessions
-- End all sessions of our processes.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pipeloom';

-- name: end_sessions_of
-- End the sessions of some users.
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = ANY(:users::name[]);

-- name: lock_inbox!
-- Hold up every save and every look at a result.
LOCK TABLE inbox IN ACCESS EXCLUSIVE MODE;

-- name: lock_heads!
-- Hold up every save once it has locked its cursors. (A lock on a table would do so before: a statement has those first.)
SELECT environment FROM environment_head FOR UPDATE;

-- name: want_cursors!
-- Wait for the cursors that such a save has locked; whoever waited first is told of the deadlock.
SELECT partition FROM partition_cursor FOR UPDATE;

-- name: without_triggers!
-- Let what this session does run no trigger: it is nobody's move of a cursor.
SET session_replication_role = replica;

-- name: touch_cursors!
-- Write every cursor as it is; whoever has an older snapshot and wants one of them is told that it cannot be serialized.
UPDATE partition_cursor SET next_offset = next_offset;

-- name: does_anybody_want_them$
-- Whether one of our processes waits for this session.
SELECT EXISTS (
    SELECT 1 FROM pg_stat_activity
    WHERE application_name = 'pipeloom' AND pg_backend_pid() = ANY(pg_blocking_pids(pid))
);

-- name: write_ahead$
-- Write a record that changes nothing.
SELECT pg_logical_emit_message(false, 'chaos', 'full');

-- name: begin_new_segment$
-- Let the next record need a new file of the write-ahead log.
SELECT pg_switch_wal();
