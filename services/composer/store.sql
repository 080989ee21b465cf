-- name: claim_partition^
-- Take a partition over: bump its epoch, so that no earlier owner can save any more.
-- A partition that was never claimed starts at the first offset of the topic of that id.
INSERT INTO partition_cursor AS cursor (topic, partition, topic_id, epoch, next_offset, owner)
VALUES (:topic, :partition, :topic_id, 1, :first_offset, :owner)
ON CONFLICT (topic, partition) DO UPDATE SET epoch = cursor.epoch + 1, owner = excluded.owner
RETURNING epoch, next_offset, topic_id;

-- name: load_state
-- Everything that a batch names, in one round trip: environments, taken command ids, resources and their dependents.
-- OFFSET 0 keeps each look-up what it is, one by its key: a session keeps its plan from when the tables were small, and a
-- join might read all of them.
WITH wanted_step AS (
    SELECT * FROM unnest(:step_environments::text[], :step_names::text[]) AS t (environment, name)
), wanted_pipeline AS (
    SELECT * FROM unnest(:pipeline_environments::text[], :pipeline_names::text[]) AS t (environment, name)
), wanted_deployment AS (
    SELECT * FROM unnest(:deployment_environments::text[], :deployment_names::text[]) AS t (environment, name)
), wanted_variable AS (
    SELECT * FROM unnest(:variable_environments::text[], :variable_names::text[]) AS t (environment, name)
), doomed_step AS (
    SELECT * FROM unnest(:doomed_step_environments::text[], :doomed_step_names::text[]) AS t (environment, name)
), doomed_pipeline AS (
    SELECT * FROM unnest(:doomed_pipeline_environments::text[], :doomed_pipeline_names::text[]) AS t (environment, name)
    UNION
    SELECT d.environment, p.name FROM doomed_step d CROSS JOIN LATERAL (
        SELECT name FROM pipeline WHERE environment = d.environment AND step_name = d.name OFFSET 0
    ) p
), all_pipeline AS (
    SELECT environment, name FROM wanted_pipeline UNION SELECT environment, name FROM doomed_pipeline
), all_deployment AS (
    SELECT environment, name FROM wanted_deployment
    UNION
    SELECT d.environment, y.name FROM doomed_pipeline d CROSS JOIN LATERAL (
        SELECT name FROM deployment WHERE environment = d.environment AND pipeline_name = d.name OFFSET 0
    ) y
)
SELECT 'environment' AS kind, w.environment, '' AS name, e.sequence AS version,
    NULL AS body, NULL::bytea AS fingerprint
FROM unnest(:environments::text[]) AS w (environment) CROSS JOIN LATERAL (
    SELECT coalesce((SELECT sequence FROM environment_head h WHERE h.environment = w.environment), 0) AS sequence
    FROM environment WHERE id = w.environment OFFSET 0
) e
UNION ALL
SELECT 'command', w.environment, w.command_id::text, 0, NULL, i.fingerprint
FROM unnest(:command_environments::text[], :command_ids::uuid[]) AS w (environment, command_id) CROSS JOIN LATERAL (
    SELECT fingerprint FROM inbox WHERE environment = w.environment AND command_id = w.command_id OFFSET 0
) i
UNION ALL
SELECT 'step', w.environment, w.name, s.version, s.body, NULL
FROM wanted_step w CROSS JOIN LATERAL (
    SELECT version, body FROM step WHERE environment = w.environment AND name = w.name OFFSET 0
) s
UNION ALL
SELECT 'pipeline', w.environment, w.name, p.version, p.body, NULL
FROM all_pipeline w CROSS JOIN LATERAL (
    SELECT version, body FROM pipeline WHERE environment = w.environment AND name = w.name OFFSET 0
) p
UNION ALL
SELECT 'deployment', w.environment, w.name, d.version, d.body, NULL
FROM all_deployment w CROSS JOIN LATERAL (
    SELECT version, body FROM deployment WHERE environment = w.environment AND name = w.name OFFSET 0
) d
UNION ALL
SELECT 'variable', w.environment, w.name, v.version, v.body, NULL
FROM wanted_variable w CROSS JOIN LATERAL (
    SELECT version, body FROM environment_variable WHERE environment = w.environment AND name = w.name OFFSET 0
) v;

