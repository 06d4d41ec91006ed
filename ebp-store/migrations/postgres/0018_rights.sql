-- A device's page has a certificate of its own, requested with the same token as the device's, and a
-- sign-in code, of which only the hash is kept.
ALTER TABLE enrolment
    ADD COLUMN frontend_key bytea CHECK (length(frontend_key) = 32),
    -- Until the token is used: the device's code changes with its first use.
    ADD COLUMN sign_in_hash text CHECK (length(sign_in_hash) BETWEEN 1 AND 200),
    ALTER sign_in_hash SET STATISTICS 0;
CREATE TABLE device_sign_in (
    device uuid PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    hash   text NOT NULL CHECK (length(hash) BETWEEN 1 AND 200)
);
ALTER TABLE device_sign_in ALTER hash SET STATISTICS 0;

-- The history of registrations: what was changed, never to which value. The label is the initials of
-- who did it. Erasure copies the table, so that its numbers come from a sequence of their own.
CREATE SEQUENCE household_change_number OWNED BY NONE;
CREATE TABLE household_change (
    number     bigint PRIMARY KEY DEFAULT nextval('household_change_number'),
    household  uuid NOT NULL REFERENCES household (uuid) ON UPDATE CASCADE ON DELETE CASCADE,
    at         timestamptz NOT NULL,
    changed_by text NOT NULL CHECK (changed_by IN ('researchers', 'administrators')),
    label      text CHECK (length(label) BETWEEN 1 AND 16),
    kind       text NOT NULL,
    fields     text NOT NULL
);
CREATE INDEX household_change_by_household ON household_change (household, number);
ALTER TABLE household_change
    ALTER household SET STATISTICS 0,
    ALTER at SET STATISTICS 0,
    ALTER label SET STATISTICS 0,
    ALTER fields SET STATISTICS 0;

CREATE FUNCTION revocation_forgets_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM household_change WHERE household = NEW.household;
    DELETE FROM device_sign_in
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    UPDATE enrolment SET sign_in_hash = NULL
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_history AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL)
    EXECUTE FUNCTION revocation_forgets_history();

-- Lists of households are sorted by these, without regard to the case of ASCII letters.
CREATE INDEX participant_by_name ON participant (lower(name COLLATE "C"));
ALTER INDEX participant_by_name ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX address_by_postal_code ON address (lower(postal_code COLLATE "C"));
ALTER INDEX address_by_postal_code ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX address_by_city ON address (lower(city COLLATE "C"));
ALTER INDEX address_by_city ALTER COLUMN 1 SET STATISTICS 0;
