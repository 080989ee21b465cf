-- What became of a dead letter, its lists by environment, and the refused commands of an environment by index.
-- depends: 0003.environment-variables

ALTER TABLE dead_letter
    ADD COLUMN status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'replayed', 'discarded')),
    ADD COLUMN settled_at timestamptz,
    ADD COLUMN settled_by text,
    ADD COLUMN replayed_as uuid;

CREATE INDEX dead_letter_by_environment ON dead_letter (environment, received_at, partition, log_offset);
CREATE INDEX dead_letter_by_status ON dead_letter (environment, status, received_at, partition, log_offset);

-- Partial, so that it costs the save of a batch nothing but for the refusals in it.
CREATE INDEX event_log_refused ON event_log (environment, sequence) WHERE type = 'CommandRejected';
