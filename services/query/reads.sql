-- name: find_pipeline^
SELECT document, version FROM pipeline WHERE environment = :environment AND name = :name;

-- name: find_step_body^
-- A step as the rules see it, with what its readers are not told.
SELECT body FROM step WHERE environment = :environment AND name = :name;

-- name: find_deployment^
SELECT document, version FROM deployment WHERE environment = :environment AND name = :name;

-- name: find_new_endpoint^
-- An endpoint that this user created within the last minute and nobody changed since, with the command that did it.
SELECT d.body, e.command_id
FROM deployment d CROSS JOIN LATERAL (
    SELECT * FROM event_log WHERE environment = :environment AND sequence = d.version OFFSET 0
) e
WHERE d.environment = :environment AND d.name = :name AND e.actor = :actor
    AND e.type = 'DeploymentCreated' AND e.time > now() - interval '1 minute';

-- name: list_pipelines^
-- A page of entries as they are sent, joined, in the order of their names behind the name `after`; the last one of these
-- names, and whether there are more behind it.
WITH page AS (
    SELECT name, summary FROM pipeline
    WHERE environment = :environment AND name > :after ORDER BY name LIMIT :page_size
)
SELECT string_agg(summary, ',' ORDER BY name) AS entries, max(name) AS last_name, EXISTS (
    SELECT FROM pipeline WHERE environment = :environment AND name > (SELECT max(name) FROM page)
) AS has_more
FROM page;

-- name: list_steps^
-- As list_pipelines.
WITH page AS (
    SELECT name, summary FROM step
    WHERE environment = :environment AND name > :after ORDER BY name LIMIT :page_size
)
SELECT string_agg(summary, ',' ORDER BY name) AS entries, max(name) AS last_name, EXISTS (
    SELECT FROM step WHERE environment = :environment AND name > (SELECT max(name) FROM page)
) AS has_more
FROM page;

-- name: list_deployments^
-- As list_pipelines.
WITH page AS (
    SELECT name, summary FROM deployment
    WHERE environment = :environment AND name > :after ORDER BY name LIMIT :page_size
)
SELECT string_agg(summary, ',' ORDER BY name) AS entries, max(name) AS last_name, EXISTS (
    SELECT FROM deployment WHERE environment = :environment AND name > (SELECT max(name) FROM page)
) AS has_more
FROM page;

-- name: list_environment_variables^
-- As list_pipelines; the values are sealed.
WITH page AS (
    SELECT name, body AS summary FROM environment_variable
    WHERE environment = :environment AND name > :after ORDER BY name LIMIT :page_size
)
SELECT string_agg(summary, ',' ORDER BY name) AS entries, max(name) AS last_name, EXISTS (
    SELECT FROM environment_variable WHERE environment = :environment AND name > (SELECT max(name) FROM page)
) AS has_more
FROM page;

-- name: find_user^
-- A user, as long as it has or had a token in the environment that asks.
SELECT id, name, email FROM app_user u
WHERE id = :user_id
    AND EXISTS (SELECT FROM sdk_token t WHERE t.user_id = u.id AND t.environment = :environment);

-- name: find_token^
-- The owner of an SDK token that was not revoked.
SELECT user_id, environment FROM sdk_token WHERE token_hash = :token_hash AND revoked_at IS NULL;
