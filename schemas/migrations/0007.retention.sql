-- Retention: what histories that begin later than at 1 have to stand on, and what it needs to find what may go.
-- depends: 0006.activity

-- Up to which place the history of an environment was pruned, and where that event stood in the log.
CREATE TABLE history_horizon (
    environment text COLLATE "C" PRIMARY KEY,
    sequence bigint NOT NULL,
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    log_index integer NOT NULL,
    pruned_at timestamptz NOT NULL DEFAULT now()
);

-- What the pruned part of a history has left: the resources as the decider reads them. Written in the transaction that
-- deletes the events, so that these rows and the events behind the horizon are together the whole history at any time.
CREATE TABLE baseline (
    environment text COLLATE "C" NOT NULL,
    kind text NOT NULL CHECK (kind IN ('step', 'pipeline', 'deployment', 'environment_variable')),
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (environment, kind, name)
);

-- Rejections of strays, which belong to no history. Partial, so that it costs the save of a batch nothing but for those.
CREATE INDEX event_log_strays ON event_log (time) WHERE sequence IS NULL;

-- What came of the replay of a letter, once the inbox no longer knows it.
ALTER TABLE dead_letter
    ADD COLUMN remembered_replay uuid,
    ADD COLUMN remembered_outcome text CHECK (remembered_outcome IN ('done', 'refused'));

CREATE INDEX dead_letter_replayed ON dead_letter (environment, replayed_as) WHERE replayed_as IS NOT NULL;

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
