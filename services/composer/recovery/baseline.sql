-- name: read_horizon^
-- Up to where the history of an environment was pruned.
SELECT sequence, partition, log_offset, log_index FROM history_horizon WHERE environment = :environment;

-- name: read_horizons
-- Up to where each history that was pruned is gone.
SELECT environment, sequence FROM history_horizon;

-- name: read_baseline
-- What the pruned part of a history has left, parents before what needs them.
SELECT kind, name, version, body FROM baseline
WHERE environment = :environment
ORDER BY array_position(ARRAY['step', 'pipeline', 'deployment', 'environment_variable'], kind), name;

-- name: clear_replayed!
-- Forget what was replayed of an environment. The tables are those that `scratch.sql` makes.
WITH deployments AS (DELETE FROM replayed_deployment WHERE environment = :environment),
    pipelines AS (DELETE FROM replayed_pipeline WHERE environment = :environment),
    steps AS (DELETE FROM replayed_step WHERE environment = :environment)
DELETE FROM replayed_environment_variable WHERE environment = :environment;
