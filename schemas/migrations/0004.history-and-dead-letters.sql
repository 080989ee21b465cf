-- What became of a dead letter, its lists by environment, and the refused commands of an environment by index.
-- depends: 0003.environment-variables

ALTER TABLE dead_letter
    ADD COLUMN status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'discarded')),
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,
    -- The command of the last replay, and the fingerprint of what it asks for.
    ADD COLUMN replayed_as uuid,
    ADD COLUMN replayed_content bytea;

CREATE INDEX dead_letter_by_environment ON dead_letter (environment, received_at, partition, log_offset);

-- Partial, so that it costs the save of a batch nothing but for the refusals in it. Writes wait while it is built, unless
-- the operator has built it before, CONCURRENTLY.
CREATE INDEX IF NOT EXISTS event_log_refused ON event_log (environment, sequence) WHERE type = 'CommandRejected';

-- The letters with what came of their last replay, which the inbox knows: one that was refused leaves its letter open.
-- A command under that id with another content is somebody else's, and so the replay was refused.
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
