-- A device's page has a certificate of its own, requested with the same token as the device's, and a
-- sign-in code, of which only the hash is kept.
ALTER TABLE enrolment ADD COLUMN frontend_key BLOB CHECK (length(frontend_key) = 32);
-- Until the token is used: the device's code changes with its first use.
ALTER TABLE enrolment ADD COLUMN sign_in_hash TEXT CHECK (length(sign_in_hash) BETWEEN 1 AND 200);
CREATE TABLE device_sign_in (
    device BLOB PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    hash   TEXT NOT NULL CHECK (length(hash) BETWEEN 1 AND 200)
) STRICT, WITHOUT ROWID;

-- The history of registrations: what was changed, never to which value. The label is the initials of
-- who did it.
CREATE TABLE household_change (
    number     INTEGER PRIMARY KEY,
    household  BLOB NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    at         INTEGER NOT NULL,
    changed_by TEXT NOT NULL CHECK (changed_by IN ('researchers', 'administrators')),
    label      TEXT CHECK (length(label) BETWEEN 1 AND 16),
    kind       TEXT NOT NULL,
    fields     TEXT NOT NULL
) STRICT;
CREATE INDEX household_change_by_household ON household_change (household, number);

CREATE TRIGGER revocation_forgets_history AFTER UPDATE OF revoked_at ON consent
WHEN NEW.revoked_at IS NOT NULL
BEGIN
    DELETE FROM household_change WHERE household = NEW.household;
    DELETE FROM device_sign_in
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    UPDATE enrolment SET sign_in_hash = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
END;

-- Lists of households are sorted by these.
CREATE INDEX participant_by_name ON participant (name COLLATE NOCASE);
CREATE INDEX address_by_postal_code ON address (postal_code COLLATE NOCASE);
CREATE INDEX address_by_city ON address (city COLLATE NOCASE);
