-- Roll-outs of versions of the program, and what devices say of their updates.

-- What a device last said, when it asked what it is to run.
CREATE TABLE device_update (
    device           BLOB PRIMARY KEY
        REFERENCES measurement_device (uuid) ON DELETE CASCADE CHECK (length(device) = 16),
    reported_at      INTEGER NOT NULL,
    managed          TEXT NOT NULL CHECK (managed IN ('ebp', 'flux')),
    pinned           INTEGER NOT NULL CHECK (pinned IN (0, 1)),
    phase            TEXT NOT NULL CHECK (
        phase IN ('idle', 'fetching', 'staged', 'trying', 'returning')),
    kept             TEXT CHECK (length(kept) <= 48),
    reverted_version TEXT CHECK (length(reverted_version) <= 48),
    reverted_reason  TEXT CHECK (length(reverted_reason) <= 200),
    hindrance        TEXT CHECK (length(hindrance) <= 200),
    CHECK ((reverted_version IS NULL) = (reverted_reason IS NULL))
) STRICT, WITHOUT ROWID;

-- `revision` counts the changes: each is made only of the revision that was seen.
CREATE TABLE rollout (
    uuid       BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    version    TEXT NOT NULL CHECK (length(version) BETWEEN 1 AND 48),
    -- Shares in percent, a JSON list; 0 for the devices that were named.
    steps      TEXT NOT NULL CHECK (length(steps) <= 200),
    soak       INTEGER NOT NULL CHECK (soak >= 0),
    state      TEXT NOT NULL CHECK (state IN ('running', 'halted', 'finished', 'ended')),
    halt       TEXT CHECK (halt IN ('failures', 'silence', 'administrator')),
    step       INTEGER NOT NULL CHECK (step >= 0),
    step_since INTEGER NOT NULL,
    revision   INTEGER NOT NULL CHECK (revision > 0),
    created_at INTEGER NOT NULL,
    CHECK ((state = 'halted') = (halt IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX rollout_by_begin ON rollout (created_at, uuid);
-- One at a time.
CREATE UNIQUE INDEX rollout_under_way ON rollout ((1)) WHERE state IN ('running', 'halted');

-- Devices that were named to go first, and those to which the version was offered.
CREATE TABLE rollout_device (
    rollout      BLOB NOT NULL REFERENCES rollout (uuid) ON DELETE CASCADE,
    device       BLOB NOT NULL REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    is_first     INTEGER NOT NULL DEFAULT 0 CHECK (is_first IN (0, 1)),
    step         INTEGER CHECK (step >= 0),
    offered_at   INTEGER,
    was_regular  INTEGER NOT NULL DEFAULT 0 CHECK (was_regular IN (0, 1)),
    taken_at     INTEGER,
    over_at      INTEGER,
    is_set_aside INTEGER NOT NULL DEFAULT 0 CHECK (is_set_aside IN (0, 1)),
    is_excused   INTEGER NOT NULL DEFAULT 0 CHECK (is_excused IN (0, 1)),
    PRIMARY KEY (rollout, device),
    CHECK ((step IS NULL) = (offered_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX rollout_device_by_device ON rollout_device (device);

-- Who changed what, and when; the server's own changes have nobody.
CREATE TABLE rollout_event (
    rollout  BLOB NOT NULL REFERENCES rollout (uuid) ON DELETE CASCADE,
    revision INTEGER NOT NULL CHECK (revision > 0),
    at       INTEGER NOT NULL,
    state    TEXT NOT NULL CHECK (state IN ('running', 'halted', 'finished', 'ended')),
    step     INTEGER NOT NULL CHECK (step >= 0),
    by       TEXT CHECK (length(by) BETWEEN 1 AND 64),
    PRIMARY KEY (rollout, revision)
) STRICT, WITHOUT ROWID;

-- With consent ends what a household's device says, and its part in roll-outs.
CREATE TRIGGER revocation_forgets_updates AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM device_update
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    DELETE FROM rollout_device
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;
