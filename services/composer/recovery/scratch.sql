-- name: make_temporary#
-- Tables for a replay that end with the session; nobody looks for anything in them but by its name.
CREATE TEMPORARY TABLE replayed_step (LIKE step, PRIMARY KEY (environment, name));
CREATE TEMPORARY TABLE replayed_pipeline (LIKE pipeline, PRIMARY KEY (environment, name));
CREATE TEMPORARY TABLE replayed_deployment (LIKE deployment, PRIMARY KEY (environment, name));
CREATE TEMPORARY TABLE replayed_environment_variable (LIKE environment_variable, PRIMARY KEY (environment, name));

-- name: lock_rebuild$
-- True when no other rebuild is under way; ours ends with the session.
SELECT pg_try_advisory_lock(hashtext('pipeloom rebuild'));

-- name: hold_histories!
-- Let nothing be pruned as long as this session lives; waits for the piece that is being pruned now.
SELECT pg_advisory_lock(hashtext('pipeloom histories'));

-- name: find_origin$
-- What the tables of an unfinished rebuild were made for; NULL when there are none.
SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'pipeloom_rebuild';

-- name: discard#
-- Forget an unfinished rebuild.
DROP SCHEMA IF EXISTS pipeloom_rebuild CASCADE;

-- name: make_lasting#
-- Tables for a rebuild that another session can go on with, of the same columns, keys and indexes as the live ones.
-- Foreign keys come when they are full.
CREATE SCHEMA pipeloom_rebuild;
CREATE TABLE pipeloom_rebuild.replayed_step (LIKE step INCLUDING ALL EXCLUDING INDEXES);
CREATE TABLE pipeloom_rebuild.replayed_pipeline (LIKE pipeline INCLUDING ALL EXCLUDING INDEXES);
CREATE TABLE pipeloom_rebuild.replayed_deployment (LIKE deployment INCLUDING ALL EXCLUDING INDEXES);
CREATE TABLE pipeloom_rebuild.replayed_environment_variable (LIKE environment_variable INCLUDING ALL EXCLUDING INDEXES);
CREATE TABLE pipeloom_rebuild.replayed_place (
    environment text COLLATE "C" PRIMARY KEY,
    sequence bigint NOT NULL,
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    log_index integer NOT NULL
);
DO $$
DECLARE live regclass; each record;
BEGIN
    FOREACH live IN ARRAY ARRAY['step', 'pipeline', 'deployment', 'environment_variable']::regclass[] LOOP
        FOR each IN
            SELECT c.conname, pg_get_constraintdef(c.oid) AS definition, r.relname FROM pg_constraint c
            JOIN pg_class r ON r.oid = c.conrelid
            WHERE c.conrelid = live AND c.contype IN ('p', 'u', 'x')
        LOOP
            EXECUTE format('ALTER TABLE pipeloom_rebuild.%I ADD CONSTRAINT %I %s',
                'replayed_' || each.relname, each.conname, each.definition);
        END LOOP;
        FOR each IN
            SELECT pg_get_indexdef(i.indexrelid) AS definition, n.nspname, r.relname FROM pg_index i
            JOIN pg_class r ON r.oid = i.indrelid
            JOIN pg_namespace n ON n.oid = r.relnamespace
            WHERE i.indrelid = live AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid
                AND c.conrelid = live)
        LOOP
            EXECUTE replace(each.definition, format(' ON %I.%I ', each.nspname, each.relname),
                format(' ON pipeloom_rebuild.%I ', 'replayed_' || each.relname));
        END LOOP;
    END LOOP;
END $$;

-- name: tell_origin!
-- Note for whom the tables were made, so that another version does not go on with them.
SELECT set_config('pipeloom.rebuild_origin', :origin, false);

-- name: mark_origin#
DO $$ BEGIN
    EXECUTE format('COMMENT ON SCHEMA pipeloom_rebuild IS %L', current_setting('pipeloom.rebuild_origin'));
END $$;

-- name: use_lasting#
SELECT set_config('search_path', 'pipeloom_rebuild, ' || current_setting('search_path'), false);
SET synchronous_commit = off;

-- name: read_replayed
-- How far each environment was replayed.
SELECT * FROM replayed_place;

-- name: note_replayed!
-- Note how far an environment was replayed.
INSERT INTO replayed_place (environment, sequence, partition, log_offset, log_index)
VALUES (:environment, :sequence, :partition, :log_offset, :log_index)
ON CONFLICT (environment) DO UPDATE SET sequence = excluded.sequence, partition = excluded.partition,
    log_offset = excluded.log_offset, log_index = excluded.log_index;
