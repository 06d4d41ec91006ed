-- Jobs: work that a server does after its answer. Nothing in this table names a household; what may
-- is in the three tables below, which a revocation erases.
-- Breaks older servers: a revocation of theirs would leave what jobs keep of the household.
CREATE TABLE job (
    uuid             BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    kind             TEXT NOT NULL,
    state            TEXT NOT NULL
        CHECK (state IN ('waiting', 'running', 'succeeded', 'failed', 'cancelled')),
    created_by       TEXT NOT NULL CHECK (created_by IN ('researchers', 'administrators')),
    key              TEXT,
    created_at       INTEGER NOT NULL,
    attempt          INTEGER NOT NULL DEFAULT 0,
    failures         INTEGER NOT NULL DEFAULT 0,
    losses           INTEGER NOT NULL DEFAULT 0,
    run_after        INTEGER NOT NULL,
    worker           BLOB,
    lease_until      INTEGER,
    progress         INTEGER NOT NULL DEFAULT 0,
    total            INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0 CHECK (cancel_requested IN (0, 1)),
    ended_at         INTEGER,
    error            TEXT,
    erased           INTEGER NOT NULL DEFAULT 0 CHECK (erased IN (0, 1)),
    UNIQUE (created_by, key),
    -- A worker has a job exactly while it runs, and an end exactly when it has ended.
    CHECK ((state = 'running') = (worker IS NOT NULL)),
    CHECK ((worker IS NULL) = (lease_until IS NULL)),
    CHECK ((state IN ('succeeded', 'failed', 'cancelled')) = (ended_at IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX job_waiting ON job (run_after) WHERE state = 'waiting';
CREATE INDEX job_running ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_ended ON job (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX job_by_creation ON job (created_at, uuid);

-- What a job is to do, as long as it may have to be begun (again).
CREATE TABLE job_input (
    job   BLOB PRIMARY KEY REFERENCES job (uuid) ON DELETE CASCADE,
    bytes BLOB NOT NULL
) STRICT;

-- What a job found, in parts of 1 MiB.
CREATE TABLE job_result (
    job   BLOB NOT NULL REFERENCES job (uuid) ON DELETE CASCADE,
    part  INTEGER NOT NULL CHECK (part >= 0),
    bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 1 AND 1048576),
    PRIMARY KEY (job, part)
) STRICT;

-- Whom an input or a result is about: a household by its identifier, a participant by the SHA-256 of
-- the e-mail address.
CREATE TABLE job_subject (
    job      BLOB NOT NULL REFERENCES job (uuid) ON DELETE CASCADE,
    subject  BLOB NOT NULL CHECK (length(subject) IN (16, 32)),
    of_input INTEGER NOT NULL CHECK (of_input IN (0, 1)),
    PRIMARY KEY (subject, job, of_input)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_subject_by_job ON job_subject (job);
