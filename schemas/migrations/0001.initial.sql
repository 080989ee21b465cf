-- The first schema: control data, the projection, the event log with its inbox and cursors, and the dead letters.
-- depends:

-- Control data: written by the admin commands, not projected.

CREATE TABLE environment (
    id text COLLATE "C" PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE app_user (
    id uuid PRIMARY KEY,
    name text NOT NULL UNIQUE,
    email text,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sdk_token (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    environment text COLLATE "C" NOT NULL REFERENCES environment (id),
    user_id uuid NOT NULL REFERENCES app_user (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);

-- The projection. `body` is the resource as the decider reads it; `document` and `summary` are sent to readers as they
-- stand; `version` is the sequence of the event that changed the resource last.

CREATE TABLE step (
    environment text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    status text NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    document text NOT NULL,
    summary text NOT NULL,
    PRIMARY KEY (environment, name)
);

CREATE TABLE pipeline (
    environment text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    step_name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    document text NOT NULL,
    summary text NOT NULL,
    PRIMARY KEY (environment, name),
    FOREIGN KEY (environment, step_name) REFERENCES step (environment, name)
);

CREATE INDEX pipeline_by_step ON pipeline (environment, step_name);

CREATE TABLE deployment (
    environment text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    pipeline_name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    document text NOT NULL,
    summary text NOT NULL,
    PRIMARY KEY (environment, name),
    FOREIGN KEY (environment, pipeline_name) REFERENCES pipeline (environment, name)
);

CREATE INDEX deployment_by_pipeline ON deployment (environment, pipeline_name);

-- What makes an effect happen once: the cursor of each commands partition, moved by compare-and-set under an epoch that
-- every claim bumps, and the inbox of the command ids that were decided.

CREATE TABLE partition_cursor (
    topic text NOT NULL,
    partition integer NOT NULL,
    topic_id uuid NOT NULL,
    epoch bigint NOT NULL,
    next_offset bigint NOT NULL,
    owner text NOT NULL,
    PRIMARY KEY (topic, partition)
);

CREATE TABLE inbox (
    environment text COLLATE "C" NOT NULL,
    command_id uuid NOT NULL,
    fingerprint bytea NOT NULL,
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    log_index integer NOT NULL,
    decided_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (environment, command_id)
);

-- The last place of each environment's history.
CREATE TABLE environment_head (
    environment text COLLATE "C" PRIMARY KEY,
    sequence bigint NOT NULL
);

-- The event log, which is the audit trail too. A row stands at its command's partition and offset, so that commit order
-- is offset order and a reader that goes on behind the last row it saw can never skip one.
CREATE TABLE event_log (
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    log_index integer NOT NULL,
    environment text COLLATE "C" NOT NULL,
    sequence bigint,
    type text NOT NULL,
    version integer NOT NULL,
    subject text COLLATE "C" NOT NULL,
    command_id uuid NOT NULL,
    command_source text NOT NULL,
    is_result boolean NOT NULL,
    actor text NOT NULL,
    time timestamptz NOT NULL,
    traceparent text,
    data text NOT NULL,
    PRIMARY KEY (partition, log_offset, log_index)
);

CREATE UNIQUE INDEX event_log_history ON event_log (environment, sequence);
CREATE INDEX event_log_by_subject ON event_log (environment, subject, sequence);

-- Records that were no commands, kept with their raw bytes.
CREATE TABLE dead_letter (
    partition integer NOT NULL,
    log_offset bigint NOT NULL,
    environment text COLLATE "C",
    command_id uuid,
    code text NOT NULL,
    message text NOT NULL,
    record_key bytea,
    record_value bytea,
    record_headers text NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (partition, log_offset)
);

-- Where the relay may start to read the events topic back, and what was certainly published by then.
CREATE TABLE relay_position (
    partition integer PRIMARY KEY,
    topic_offset bigint NOT NULL,
    log_offset bigint NOT NULL,
    log_index integer NOT NULL
);
