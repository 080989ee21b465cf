-- Webhooks: who is told of an environment's events by HTTP, and what became of each delivery.
-- depends: 0004.history-and-dead-letters

-- Control data, written by the command service. `told_up_to` is the last place of the environment's history of which
-- the deliveries are made; `failing_since` is when the first attempt failed behind the last one that succeeded.
CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    environment text COLLATE "C" NOT NULL REFERENCES environment (id),
    url text NOT NULL,
    types text[],
    subject text COLLATE "C" NOT NULL,
    sealed_secret text NOT NULL,
    status text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'disabled')),
    disabled_reason text,
    disabled_at timestamptz,
    failing_since timestamptz,
    told_up_to bigint NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX webhook_by_environment ON webhook (environment, id);

-- One row for each event that a webhook is told of. An attempt under way has moved `next_attempt_at` behind its
-- deadline, so that another process takes it up when the first one is gone.
CREATE TABLE webhook_delivery (
    webhook_id uuid NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    sequence bigint NOT NULL,
    event_id text NOT NULL,
    type text NOT NULL,
    subject text NOT NULL,
    status text NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'delivered', 'failed')),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz DEFAULT now(),
    last_attempt_at timestamptz,
    last_status_code integer,
    last_error text,
    PRIMARY KEY (webhook_id, sequence)
);

CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, next_attempt_at) WHERE status = 'pending';
CREATE INDEX webhook_delivery_done ON webhook_delivery (last_attempt_at) WHERE status <> 'pending';
-- The log of deliveries that are so, the newest first.
CREATE INDEX webhook_delivery_by_status ON webhook_delivery (webhook_id, status, sequence);

-- Webhooks that were deleted, for a while: a request that is repeated late does not make one anew.
CREATE TABLE webhook_deleted (
    id uuid PRIMARY KEY,
    deleted_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX webhook_deleted_old ON webhook_deleted (deleted_at);
