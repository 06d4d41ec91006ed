-- Ranges and forms, with the same rules as in SQLite's schema. Each is implied by what the program
-- checks before: PostgreSQL would write a row that breaks one into its log.
ALTER TABLE participant
    ADD CHECK (length(name) BETWEEN 1 AND 200),
    ADD CHECK (length(email) <= 254 AND email LIKE '_%@_%');
ALTER TABLE address
    ADD CHECK (length(street) BETWEEN 1 AND 200),
    ADD CHECK (length(postal_code) BETWEEN 1 AND 10),
    ADD CHECK (length(city) BETWEEN 1 AND 200),
    ADD CHECK (country COLLATE "C" ~ '^[A-Z]{2}$'),
    ADD CHECK (country <> 'DE' OR postal_code COLLATE "C" ~ '^[0-9]{5}$');
ALTER TABLE metadata
    ADD CHECK (children <= 255),
    ADD CHECK (adults <= 255);
ALTER TABLE meter
    ADD CHECK (length(model) BETWEEN 1 AND 40),
    ADD CHECK (position >= 0);
-- A revocation rounds the power, to nothing where it is under half a kWp.
ALTER TABLE pv_system
    ADD CHECK (nominal_power BETWEEN 0 AND 10000),
    ADD CHECK (azimuth >= 0 AND azimuth < 360),
    ADD CHECK (tilt BETWEEN 0 AND 90),
    ADD CHECK (installed_on BETWEEN '1970-01-01' AND '2099-12-31'),
    ADD CHECK (position >= 0);

-- A household has a participant until it revokes its consent, and no address from then on.
CREATE FUNCTION household_has_a_participant() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' OR (SELECT revoked_at FROM consent WHERE household = NEW.uuid) IS NULL THEN
        RAISE EXCEPTION 'a household has a participant until it revokes its consent';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER household_has_a_participant BEFORE INSERT OR UPDATE OF participant ON household
    FOR EACH ROW WHEN (NEW.participant IS NULL) EXECUTE FUNCTION household_has_a_participant();
CREATE FUNCTION revoked_household_has_no_address() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT revoked_at FROM consent WHERE household = NEW.household) IS NOT NULL THEN
        RAISE EXCEPTION 'a household that revoked its consent has no address';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revoked_household_has_no_address BEFORE INSERT ON address
    FOR EACH ROW EXECUTE FUNCTION revoked_household_has_no_address();

-- What was measured in one household is never another's. A household that revoked its consent is
-- called something else from then on, and its meters and systems with it; its devices are nobody's.
CREATE FUNCTION revoked_household_is_renamed_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.uuid IS DISTINCT FROM OLD.released_uuid OR NEW.released_uuid IS NOT NULL
        OR (SELECT revoked_at FROM consent WHERE household = OLD.uuid) IS NULL THEN
        RAISE EXCEPTION 'a household is renamed once, as it revokes its consent';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revoked_household_is_renamed_once BEFORE UPDATE OF uuid ON household
    FOR EACH ROW WHEN (NEW.uuid <> OLD.uuid)
    EXECUTE FUNCTION revoked_household_is_renamed_once();
CREATE FUNCTION device_stays_with_its_household() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.uuid <> OLD.uuid OR NEW.household IS NOT NULL
        OR (SELECT revoked_at FROM consent WHERE household = OLD.household) IS NULL THEN
        RAISE EXCEPTION 'it stays with its household';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER device_stays_with_its_household BEFORE UPDATE OF uuid, household
    ON measurement_device FOR EACH ROW
    WHEN (NEW.household IS DISTINCT FROM OLD.household OR NEW.uuid <> OLD.uuid)
    EXECUTE FUNCTION device_stays_with_its_household();
-- A household that is not there any more was renamed: nothing else refers to what is not there.
CREATE FUNCTION stays_with_its_household() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.household <> OLD.household
            AND EXISTS (SELECT FROM household WHERE uuid = OLD.household))
        OR (NEW.uuid <> OLD.uuid AND (NEW.uuid IS DISTINCT FROM OLD.released_uuid
            OR (SELECT revoked_at FROM consent WHERE household = NEW.household) IS NULL)) THEN
        RAISE EXCEPTION 'it stays with its household';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER meter_stays_with_its_household BEFORE UPDATE OF uuid, household ON meter
    FOR EACH ROW WHEN (NEW.household <> OLD.household OR NEW.uuid <> OLD.uuid)
    EXECUTE FUNCTION stays_with_its_household();
CREATE TRIGGER pv_system_stays_with_its_household BEFORE UPDATE OF uuid, household
    ON pv_system FOR EACH ROW
    WHEN (NEW.household <> OLD.household OR NEW.uuid <> OLD.uuid)
    EXECUTE FUNCTION stays_with_its_household();
CREATE FUNCTION meter_keeps_its_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a meter stays with its household, and its number with it';
END $$;
CREATE TRIGGER meter_keeps_its_number BEFORE UPDATE OF number ON meter
    FOR EACH ROW WHEN (NEW.number <> OLD.number) EXECUTE FUNCTION meter_keeps_its_number();
