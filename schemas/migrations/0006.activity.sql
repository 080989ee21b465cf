-- What the monitor tells of itself and the others: a view that it writes and that can be lost without harm.
-- depends: 0005.webhooks

-- An environment's numbers, where it lives; under an empty name those records of a partition that were none of ours.
CREATE TABLE activity (
    environment text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    document text NOT NULL,
    PRIMARY KEY (environment, partition)
);

-- Its results by minute since 1970, where there were any: small rows, of which only those that change are written.
CREATE TABLE activity_minute (
    environment text COLLATE "C" NOT NULL,
    partition integer NOT NULL,
    minute bigint NOT NULL,
    tallies text NOT NULL,
    PRIMARY KEY (environment, partition, minute)
);

-- Up to when everything that was published on a partition is in these numbers.
CREATE TABLE activity_progress (
    partition integer PRIMARY KEY,
    as_of timestamptz NOT NULL
);

-- How many records each part had not worked off.
CREATE TABLE activity_part (
    part text NOT NULL,
    partition integer NOT NULL,
    behind bigint NOT NULL,
    measured_at timestamptz NOT NULL,
    PRIMARY KEY (part, partition)
);
