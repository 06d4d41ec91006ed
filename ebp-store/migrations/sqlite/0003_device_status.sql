-- What devices tell of themselves, instead of a version of the whole program: their components are
-- deployed independently (thesis 4.3.1). The last status takes the place of the one before.
--
-- Nothing of it outlives consent: versions and figures tell when somebody was at home to unplug or
-- to update a device, and are of no use once it measures no more.

ALTER TABLE measurement_device DROP COLUMN version;

CREATE TABLE measurement_device_status (
    device      BLOB PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    reported_at INTEGER NOT NULL,
    clock       TEXT CHECK (clock IN ('synchronised', 'unsynchronised')),
    -- The spool's figures: all of them or none.
    pending     INTEGER CHECK (pending >= 0),
    refused     INTEGER CHECK (refused >= 0),
    unplaced    INTEGER CHECK (unplaced >= 0),
    bytes       INTEGER CHECK (bytes >= 0),
    -- A bit each, in the order of the contract.
    notices     INTEGER NOT NULL CHECK (notices BETWEEN 0 AND 7),
    CHECK ((pending IS NULL) + (refused IS NULL) + (unplaced IS NULL) + (bytes IS NULL) IN (0, 4))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER status_is_within_consent BEFORE INSERT ON measurement_device_status
WHEN EXISTS (
    SELECT 1 FROM measurement_device LEFT JOIN consent USING (household)
    WHERE measurement_device.uuid = NEW.device
        AND (consent.household IS NULL OR consent.revoked_at IS NOT NULL)
)
BEGIN
    SELECT RAISE(ABORT, 'a device tells nothing once consent is revoked');
END;
CREATE TRIGGER revocation_forgets_status AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM measurement_device_status
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;

CREATE TABLE measurement_device_component (
    device    BLOB NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    component TEXT NOT NULL CHECK (
        length(component) BETWEEN 1 AND 32
        AND component GLOB '[a-z]*' AND component NOT GLOB '*[^a-z0-9-]*'
    ),
    version   TEXT NOT NULL CHECK (
        length(version) BETWEEN 1 AND 64 AND version NOT GLOB '*[^ -~]*'
    ),
    since     INTEGER NOT NULL,
    PRIMARY KEY (device, component)
) STRICT, WITHOUT ROWID;

-- What came from a meter by the device that reads it. The status before that had other counts is
-- kept beside the last, so that a share of damaged telegrams is seen to rise.
CREATE UNIQUE INDEX meter_is_read_by ON meter (uuid, measurement_device);
CREATE TABLE meter_reception (
    device           BLOB NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    meter            BLOB NOT NULL,
    telegrams        INTEGER NOT NULL,
    damaged          INTEGER NOT NULL CHECK (damaged BETWEEN 0 AND telegrams),
    telegrams_before INTEGER,
    damaged_before   INTEGER CHECK (damaged_before BETWEEN 0 AND telegrams_before),
    PRIMARY KEY (device, meter),
    FOREIGN KEY (meter, device) REFERENCES meter (uuid, measurement_device) ON DELETE CASCADE,
    CHECK ((telegrams_before IS NULL) = (damaged_before IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER another_device_begins_anew BEFORE UPDATE OF measurement_device ON meter
WHEN NEW.measurement_device IS NOT OLD.measurement_device
BEGIN
    DELETE FROM meter_reception WHERE device = OLD.measurement_device AND meter = OLD.uuid;
END;
