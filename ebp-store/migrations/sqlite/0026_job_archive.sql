-- The archive that a job makes beside its result, in parts of 1 MiB. Its parts are written while the
-- job runs, and read only when it has succeeded.
-- Breaks older servers: a revocation of theirs would leave what archives keep of the household.
CREATE TABLE job_archive (
    job   BLOB NOT NULL REFERENCES job (uuid) ON DELETE CASCADE,
    part  INTEGER NOT NULL CHECK (part >= 0),
    bytes BLOB NOT NULL CHECK (length(bytes) BETWEEN 1 AND 1048576),
    PRIMARY KEY (job, part)
) STRICT;
