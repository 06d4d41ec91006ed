-- The survey's entities (thesis figures 4.2 to 4.7). Instants are microseconds since the Unix
-- epoch, identifiers the 16 octets of a UUID, decimals and dates their texts.
--
-- `released_uuid` is what a household, meter or photovoltaic system is called once consent is
-- revoked: drawn as it is registered, so that a backup that is put back gives the same one again, and
-- shown to nobody before. From then on nothing here holds what it was called before. Tables whose
-- rows live on have no row numbers, which would tell in which order households were registered.

-- Certificates carry the uuid beside the e-mail address. With another address it is another one, so
-- that no certificate acts for the next holder of an address. It stands in no other table.
CREATE TABLE participant (
    id    INTEGER PRIMARY KEY,
    uuid  BLOB NOT NULL UNIQUE DEFAULT (randomblob(16)) CHECK (length(uuid) = 16),
    name  TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email TEXT NOT NULL COLLATE NOCASE UNIQUE
          CHECK (length(email) <= 254 AND email LIKE '_%@_%')
) STRICT;
CREATE TRIGGER another_email_is_another_uuid BEFORE UPDATE OF email, uuid ON participant
WHEN NEW.email <> OLD.email AND NEW.uuid = OLD.uuid
BEGIN
    SELECT RAISE(ABORT, 'with another e-mail address a participant has another uuid');
END;

-- The participant is absent once consent is revoked. A withheld household is shown to nobody: its
-- location is gone and a masked one is not there yet.
CREATE TABLE household (
    uuid          BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    participant   INTEGER REFERENCES participant (id),
    withheld      INTEGER NOT NULL DEFAULT 0 CHECK (withheld IN (0, 1)),
    registered_at INTEGER NOT NULL,
    released_uuid BLOB UNIQUE CHECK (length(released_uuid) = 16)
) STRICT, WITHOUT ROWID;
CREATE INDEX household_by_participant ON household (participant);

CREATE TABLE address (
    household   BLOB PRIMARY KEY REFERENCES household (uuid),
    street      TEXT NOT NULL CHECK (length(street) BETWEEN 1 AND 200),
    postal_code TEXT NOT NULL CHECK (length(postal_code) BETWEEN 1 AND 10),
    city        TEXT NOT NULL CHECK (length(city) BETWEEN 1 AND 200),
    country     TEXT NOT NULL CHECK (country GLOB '[A-Z][A-Z]'),
    CHECK (country <> 'DE' OR postal_code GLOB '[0-9][0-9][0-9][0-9][0-9]')
) STRICT;

CREATE TABLE location (
    household BLOB PRIMARY KEY REFERENCES household (uuid),
    latitude  REAL NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude REAL NOT NULL CHECK (longitude BETWEEN -180 AND 180)
) STRICT, WITHOUT ROWID;

