-- name: keep_rows!
-- What a piece of the history leaves of each resource that it changed. The tables are those that `scratch.sql` makes;
-- they grow under the plan that a session keeps, so what goes is looked up by its key and deleted where it stands.
WITH deployments_gone AS (
    DELETE FROM replayed_deployment WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM unnest(:gone_deployment_environments::text[], :gone_deployment_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM replayed_deployment WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
    ))
), pipelines_gone AS (
    DELETE FROM replayed_pipeline WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM unnest(:gone_pipeline_environments::text[], :gone_pipeline_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM replayed_pipeline WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
    ))
), steps_gone AS (
    DELETE FROM replayed_step WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM unnest(:gone_step_environments::text[], :gone_step_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM replayed_step WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
    ))
), variables_gone AS (
    DELETE FROM replayed_environment_variable WHERE ctid = ANY(ARRAY(
        SELECT found.place
        FROM unnest(:gone_variable_environments::text[], :gone_variable_names::text[]) AS t (environment, name)
        CROSS JOIN LATERAL (
            SELECT ctid AS place FROM replayed_environment_variable WHERE environment = t.environment AND name = t.name OFFSET 0
        ) found
    ))
), steps_kept AS (
    INSERT INTO replayed_step (environment, name, status, version, body, document, summary)
    SELECT t.* FROM unnest(
        :step_environments::text[], :step_names::text[], :step_statuses::text[], :step_versions::bigint[],
        :step_bodies::text[], :step_documents::text[], :step_summaries::text[]
    ) AS t
    ON CONFLICT (environment, name) DO UPDATE SET status = excluded.status, version = excluded.version,
        body = excluded.body, document = excluded.document, summary = excluded.summary
), pipelines_kept AS (
    INSERT INTO replayed_pipeline (environment, name, step_name, version, body, document, summary)
    SELECT t.* FROM unnest(
        :pipeline_environments::text[], :pipeline_names::text[], :pipeline_steps::text[], :pipeline_versions::bigint[],
        :pipeline_bodies::text[], :pipeline_documents::text[], :pipeline_summaries::text[]
    ) AS t
    ON CONFLICT (environment, name) DO UPDATE SET step_name = excluded.step_name, version = excluded.version,
        body = excluded.body, document = excluded.document, summary = excluded.summary
), deployments_kept AS (
    INSERT INTO replayed_deployment (environment, name, pipeline_name, version, body, document, summary)
    SELECT t.* FROM unnest(
        :deployment_environments::text[], :deployment_names::text[], :deployment_pipelines::text[],
        :deployment_versions::bigint[], :deployment_bodies::text[], :deployment_documents::text[],
        :deployment_summaries::text[]
    ) AS t
    ON CONFLICT (environment, name) DO UPDATE SET pipeline_name = excluded.pipeline_name, version = excluded.version,
        body = excluded.body, document = excluded.document, summary = excluded.summary
)
INSERT INTO replayed_environment_variable (environment, name, version, body)
SELECT t.* FROM unnest(
    :variable_environments::text[], :variable_names::text[], :variable_versions::bigint[], :variable_bodies::text[]
) AS t
ON CONFLICT (environment, name) DO UPDATE SET version = excluded.version, body = excluded.body;

-- name: read_places
-- Each environment that has a history, with the last place of it that is in the log.
WITH RECURSIVE found AS (
    (SELECT environment FROM event_log ORDER BY environment LIMIT 1)
    UNION ALL
    SELECT (SELECT e.environment FROM event_log e WHERE e.environment > f.environment ORDER BY e.environment LIMIT 1)
    FROM found f WHERE f.environment IS NOT NULL
), ends AS (
    SELECT f.environment, (SELECT max(e.sequence) FROM event_log e WHERE e.environment = f.environment) AS sequence
    FROM found f WHERE f.environment IS NOT NULL
)
SELECT environment, sequence FROM ends WHERE sequence IS NOT NULL ORDER BY environment;

-- name: read_heads
-- The last place of each environment's history, as the composer goes on from it.
SELECT environment, sequence FROM environment_head;
