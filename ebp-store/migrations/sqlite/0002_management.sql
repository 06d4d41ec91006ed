-- Incidents, enrolment, certificates that servers issued, tries at shared secrets.

-- Of each type a meter has one at most; reported again it is open again (thesis 4.6.3).
CREATE TABLE incident (
    meter       BLOB NOT NULL REFERENCES meter (uuid),
    type        TEXT NOT NULL CHECK (type IN ('SERIAL-PORT-UNAVAILABLE', 'OBIS-CODES-UNAVAILABLE')),
    reported_at INTEGER NOT NULL,
    resolved_at INTEGER CHECK (resolved_at >= reported_at),
    PRIMARY KEY (meter, type)
) STRICT, WITHOUT ROWID;

CREATE INDEX household_by_registration ON household (registered_at, uuid);

-- A photovoltaic system's meter stays one that counts generation.
CREATE TRIGGER pv_system_keeps_a_generation_meter BEFORE UPDATE OF meter ON pv_system
WHEN NEW.meter IS NOT NULL
    AND (SELECT type FROM meter WHERE uuid = NEW.meter) IS NOT 'PV-GENERATION'
BEGIN
    SELECT RAISE(ABORT, 'the meter of a photovoltaic system counts generation');
END;
CREATE TRIGGER meter_of_a_pv_system_counts_generation BEFORE UPDATE OF type ON meter
WHEN NEW.type IS NOT 'PV-GENERATION' AND EXISTS (SELECT 1 FROM pv_system WHERE meter = NEW.uuid)
BEGIN
    SELECT RAISE(ABORT, 'the meter of a photovoltaic system counts generation');
END;

-- One-time tokens, as their SHA-256. The key is that of the public key a token was used for.
CREATE TABLE enrolment (
    token      BLOB PRIMARY KEY CHECK (length(token) = 32),
    device     BLOB NOT NULL REFERENCES measurement_device (uuid),
    scopes     TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    key        BLOB CHECK (length(key) = 32)
) STRICT, WITHOUT ROWID;
CREATE INDEX enrolment_by_device ON enrolment (device);

-- No e-mail address: it has to vanish when consent is revoked.
CREATE TABLE certificate (
    serial     BLOB PRIMARY KEY CHECK (length(serial) = 16),
    device     BLOB REFERENCES measurement_device (uuid),
    scopes     TEXT NOT NULL,
    -- SHA-256 of its public key, and the certificate that it was renewed by; for those that servers
    -- issued.
    key        BLOB CHECK (length(key) = 32),
    renewed_by BLOB CHECK (length(renewed_by) = 16),
    not_before INTEGER NOT NULL,
    not_after  INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_by_device ON certificate (device, not_before, serial);
CREATE TRIGGER certificate_is_revoked_for_good BEFORE UPDATE ON certificate
WHEN OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at
BEGIN
    SELECT RAISE(ABORT, 'a certificate is revoked for good');
END;

-- Failed tries at the shared secrets, by address and by network, and when the last one was.
CREATE TABLE secret_try (
    source TEXT PRIMARY KEY,
    last   INTEGER NOT NULL,
    tries  INTEGER NOT NULL CHECK (tries >= 0)
) STRICT, WITHOUT ROWID;
