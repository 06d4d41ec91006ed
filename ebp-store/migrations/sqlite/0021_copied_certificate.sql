-- By which way consent was granted, how long devices speak on after a revocation, alerts of copied
-- certificates, sessions that an administrator ends, and host keys of devices.
-- Breaks older servers: they cannot read an alert of a kind that they do not know.

-- By which kind of identity consent was granted. A revocation erases it with the language.
ALTER TABLE consent ADD COLUMN granted_through TEXT
    CHECK (granted_through IN ('page', 'device', 'certificate', 'token'));
CREATE TRIGGER revocation_forgets_channel AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    UPDATE consent SET granted_through = NULL WHERE household = NEW.household;
END;

-- For how many hours a device was seen to speak since it was told that consent is revoked: a duration,
-- since an instant would say when consent was revoked.
ALTER TABLE fleet_device ADD COLUMN told_hours INTEGER NOT NULL DEFAULT 0
    CHECK (told_hours BETWEEN 0 AND 24);

-- The run of a device's program that was refused in the last conflict.
ALTER TABLE tunnel ADD COLUMN conflict_instance BLOB CHECK (length(conflict_instance) = 16);
CREATE INDEX tunnel_by_conflict ON tunnel (conflict_at) WHERE conflict_at IS NOT NULL;

-- The same table with one more kind, and with the runs of the device's program that use one certificate:
-- the one that has the tunnel, and the other one.
DROP TRIGGER revocation_forgets_alert_episodes;
CREATE TABLE new_alert_episode (
    uuid             BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    device           BLOB NOT NULL REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    kind             TEXT NOT NULL CHECK (kind IN
        ('silent', 'late', 'incident', 'certificate', 'damaged', 'copied-certificate')),
    began_at         INTEGER NOT NULL,
    begin_noted_at   INTEGER NOT NULL,
    begin_message    BLOB REFERENCES alert_message (uuid),
    ended_at         INTEGER CHECK (ended_at >= began_at),
    end_noted_at     INTEGER,
    end_message      BLOB REFERENCES alert_message (uuid),
    holding_instance BLOB CHECK (length(holding_instance) = 16),
    refused_instance BLOB CHECK (length(refused_instance) = 16),
    CHECK ((ended_at IS NULL) = (end_noted_at IS NULL)),
    CHECK (end_message IS NULL OR (ended_at IS NOT NULL AND begin_message IS NOT NULL)),
    CHECK ((kind = 'copied-certificate')
           = (holding_instance IS NOT NULL AND refused_instance IS NOT NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO new_alert_episode
    (uuid, device, kind, began_at, begin_noted_at, begin_message, ended_at, end_noted_at, end_message)
    SELECT uuid, device, kind, began_at, begin_noted_at, begin_message, ended_at, end_noted_at,
           end_message
    FROM alert_episode;
DROP TABLE alert_episode;
ALTER TABLE new_alert_episode RENAME TO alert_episode;
CREATE UNIQUE INDEX alert_episode_open ON alert_episode (device, kind) WHERE ended_at IS NULL;
CREATE INDEX alert_episode_by_device ON alert_episode (device);
CREATE INDEX alert_episode_untold ON alert_episode (uuid)
    WHERE ended_at IS NULL OR begin_message IS NULL OR end_message IS NULL;
CREATE INDEX alert_episode_by_begin ON alert_episode (begin_message) WHERE begin_message IS NOT NULL;
CREATE INDEX alert_episode_by_end ON alert_episode (end_message) WHERE end_message IS NOT NULL;
CREATE TRIGGER revocation_forgets_alert_episodes AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM alert_episode
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;

-- Who asked for the end of a session.
ALTER TABLE tunnel_session ADD COLUMN end_asked_by TEXT
    CHECK (length(end_asked_by) BETWEEN 1 AND 64);

-- The public keys of a device's sshd, one a line.
ALTER TABLE measurement_device_status ADD COLUMN host_keys TEXT CHECK (length(host_keys) <= 8192);

-- The person who connects to devices by a certificate.
ALTER TABLE authority_certificate ADD COLUMN administrator TEXT
    CHECK (length(administrator) BETWEEN 1 AND 64);
