-- Jobs: work that a server does after its answer. Nothing in this table names a household; what may
-- is in the three tables below, which a revocation erases.
-- Breaks older servers: a revocation of theirs would leave what jobs keep of the household.
CREATE TABLE job (
    uuid             uuid PRIMARY KEY,
    kind             text NOT NULL,
    state            text NOT NULL
        CHECK (state IN ('waiting', 'running', 'succeeded', 'failed', 'cancelled')),
    created_by       text NOT NULL CHECK (created_by IN ('researchers', 'administrators')),
    key              text,
    created_at       timestamptz NOT NULL,
    attempt          bigint NOT NULL DEFAULT 0,
    failures         bigint NOT NULL DEFAULT 0,
    losses           bigint NOT NULL DEFAULT 0,
    run_after        timestamptz NOT NULL,
    worker           uuid,
    lease_until      timestamptz,
    progress         bigint NOT NULL DEFAULT 0,
    total            bigint,
    cancel_requested boolean NOT NULL DEFAULT false,
    ended_at         timestamptz,
    error            text,
    erased           boolean NOT NULL DEFAULT false,
    UNIQUE (created_by, key),
    -- A worker has a job exactly while it runs, and an end exactly when it has ended.
    CHECK ((state = 'running') = (worker IS NOT NULL)),
    CHECK ((worker IS NULL) = (lease_until IS NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (ended_at IS NOT NULL))
) WITH (fillfactor = 70); -- a running job's lease is renewed every few seconds
CREATE INDEX job_waiting ON job (run_after) WHERE state = 'waiting';
CREATE INDEX job_running ON job (uuid) WHERE state = 'running';
CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX job_by_creation ON job (created_at, uuid);

-- What a job is to do, as long as it may have to be begun (again).
CREATE TABLE job_input (
    job   uuid PRIMARY KEY REFERENCES job (uuid) ON DELETE CASCADE,
    bytes bytea NOT NULL
);

-- What a job found, in parts of 1 MiB.
CREATE TABLE job_result (
    job   uuid NOT NULL REFERENCES job (uuid) ON DELETE CASCADE,
    part  bigint NOT NULL CHECK (part >= 0),
    bytes bytea NOT NULL CHECK (length(bytes) BETWEEN 1 AND 1048576),
    PRIMARY KEY (job, part)
);

-- Whom an input or a result is about: a household by its identifier, a participant by the SHA-256 of
-- the e-mail address.
CREATE TABLE job_subject (
    job      uuid NOT NULL REFERENCES job (uuid) ON DELETE CASCADE,
    subject  bytea NOT NULL CHECK (length(subject) IN (16, 32)),
    of_input boolean NOT NULL,
    PRIMARY KEY (subject, job, of_input)
);
CREATE INDEX job_subject_by_job ON job_subject (job);
ALTER TABLE job_input ALTER bytes SET STATISTICS 0;
ALTER TABLE job_result ALTER bytes SET STATISTICS 0;
ALTER TABLE job_subject ALTER subject SET STATISTICS 0;
