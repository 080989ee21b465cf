DROP INDEX event_log_refused;
DROP INDEX dead_letter_by_status;
DROP INDEX dead_letter_by_environment;
ALTER TABLE dead_letter
    DROP COLUMN replayed_as,
    DROP COLUMN settled_by,
    DROP COLUMN settled_at,
    DROP COLUMN status;
