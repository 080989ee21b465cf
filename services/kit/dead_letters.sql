-- name: list_dead_letters
-- A page of the letters of an environment, the newest first, behind a place; without their bytes.
SELECT partition, log_offset, environment, command_id, code, message, received_at, status, settled_at, settled_by,
    replayed_as, replayed_content, replay, source, type,
    coalesce(octet_length(record_value), 0) AS value_bytes
FROM dead_letter_now
WHERE environment = :environment
    AND (:status::text IS NULL OR status = :status)
    AND (received_at, partition, log_offset) < (:received_at, :partition, :log_offset)
ORDER BY received_at DESC, partition DESC, log_offset DESC
LIMIT :page_size;

-- name: list_dead_letters_of_nobody
-- The newest letters that no environment sees: they name none, or none that exists.
SELECT partition, log_offset, d.environment, command_id, code, message, received_at, status, settled_at, settled_by,
    replayed_as, replayed_content, replay, source, type,
    coalesce(octet_length(record_value), 0) AS value_bytes
FROM dead_letter_now d LEFT JOIN environment e ON e.id = d.environment
WHERE e.id IS NULL AND (:status::text IS NULL OR status = :status)
ORDER BY received_at DESC, partition DESC, log_offset DESC
LIMIT :page_size;

-- name: find_dead_letter^
-- A letter with its bytes: of an environment, or of whomever when none is given.
SELECT partition, log_offset, environment, command_id, code, message, received_at, status, settled_at, settled_by,
    replayed_as, replayed_content, replay, source, type,
    coalesce(octet_length(record_value), 0) AS value_bytes, record_key, record_value, record_headers, is_remembered
FROM dead_letter_now
WHERE partition = :partition AND log_offset = :log_offset
    AND (:environment::text IS NULL OR environment = :environment);

-- name: lock_dead_letter!
-- Let nobody else settle a letter until this transaction ends; it is read after that, as it is then.
SELECT FROM dead_letter WHERE partition = :partition AND log_offset = :log_offset FOR UPDATE;

-- name: discard_dead_letter!
-- Discard a letter that is open; any other stays as it is.
UPDATE dead_letter d SET status = 'discarded', settled_at = clock_timestamp(), settled_by = :settled_by
FROM dead_letter_now n
WHERE d.partition = :partition AND d.log_offset = :log_offset
    AND n.partition = d.partition AND n.log_offset = d.log_offset AND n.status = 'open';

-- name: mark_replayed$
-- Note that a letter is sent again; return when that was.
UPDATE dead_letter
SET status = 'replayed', settled_at = clock_timestamp(), settled_by = :settled_by,
    replayed_as = :replayed_as, replayed_content = :replayed_content
WHERE partition = :partition AND log_offset = :log_offset
RETURNING settled_at;

-- name: restore_dead_letter!
-- Take back the mark of a replay that was not sent, unless the letter was marked anew since, also as the same command.
-- The letter is found by its place: the comparison is one that leads to no index.
UPDATE dead_letter
SET status = :status, settled_at = :settled_at, settled_by = :settled_by,
    replayed_as = :former_replayed_as, replayed_content = :former_content
WHERE partition = :partition AND log_offset = :log_offset AND replayed_as IS NOT DISTINCT FROM :replayed_as AND settled_at = :marked_at;
