-- A history that was pruned cannot be had again: verify and rebuild of the version before refuse it as one with a gap.
DROP VIEW dead_letter_now;
DROP INDEX dead_letter_replayed, event_log_strays;
ALTER TABLE dead_letter DROP COLUMN remembered_outcome, DROP COLUMN remembered_replay;
DROP TABLE baseline, history_horizon;
CREATE VIEW dead_letter_now AS
SELECT partition, log_offset, environment, command_id, code, message, record_key, record_value, record_headers,
    received_at, replayed_as, replayed_content, replay,
    -- What the record said of itself. No JSON of Postgres has a NUL in a text.
    (SELECT left(pair ->> 1, 4096) FROM json_array_elements(replace(record_headers, '\u0000', '\u0001')::json) AS pair
        WHERE pair ->> 0 = 'ce_source' LIMIT 1) AS source,
    (SELECT left(pair ->> 1, 4096) FROM json_array_elements(replace(record_headers, '\u0000', '\u0001')::json) AS pair
        WHERE pair ->> 0 = 'ce_type' LIMIT 1) AS type,
    CASE WHEN is_open THEN 'open' ELSE status END AS status,
    CASE WHEN NOT is_open THEN settled_at END AS settled_at,
    CASE WHEN NOT is_open THEN settled_by END AS settled_by
FROM (
    SELECT *, status = 'open' OR (status = 'replayed' AND replay = 'refused') AS is_open
    FROM (
        SELECT d.*, CASE
            WHEN d.replayed_as IS NULL THEN NULL
            WHEN i.command_id IS NULL THEN 'undecided'
            WHEN i.fingerprint <> d.replayed_content OR e.type = 'CommandRejected' THEN 'refused'
            ELSE 'done'
        END AS replay
        FROM dead_letter d
        LEFT JOIN inbox i ON i.environment = d.environment AND i.command_id = d.replayed_as
        LEFT JOIN event_log e
            ON e.partition = i.partition AND e.log_offset = i.log_offset AND e.log_index = i.log_index
    ) AS replayed
) AS judged;
