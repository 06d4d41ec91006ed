-- Breaks older programs: they insert with `ON CONFLICT (uuid)`, which needs the index that goes.

-- The uuid needs no index of its own: it follows from meter and slot, which `measured` keeps apart,
-- and each index is one page more to write with each measurement.
CREATE TABLE waiting (
    sequence    INTEGER PRIMARY KEY,
    uuid        BLOB NOT NULL,
    meter       BLOB NOT NULL,
    measured_at TEXT NOT NULL,
    data        TEXT NOT NULL,
    flags       TEXT NOT NULL DEFAULT ''
) STRICT;
INSERT INTO waiting (sequence, uuid, meter, measured_at, data)
SELECT sequence, uuid, meter, measured_at, data FROM measurement;
DROP TABLE measurement;
ALTER TABLE waiting RENAME TO measurement;

CREATE TRIGGER revoked_stores_nothing BEFORE INSERT ON measurement
WHEN EXISTS (SELECT 1 FROM consent WHERE state = 'revoked')
BEGIN SELECT RAISE(ABORT, 'consent is revoked for good'); END;

ALTER TABLE refused ADD COLUMN flags TEXT NOT NULL DEFAULT '';

-- What each meter last showed, and how well it is read since the server was last told.
-- `anchor_seconds` is the meter's own seconds index at `anchor_at`, the last instant that is exact.
CREATE TABLE reading (
    meter          BLOB NOT NULL PRIMARY KEY,
    measured_at    TEXT,
    data           TEXT,
    anchor_at      TEXT,
    anchor_seconds INTEGER,
    good           INTEGER NOT NULL DEFAULT 0,
    damaged        INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

-- Measurements of a time that was not known when they were taken: by the clock that counts from the
-- machine's start (`monotonic`, microseconds), and where the meter has one by its own. `before_*` is
-- the meter's last exact instant with its seconds index then. A `reason` says why the time stays
-- unknown.
CREATE TABLE unplaced (
    sequence       INTEGER PRIMARY KEY,
    boot           BLOB NOT NULL,
    monotonic      INTEGER NOT NULL,
    meter          BLOB NOT NULL,
    seconds        INTEGER,
    data           TEXT NOT NULL,
    flags          TEXT NOT NULL,
    before_at      TEXT,
    before_seconds INTEGER,
    reason         TEXT
) STRICT;

CREATE TRIGGER revoked_stores_nothing_unplaced BEFORE INSERT ON unplaced
WHEN EXISTS (SELECT 1 FROM consent WHERE state = 'revoked')
BEGIN SELECT RAISE(ABORT, 'consent is revoked for good'); END;

-- Trouble with meters: what the device sees (`present`, unknown before it looked), what the server
-- holds (`told`: 1 open, 0 ended, 2 told and not answered yet, unknown before), and whether a trouble
-- has come and gone of which the server has not heard (`missed`). `first_at` and `last_at` are its
-- first and last failure as far as the time was known, `failures` how many there were.
CREATE TABLE incident (
    meter   BLOB NOT NULL,
    kind    TEXT NOT NULL,
    present INTEGER,
    told    INTEGER,
    missed  INTEGER NOT NULL DEFAULT 0,
    since   TEXT NOT NULL,
    first_at TEXT,
    last_at  TEXT,
    failures INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (meter, kind)
) STRICT, WITHOUT ROWID;

-- What the device's keepers should know, until the server was told: each kind once.
CREATE TABLE notice (
    kind     TEXT NOT NULL PRIMARY KEY,
    noted_at TEXT NOT NULL,
    detail   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What an engine has to know after a restart, by its own name.
CREATE TABLE memory (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