CREATE TABLE metadata (
    household                BLOB PRIMARY KEY REFERENCES household (uuid) ON UPDATE CASCADE,
    children                 INTEGER NOT NULL CHECK (children BETWEEN 0 AND 255),
    adults                   INTEGER NOT NULL CHECK (adults BETWEEN 0 AND 255),
    adults_with_job          INTEGER NOT NULL CHECK (adults_with_job BETWEEN 0 AND adults),
    electric_vehicle_charger INTEGER NOT NULL CHECK (electric_vehicle_charger IN (0, 1)),
    heat_pump                INTEGER NOT NULL CHECK (heat_pump IN (0, 1)),
    home_battery             INTEGER NOT NULL CHECK (home_battery IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Consent: not granted, granted, revoked; each step once, for ever. Revoking leaves the months.
CREATE TABLE consent (
    household  BLOB PRIMARY KEY REFERENCES household (uuid) ON UPDATE CASCADE,
    granted_at INTEGER,
    revoked_at INTEGER,
    CHECK (revoked_at IS NULL OR (granted_at IS NOT NULL AND revoked_at >= granted_at))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER consent_begins_not_granted BEFORE INSERT ON consent
WHEN NEW.granted_at IS NOT NULL OR NEW.revoked_at IS NOT NULL
    OR EXISTS (SELECT 1 FROM consent WHERE household = NEW.household)
BEGIN
    SELECT RAISE(ABORT, 'consent begins not granted, once');
END;
CREATE TRIGGER consent_is_one_way BEFORE UPDATE ON consent
WHEN (NEW.household IS NOT OLD.household
        AND EXISTS (SELECT 1 FROM household WHERE uuid = OLD.household))
    OR (OLD.granted_at IS NOT NULL AND NEW.granted_at IS NOT OLD.granted_at
        AND NOT coalesce(OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL
            AND NEW.granted_at <= OLD.granted_at, 0))
    OR (OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS NOT OLD.revoked_at)
BEGIN
    SELECT RAISE(ABORT, 'consent is granted once and revoked once');
END;
CREATE TRIGGER consent_is_kept BEFORE DELETE ON consent
BEGIN
    SELECT RAISE(ABORT, 'consent is kept for ever');
END;
-- Revoking detaches the participant; nobody is attached again.
CREATE TRIGGER revoked_household_has_no_participant BEFORE UPDATE OF participant ON household
WHEN NEW.participant IS NOT NULL
    AND (SELECT revoked_at FROM consent WHERE household = NEW.uuid) IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a household that revoked its consent has no participant');
END;

-- A device without a household is one of a household that revoked its consent: nothing says of which.
CREATE TABLE measurement_device (
    uuid          BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    household     BLOB REFERENCES household (uuid),
    version       TEXT,
    last_activity INTEGER,
    UNIQUE (uuid, household)
) STRICT;
CREATE INDEX measurement_device_by_household ON measurement_device (household);

-- A meter's device is one of the same household.
CREATE TABLE meter (
    uuid               BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    household          BLOB NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE,
    type               TEXT NOT NULL CHECK (type IN ('ELECTRICITY', 'PV-GENERATION')),
    model              TEXT NOT NULL CHECK (length(model) BETWEEN 1 AND 40),
    measurement_device BLOB,
    position           INTEGER NOT NULL CHECK (position >= 0),
    -- What its measurements know it by: each of its bytes is written for each of them. It is drawn
    -- at random and does not tell when the meter was registered. A number is given again only if its
    -- meter was removed, which one with measurements never is.
    number             INTEGER PRIMARY KEY CHECK (number BETWEEN 1 AND 2147483647),
    released_uuid      BLOB UNIQUE CHECK (length(released_uuid) = 16),
    UNIQUE (uuid, household),
    FOREIGN KEY (measurement_device, household) REFERENCES measurement_device (uuid, household)
) STRICT;
CREATE INDEX meter_by_household ON meter (household);
CREATE INDEX meter_by_device ON meter (measurement_device);

-- A system's meter is one of the same household that counts generation.
CREATE TABLE pv_system (
    uuid          BLOB PRIMARY KEY CHECK (length(uuid) = 16),
    household     BLOB NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE,
    nominal_power TEXT NOT NULL CHECK (CAST(nominal_power AS REAL) BETWEEN 0 AND 10000),
    azimuth       TEXT NOT NULL
                  CHECK (CAST(azimuth AS REAL) BETWEEN 0 AND 360 AND azimuth NOT GLOB '360*'),
    tilt          TEXT NOT NULL CHECK (CAST(tilt AS REAL) BETWEEN 0 AND 90),
    installed_on  TEXT NOT NULL
                  CHECK (installed_on IS date(installed_on)
                      AND installed_on BETWEEN '1970-01-01' AND '2099-12-31'),
    meter         BLOB,
    position      INTEGER NOT NULL CHECK (position >= 0),
    released_uuid BLOB UNIQUE CHECK (length(released_uuid) = 16),
    -- A revocation rounds the power, to nothing where it is under half a kWp. Casting reads what
    -- a text begins with: so that nothing else follows.
    CHECK (nominal_power || azimuth || tilt NOT GLOB '*[^-0-9.]*'
        AND min(length(nominal_power), length(azimuth), length(tilt)) > 0),
    FOREIGN KEY (meter, household) REFERENCES meter (uuid, household) ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX pv_system_by_household ON pv_system (household);
CREATE INDEX pv_system_by_meter ON pv_system (meter);
CREATE TRIGGER pv_system_has_a_generation_meter BEFORE INSERT ON pv_system
WHEN NEW.meter IS NOT NULL
    AND (SELECT type FROM meter WHERE uuid = NEW.meter) IS NOT 'PV-GENERATION'
BEGIN
    SELECT RAISE(ABORT, 'the meter of a photovoltaic system counts generation');
END;

-- What a device measures has no uuid here: it follows from meter and slot, which are there once. The
-- measurement was taken within the slot, which lasts 24 hours at most. Whatever has another
-- identifier keeps it, which is there once over all meters, and its time is its slot. Rows lie in the
-- order of slots: a meter's year is one stretch of pages, and what a device measures is written to
-- this one tree.
CREATE TABLE measurement (
    meter       INTEGER NOT NULL REFERENCES meter (number),
    slot        INTEGER NOT NULL,
    uuid        BLOB NOT NULL DEFAULT x'' CHECK (length(uuid) IN (0, 16)),
    measured_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    data        TEXT NOT NULL CHECK (json_valid(data)),
    PRIMARY KEY (meter, slot, uuid),
    CHECK (measured_at - slot BETWEEN 0 AND iif(uuid = x'', 86399999999, 0))
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX measurement_of_other ON measurement (uuid) WHERE uuid <> x'';
-- How many of a meter's measurements take no slot of the survey's cycle, by their source (0 a device,
-- 1 a bearer token): what its quota is counted by. There is one measurement of each slot; those are
-- not counted.
CREATE TABLE measurement_quota (
    meter  INTEGER NOT NULL REFERENCES meter (number) ON DELETE CASCADE,
    source INTEGER NOT NULL CHECK (source IN (0, 1)),
    used   INTEGER NOT NULL DEFAULT 0 CHECK (used >= 0),
    PRIMARY KEY (meter, source)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER measurement_is_within_consent BEFORE INSERT ON measurement
WHEN NOT EXISTS (
    SELECT 1 FROM meter JOIN consent USING (household)
    WHERE meter.number = NEW.meter AND consent.revoked_at IS NULL
        AND NEW.measured_at >= consent.granted_at
)
BEGIN
    SELECT RAISE(ABORT, 'a measurement lies within consent');
END;
CREATE TRIGGER measurement_never_changes BEFORE UPDATE ON measurement
BEGIN
    SELECT RAISE(ABORT, 'a measurement never changes');
END;
