CREATE OR REPLACE VIEW dead_letter_now AS
SELECT partition, log_offset, environment, command_id, code, message, record_key, record_value, record_headers,
    received_at, replayed_as, replayed_content, replay,
    -- What the record said of itself. No JSON of Postgres has a NUL in a text.
    (SELECT left(pair ->> 1, 4096) FROM json_array_elements(replace(record_headers, '\u0000', '\u0001')::json) AS pair
        WHERE pair ->> 0 = 'ce_source' LIMIT 1) AS source,
    (SELECT left(pair ->> 1, 4096) FROM json_array_elements(replace(record_headers, '\u0000', '\u0001')::json) AS pair
        WHERE pair ->> 0 = 'ce_type' LIMIT 1) AS type,
    CASE WHEN is_open THEN 'open' ELSE status END AS status,
    CASE WHEN NOT is_open THEN settled_at END AS settled_at,
    CASE WHEN NOT is_open THEN settled_by END AS settled_by,
    is_remembered
FROM (
    SELECT *, status = 'open' OR (status = 'replayed' AND replay = 'refused') AS is_open
    FROM (
        SELECT d.*, CASE
            WHEN d.replayed_as IS NULL THEN NULL
            WHEN i.command_id IS NULL AND d.remembered_replay = d.replayed_as THEN d.remembered_outcome
            WHEN i.command_id IS NULL THEN 'undecided'
            WHEN i.fingerprint <> d.replayed_content OR e.type = 'CommandRejected' THEN 'refused'
            ELSE 'done'
        END AS replay,
        i.command_id IS NULL AND d.remembered_replay IS NOT DISTINCT FROM d.replayed_as
            AND d.replayed_as IS NOT NULL AS is_remembered
        FROM dead_letter d
        LEFT JOIN inbox i ON i.environment = d.environment AND i.command_id = d.replayed_as
        LEFT JOIN event_log e
            ON e.partition = i.partition AND e.log_offset = i.log_offset AND e.log_index = i.log_index
    ) AS replayed
) AS judged;
DROP INDEX sdk_token_by_user;
DROP INDEX sdk_token_by_environment;
