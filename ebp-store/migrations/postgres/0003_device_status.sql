-- What devices tell of themselves, with the same rules as in SQLite's schema: instead of a version
-- of the whole program that of each component, which are deployed independently (thesis 4.3.1).
-- The last status takes the place of the one before.
--
-- Nothing of it outlives consent: versions and figures tell when somebody was at home to unplug or
-- to update a device, and are of no use once it measures no more.

ALTER TABLE measurement_device DROP COLUMN version;

CREATE TABLE measurement_device_status (
    device      uuid PRIMARY KEY REFERENCES measurement_device (uuid) ON DELETE CASCADE,
    reported_at timestamptz NOT NULL,
    clock       text CHECK (clock IN ('synchronised', 'unsynchronised')),
    -- The spool's figures: all of them or none.
    pending     bigint CHECK (pending >= 0),
    refused     bigint CHECK (refused >= 0),
    unplaced    bigint CHECK (unplaced >= 0),
    bytes       bigint CHECK (bytes >= 0),
    -- A bit each, in the order of the contract.
    notices     smallint NOT NULL CHECK (notices BETWEEN 0 AND 7),
    CHECK (num_nulls(pending, refused, unplaced, bytes) IN (0, 4))
) WITH (fillfactor = 70); -- told again every hour: on the same page, no index touched
CREATE FUNCTION status_is_within_consent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM measurement_device LEFT JOIN consent USING (household)
               WHERE measurement_device.uuid = NEW.device
                   AND (consent.household IS NULL OR consent.revoked_at IS NOT NULL)) THEN
        RAISE EXCEPTION 'a device tells nothing once consent is revoked';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER status_is_within_consent BEFORE INSERT ON measurement_device_status
    FOR EACH ROW EXECUTE FUNCTION status_is_within_consent();
CREATE FUNCTION revocation_forgets_status() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM measurement_device_status
    WHERE device IN (SELECT uuid FROM measurement_device WHERE household = NEW.household);
    RETURN NULL;
END $$;
CREATE TRIGGER revocation_forgets_status AFTER UPDATE OF revoked_at ON consent
    FOR EACH ROW WHEN (NEW.revoked_at IS NOT NULL) EXECUTE FUNCTION revocation_forgets_status();

CREATE TABLE measurement_device_component (
    device    uuid NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    component text NOT NULL CHECK (component COLLATE "C" ~ '^[a-z][a-z0-9-]{0,31}$'),
    version   text NOT NULL CHECK (version COLLATE "C" ~ '^[ -~]{1,64}$'),
    since     timestamptz NOT NULL,
    PRIMARY KEY (device, component)
);

-- What came from a meter by the device that reads it. The status before that had other counts is
-- kept beside the last, so that a share of damaged telegrams is seen to rise.
CREATE UNIQUE INDEX meter_is_read_by ON meter (uuid, measurement_device);
CREATE TABLE meter_reception (
    device           uuid NOT NULL REFERENCES measurement_device_status (device) ON DELETE CASCADE,
    meter            uuid NOT NULL,
    telegrams        bigint NOT NULL,
    damaged          bigint NOT NULL CHECK (damaged BETWEEN 0 AND telegrams),
    telegrams_before bigint,
    damaged_before   bigint CHECK (damaged_before BETWEEN 0 AND telegrams_before),
    PRIMARY KEY (device, meter),
    FOREIGN KEY (meter, device) REFERENCES meter (uuid, measurement_device) ON DELETE CASCADE,
    CHECK (num_nulls(telegrams_before, damaged_before) IN (0, 2))
) WITH (fillfactor = 70);
CREATE FUNCTION another_device_begins_anew() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM meter_reception WHERE device = OLD.measurement_device AND meter = OLD.uuid;
    RETURN NEW;
END $$;
CREATE TRIGGER another_device_begins_anew BEFORE UPDATE OF measurement_device ON meter
    FOR EACH ROW WHEN (NEW.measurement_device IS DISTINCT FROM OLD.measurement_device)
    EXECUTE FUNCTION another_device_begins_anew();
