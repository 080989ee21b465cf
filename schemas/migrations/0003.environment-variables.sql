-- Environment variables. `body` is the resource with its value sealed: only holders of the sealing key can open it.
-- depends: 0001.initial

CREATE TABLE environment_variable (
    environment text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    body text NOT NULL,
    PRIMARY KEY (environment, name)
);
