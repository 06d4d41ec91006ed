-- Measurements that the server has not confirmed yet, in the order in which they were stored.
CREATE TABLE measurement (
    sequence    INTEGER PRIMARY KEY,
    uuid        BLOB NOT NULL UNIQUE,
    meter       BLOB NOT NULL,
    measured_at TEXT NOT NULL,
    data        TEXT NOT NULL
) STRICT;

-- The time in which each meter has been measured, in seconds since the Unix epoch: slots that
-- adjoin are one row, so that years fit into a row for each gap. It outlives the measurements:
-- no slot is measured twice, not even after its measurement was sent.
CREATE TABLE measured (
    meter  BLOB NOT NULL,
    start  INTEGER NOT NULL,
    finish INTEGER NOT NULL,
    PRIMARY KEY (meter, start),
    CHECK (start < finish)
) STRICT, WITHOUT ROWID;

-- Measurements that the server will not have.
CREATE TABLE refused (
    uuid        BLOB NOT NULL PRIMARY KEY,
    meter       BLOB NOT NULL,
    measured_at TEXT NOT NULL,
    data        TEXT NOT NULL,
    reason      TEXT NOT NULL,
    refused_at  TEXT NOT NULL
) STRICT;

-- The household's consent as last heard. `wiped` says that no trace of measurements is left in the
-- files after a revocation.
CREATE TABLE consent (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    state TEXT NOT NULL CHECK (state IN ('not-granted', 'granted', 'revoked')),
    as_of TEXT NOT NULL,
    wiped INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TRIGGER revoked_is_final BEFORE UPDATE OF state ON consent
WHEN OLD.state = 'revoked' AND NEW.state <> 'revoked'
BEGIN SELECT RAISE(ABORT, 'consent is revoked for good'); END;

CREATE TRIGGER revoked_is_kept BEFORE DELETE ON consent
WHEN OLD.state = 'revoked'
BEGIN SELECT RAISE(ABORT, 'consent is revoked for good'); END;

CREATE TRIGGER revoked_stores_nothing BEFORE INSERT ON measurement
WHEN EXISTS (SELECT 1 FROM consent WHERE state = 'revoked')
BEGIN SELECT RAISE(ABORT, 'consent is revoked for good'); END;
