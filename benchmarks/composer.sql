-- name: find_cursors
-- Up to where commands are decided and projected.
SELECT partition, next_offset - 1 AS reached FROM partition_cursor;

-- name: find_published
-- Up to where events are noted as published.
SELECT partition, log_offset AS reached FROM relay_position;

-- name: make_raw#
-- Tables and indexes like those that the composer writes to, without its statement.
CREATE SCHEMA raw;
CREATE TABLE raw.pipeline (LIKE pipeline INCLUDING ALL);
CREATE TABLE raw.inbox (LIKE inbox INCLUDING ALL);
CREATE TABLE raw.event_log (LIKE event_log INCLUDING ALL);

-- name: clear_raw#
TRUNCATE raw.pipeline, raw.inbox, raw.event_log;

-- name: last_events
-- What the composer wrote for the last commands, to be inserted once more by nothing but asyncpg.
SELECT * FROM event_log WHERE type = 'PipelineCreated' ORDER BY time DESC LIMIT :number;

-- name: last_inbox
SELECT * FROM inbox ORDER BY decided_at DESC LIMIT :number;

-- name: last_pipelines
SELECT * FROM pipeline ORDER BY name DESC LIMIT :number;
