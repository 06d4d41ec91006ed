-- Groups of errors of devices: types and places in the program, how often and when, no text and no value.
-- Administrators are alerted of a group that no device had reported before.
-- Breaks older servers: they cannot read an alert of a kind that they do not know.

-- The groups that are known. `device` is the first that reported it. It is forgotten with its household's
-- consent; the group stays, since it says nothing of anybody.
CREATE TABLE error_group (
    fingerprint TEXT PRIMARY KEY CHECK (
        length(fingerprint) = 12 AND fingerprint NOT GLOB '*[^0-9a-f]*'
    ),
    component   TEXT NOT NULL CHECK (
        length(component) BETWEEN 1 AND 16 AND component NOT GLOB '*[^a-z]*'
    ),
    types       TEXT NOT NULL CHECK (length(types) BETWEEN 1 AND 1000),
    place       TEXT NOT NULL CHECK (length(place) BETWEEN 1 AND 180),
    known_at    INTEGER NOT NULL,
    device      BLOB REFERENCES measurement_device (uuid) ON DELETE SET NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX error_group_by_device ON error_group (device, known_at) WHERE device IS NOT NULL;

-- The groups that a device reported last.
CREATE TABLE device_error_group (
    device      BLOB NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    fingerprint TEXT NOT NULL REFERENCES error_group (fingerprint),
    count       INTEGER NOT NULL CHECK (count BETWEEN 1 AND 1000000000),
    first_seen  INTEGER NOT NULL,
    last_seen   INTEGER NOT NULL CHECK (last_seen >= first_seen),
    PRIMARY KEY (device, fingerprint)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_error_group_by_fingerprint ON device_error_group (fingerprint);

CREATE TRIGGER revocation_forgets_error_groups AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    UPDATE error_group SET device = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;

-- The same table with one more kind.
DROP TRIGGER revocation_forgets_alert_episodes;
CREATE TABLE new_alert_episode (
    uuid             BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    device           BLOB NOT NULL REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    kind             TEXT NOT NULL CHECK (kind IN
        ('silent', 'late', 'incident', 'certificate', 'damaged', 'copied-certificate', 'new-error')),
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
    (uuid, device, kind, began_at, begin_noted_at, begin_message, ended_at, end_noted_at, end_message,
     holding_instance, refused_instance)
    SELECT uuid, device, kind, began_at, begin_noted_at, begin_message, ended_at, end_noted_at,
           end_message, holding_instance, refused_instance
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
