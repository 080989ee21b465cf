-- name: install_audit#
-- Write down every move of a cursor, and by whom: each process signs in as a user of its own.
CREATE TABLE chaos_audit (
    id bigserial PRIMARY KEY,
    partition integer NOT NULL,
    epoch bigint NOT NULL,
    next_offset bigint NOT NULL,
    by_user text NOT NULL
);
CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $note$
BEGIN
    INSERT INTO chaos_audit (partition, epoch, next_offset, by_user)
    VALUES (NEW.partition, NEW.epoch, NEW.next_offset, session_user);
    RETURN NULL;
END
$note$;
CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE ON partition_cursor FOR EACH ROW EXECUTE FUNCTION chaos_note();

-- name: audit
-- The moves of all cursors, in the order in which each one's were committed.
SELECT partition, epoch, next_offset, by_user FROM chaos_audit ORDER BY id;
