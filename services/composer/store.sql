-- name: claim_partition^
-- Take a partition over: bump its epoch, so that no earlier owner can save any more.
-- A partition that was never claimed starts at the first offset of the topic of that id.
INSERT INTO partition_cursor AS cursor (topic, partition, topic_id, epoch, next_offset, owner)
VALUES (:topic, :partition, :topic_id, 1, :first_offset, :owner)
ON CONFLICT (topic, partition) DO UPDATE SET epoch = cursor.epoch + 1, owner = excluded.owner
RETURNING epoch, next_offset, topic_id;

-- name: load_state
-- Everything that a batch names, in one round trip: environments, taken command ids, resources and their dependents.
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
    SELECT p.environment, p.name
    FROM doomed_step d JOIN pipeline p ON p.environment = d.environment AND p.step_name = d.name
), all_pipeline AS (
    SELECT environment, name FROM wanted_pipeline UNION SELECT environment, name FROM doomed_pipeline
), all_deployment AS (
    SELECT environment, name FROM wanted_deployment
    UNION
    SELECT y.environment, y.name
    FROM doomed_pipeline d JOIN deployment y ON y.environment = d.environment AND y.pipeline_name = d.name
)
SELECT 'environment' AS kind, e.id AS environment, '' AS name, coalesce(h.sequence, 0) AS version,
    NULL AS body, NULL::bytea AS fingerprint
FROM environment e LEFT JOIN environment_head h ON h.environment = e.id
WHERE e.id = ANY(:environments::text[])
UNION ALL
SELECT 'command', i.environment, i.command_id::text, 0, NULL, i.fingerprint
FROM unnest(:command_environments::text[], :command_ids::uuid[]) AS t (environment, command_id)
JOIN inbox i ON i.environment = t.environment AND i.command_id = t.command_id
UNION ALL
SELECT 'step', s.environment, s.name, s.version, s.body, NULL
FROM wanted_step w JOIN step s ON s.environment = w.environment AND s.name = w.name
UNION ALL
SELECT 'pipeline', p.environment, p.name, p.version, p.body, NULL
FROM all_pipeline w JOIN pipeline p ON p.environment = w.environment AND p.name = w.name
UNION ALL
SELECT 'deployment', d.environment, d.name, d.version, d.body, NULL
FROM all_deployment w JOIN deployment d ON d.environment = w.environment AND d.name = w.name
UNION ALL
SELECT 'variable', v.environment, v.name, v.version, v.body, NULL
FROM wanted_variable w JOIN environment_variable v ON v.environment = w.environment AND v.name = w.name;

-- name: save_batch$
-- Everything that a batch changes, in one statement and so in one transaction. True when it is saved; false when a cursor
-- is not where this owner left it: somebody else claimed a partition, and nothing at all is changed.
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
    DELETE FROM deployment d
    USING unnest(:gone_deployment_environments::text[], :gone_deployment_names::text[]) AS t (environment, name), go
    WHERE go.ok AND d.environment = t.environment AND d.name = t.name
), pipelines_gone AS (
    DELETE FROM pipeline p
    USING unnest(:gone_pipeline_environments::text[], :gone_pipeline_names::text[]) AS t (environment, name), go
    WHERE go.ok AND p.environment = t.environment AND p.name = t.name
), steps_gone AS (
    DELETE FROM step s
    USING unnest(:gone_step_environments::text[], :gone_step_names::text[]) AS t (environment, name), go
    WHERE go.ok AND s.environment = t.environment AND s.name = t.name
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
    DELETE FROM environment_variable v
    USING unnest(:gone_variable_environments::text[], :gone_variable_names::text[]) AS t (environment, name), go
    WHERE go.ok AND v.environment = t.environment AND v.name = t.name
), variables_kept AS (
    INSERT INTO environment_variable (environment, name, version, body)
    SELECT t.* FROM unnest(
        :variable_environments::text[], :variable_names::text[], :variable_versions::bigint[], :variable_bodies::text[]
    ) AS t, go WHERE go.ok
    ON CONFLICT (environment, name) DO UPDATE SET version = excluded.version, body = excluded.body
)
SELECT go.ok, CASE WHEN go.ok THEN pg_notify('pipeloom_decided', :notice) END FROM go;
