-- Alerts: episodes of trouble with devices, and the messages by which administrators are told of them.

-- Which server watches, and since when that is done without a gap.
CREATE TABLE alert_watch (
    one            INTEGER PRIMARY KEY CHECK (one = 1),
    worker         BLOB NOT NULL CHECK (length(worker) = 16),
    term           INTEGER NOT NULL,
    lease_until    INTEGER NOT NULL,
    looked_at      INTEGER,
    watching_since INTEGER
) STRICT;

CREATE TABLE alert_message (
    uuid       BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    kind       TEXT NOT NULL CHECK (kind IN ('changes', 'digest', 'test')),
    created_at INTEGER NOT NULL,
    began      INTEGER NOT NULL CHECK (began >= 0),
    ended      INTEGER NOT NULL CHECK (ended >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_message_by_creation ON alert_message (created_at, uuid);

CREATE TABLE alert_delivery (
    message  BLOB NOT NULL REFERENCES alert_message (uuid) ON DELETE CASCADE,
    channel  TEXT NOT NULL CHECK (channel IN ('webhook', 'mail')),
    state    TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'given-up', 'dropped')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at  INTEGER NOT NULL,
    ended_at INTEGER,
    error    TEXT,
    PRIMARY KEY (message, channel),
    CHECK ((state = 'pending') = (ended_at IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX alert_delivery_pending ON alert_delivery (channel) WHERE state = 'pending';

-- One episode of a device and kind is open at most. Which message told its beginning and its end.
CREATE TABLE alert_episode (
    uuid           BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    device         BLOB NOT NULL REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    kind           TEXT NOT NULL
        CHECK (kind IN ('silent', 'late', 'incident', 'certificate', 'damaged')),
    began_at       INTEGER NOT NULL,
    begin_noted_at INTEGER NOT NULL,
    begin_message  BLOB REFERENCES alert_message (uuid),
    ended_at       INTEGER CHECK (ended_at >= began_at),
    end_noted_at   INTEGER,
    end_message    BLOB REFERENCES alert_message (uuid),
    CHECK ((ended_at IS NULL) = (end_noted_at IS NULL)),
    CHECK (end_message IS NULL OR (ended_at IS NOT NULL AND begin_message IS NOT NULL))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX alert_episode_open ON alert_episode (device, kind) WHERE ended_at IS NULL;
CREATE INDEX alert_episode_by_device ON alert_episode (device);
CREATE INDEX alert_episode_untold ON alert_episode (uuid)
    WHERE ended_at IS NULL OR begin_message IS NULL OR end_message IS NULL;
CREATE INDEX alert_episode_by_begin ON alert_episode (begin_message) WHERE begin_message IS NOT NULL;
CREATE INDEX alert_episode_by_end ON alert_episode (end_message) WHERE end_message IS NOT NULL;

-- Episodes tell when somebody was at home to unplug a device: none outlives consent.
CREATE TRIGGER revocation_forgets_alert_episodes AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM alert_episode
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;