-- name: save_batch$
-- Everything that a batch changes, in one statement and so in one transaction. True when it is saved; false when a cursor
-- is not where this owner left it: somebody else claimed a partition, and nothing at all is changed.
-- What goes is looked up by its key, as in load_state, and deleted where it stands.
WITH cursor_move AS (
    SELECT * FROM unnest(
        :cursor_partitions::int[], :cursor_epochs::bigint[], :cursor_from::bigint[], :cursor_to::bigint[]
    ) AS t (partition, epoch, expected_offset, next_offset)
), held AS (
    SELECT c.partition
    FROM partition_cursor c JOIN cursor_move m
        ON c.partition = m.partition AND c.epoch = m.epoch AND c.next_offset = m.expected_offset
    WHERE c.topic = :topic
    FOR UPDATE OF c
), go AS (
    SELECT (SELECT count(*) FROM held) = cardinality(:cursor_partitions::int[]) AS ok
), moved AS (
    UPDATE partition_cursor c SET next_offset = m.next_offset
    FROM cursor_move m, go
    WHERE go.ok AND c.topic = :topic AND c.partition = m.partition
), heads AS (
    INSERT INTO environment_head (environment, sequence)
    SELECT t.* FROM unnest(:head_environments::text[], :head_sequences::bigint[]) AS t, go WHERE go.ok
    ON CONFLICT (environment) DO UPDATE SET sequence = excluded.sequence
), taken AS (
    INSERT INTO inbox (environment, command_id, fingerprint, partition, log_offset, log_index)
    SELECT t.* FROM unnest(
        :inbox_environments::text[], :inbox_ids::uuid[], :inbox_fingerprints::bytea[],
        :inbox_partitions::int[], :inbox_offsets::bigint[], :inbox_indexes::int[]
    ) AS t, go WHERE go.ok
), logged AS (
    INSERT INTO event_log (
        partition, log_offset, log_index, environment, sequence, type, version, subject,
        command_id, command_source, is_result, actor, time, traceparent, data
    )
    SELECT t.* FROM unnest(
        :event_partitions::int[], :event_offsets::bigint[], :event_indexes::int[], :event_environments::text[],
        :event_sequences::bigint[], :event_types::text[], :event_versions::int[], :event_subjects::text[],
        :event_command_ids::uuid[], :event_command_sources::text[], :event_results::boolean[], :event_actors::text[],
        :event_times::timestamptz[], :event_traceparents::text[], :event_data::text[]
    ) AS t, go WHERE go.ok
), buried AS (
    INSERT INTO dead_letter (
        partition, log_offset, environment, command_id, code, message,
        record_key, record_value, record_headers, received_at
    )
    SELECT t.* FROM unnest(
        :dead_partitions::int[], :dead_offsets::bigint[], :dead_environments::text[], :dead_command_ids::uuid[],
        :dead_codes::text[], :dead_messages::text[], :dead_keys::bytea[], :dead_values::bytea[],
        :dead_headers::text[], :dead_times::timestamptz[]
    ) AS t, go WHERE go.ok
), deployments_gone AS (
    DELETE FROM deployment WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM go, unnest(:gone_deployment_environments::text[], :gone_deployment_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM deployment WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
        WHERE go.ok
    ))
), pipelines_gone AS (
    DELETE FROM pipeline WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM go, unnest(:gone_pipeline_environments::text[], :gone_pipeline_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM pipeline WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
        WHERE go.ok
    ))
), steps_gone AS (
    DELETE FROM step WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM go, unnest(:gone_step_environments::text[], :gone_step_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM step WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
        WHERE go.ok
    ))
), steps_kept AS (
    INSERT INTO step (environment, name, status, version, body, document, summary)
    SELECT t.* FROM unnest(
        :step_environments::text[], :step_names::text[], :step_statuses::text[], :step_versions::bigint[],
        :step_bodies::text[], :step_documents::text[], :step_summaries::text[]
    ) AS t, go WHERE go.ok
    ON CONFLICT (environment, name) DO UPDATE SET status = excluded.status, version = excluded.version,
        body = excluded.body, document = excluded.document, summary = excluded.summary
), pipelines_kept AS (
    INSERT INTO pipeline (environment, name, step_name, version, body, document, summary)
    SELECT t.* FROM unnest(
        :pipeline_environments::text[], :pipeline_names::text[], :pipeline_steps::text[], :pipeline_versions::bigint[],
        :pipeline_bodies::text[], :pipeline_documents::text[], :pipeline_summaries::text[]
    ) AS t, go WHERE go.ok
    ON CONFLICT (environment, name) DO UPDATE SET step_name = excluded.step_name, version = excluded.version,
        body = excluded.body, document = excluded.document, summary = excluded.summary
), deployments_kept AS (
    INSERT INTO deployment (environment, name, pipeline_name, version, body, document, summary)
    SELECT t.* FROM unnest(
        :deployment_environments::text[], :deployment_names::text[], :deployment_pipelines::text[],
        :deployment_versions::bigint[], :deployment_bodies::text[], :deployment_documents::text[],
        :deployment_summaries::text[]
    ) AS t, go WHERE go.ok
    ON CONFLICT (environment, name) DO UPDATE SET pipeline_name = excluded.pipeline_name, version = excluded.version,
        body = excluded.body, document = excluded.document, summary = excluded.summary
), variables_gone AS (
    DELETE FROM environment_variable WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM go, unnest(:gone_variable_environments::text[], :gone_variable_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM environment_variable WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
        WHERE go.ok
    ))
), variables_kept AS (
    INSERT INTO environment_variable (environment, name, version, body)
    SELECT t.* FROM unnest(
        :variable_environments::text[], :variable_names::text[], :variable_versions::bigint[], :variable_bodies::text[]
    ) AS t, go WHERE go.ok
    ON CONFLICT (environment, name) DO UPDATE SET version = excluded.version, body = excluded.body
)
SELECT go.ok, CASE WHEN go.ok THEN pg_notify('pipeloom_decided', :notice) END FROM go;
