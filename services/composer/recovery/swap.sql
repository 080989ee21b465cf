-- name: add_foreign_keys#
-- The foreign keys that the live tables have among them, where they are not there yet.
DO $$
DECLARE live regclass; each record;
BEGIN
    FOREACH live IN ARRAY ARRAY['pipeline', 'deployment']::regclass[] LOOP
        FOR each IN
            SELECT c.conname, r.relname, f.relname AS parent, pg_get_constraintdef(c.oid) AS definition,
                format('REFERENCES %s(', c.confrelid::regclass) AS written
            FROM pg_constraint c
            JOIN pg_class r ON r.oid = c.conrelid
            JOIN pg_class f ON f.oid = c.confrelid
            WHERE c.conrelid = live AND c.contype = 'f' AND NOT EXISTS (
                SELECT 1 FROM pg_constraint d
                WHERE d.conname = c.conname AND d.conrelid = ('replayed_' || r.relname)::regclass
            )
        LOOP
            EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I %s', 'replayed_' || each.relname, each.conname,
                replace(each.definition, each.written, format('REFERENCES %I(', 'replayed_' || each.parent)));
        END LOOP;
    END LOOP;
END $$;
ANALYZE replayed_step, replayed_pipeline, replayed_deployment, replayed_environment_variable;

-- name: fence#
-- Hold every composer off; what they have saved is seen from here on. A wait for readers may not last: it holds up others.
SET LOCAL lock_timeout = '1s';
SET LOCAL synchronous_commit = on;
LOCK TABLE partition_cursor IN EXCLUSIVE MODE;

-- name: swap#
-- Put the replayed tables in the place of the live ones, with their names and grants; no batch that was decided before can
-- be saved any more, since it was decided on what the old tables said.
UPDATE partition_cursor SET epoch = epoch + 1;
INSERT INTO environment_head AS h (environment, sequence)
SELECT environment, sequence FROM replayed_place
ON CONFLICT (environment) DO UPDATE SET sequence = excluded.sequence WHERE h.sequence <> excluded.sequence;
DO $$
DECLARE place text; owned text; live regclass; each text; granted record;
BEGIN
    SELECT n.nspname INTO place FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = 'step'::regclass;
    CREATE SCHEMA pipeloom_replaced;
    FOREACH each IN ARRAY ARRAY['deployment', 'pipeline', 'step', 'environment_variable'] LOOP
        live = format('%I.%I', place, each)::regclass;
        FOR granted IN
            SELECT a.privilege_type, a.is_grantable,
                CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(a.grantee::regrole::text) END AS grantee
            FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = live AND a.grantee <> c.relowner
        LOOP
            EXECUTE format('GRANT %s ON %I TO %s%s', granted.privilege_type, 'replayed_' || each, granted.grantee,
                CASE WHEN granted.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END);
        END LOOP;
        SELECT r.rolname INTO owned FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.oid = live;
        EXECUTE format('ALTER TABLE %I OWNER TO %I', 'replayed_' || each, owned);
        EXECUTE format('ALTER TABLE %I.%I SET SCHEMA pipeloom_replaced', place, each);
        EXECUTE format('ALTER TABLE %I RENAME TO %I', 'replayed_' || each, each);
        EXECUTE format('ALTER TABLE pipeloom_rebuild.%I SET SCHEMA %I', each, place);
    END LOOP;
    DROP TABLE pipeloom_replaced.deployment, pipeloom_replaced.pipeline, pipeloom_replaced.step,
        pipeloom_replaced.environment_variable;
    DROP SCHEMA pipeloom_replaced;
    DROP TABLE pipeloom_rebuild.replayed_place;
    DROP SCHEMA pipeloom_rebuild;
END $$;
