-- name: read_cursors
-- How far each partition is composed, whoever did it.
SELECT partition, next_offset FROM partition_cursor WHERE topic = :topic;
