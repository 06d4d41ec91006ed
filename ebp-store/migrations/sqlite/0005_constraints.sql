-- Who belongs to whom, for ever.

-- A household has a participant until it revokes its consent, and no address from then on.
CREATE TRIGGER household_begins_with_a_participant BEFORE INSERT ON household
WHEN NEW.participant IS NULL
BEGIN
    SELECT RAISE(ABORT, 'a household begins with a participant');
END;
CREATE TRIGGER household_keeps_a_participant BEFORE UPDATE OF participant ON household
WHEN NEW.participant IS NULL
    AND (SELECT revoked_at FROM consent WHERE household = NEW.uuid) IS NULL
BEGIN
    SELECT RAISE(ABORT, 'a household has a participant until it revokes its consent');
END;
CREATE TRIGGER revoked_household_has_no_address BEFORE INSERT ON address
WHEN (SELECT revoked_at FROM consent WHERE household = NEW.household) IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a household that revoked its consent has no address');
END;

-- What was measured in one household is never another's. A household that revoked its consent is
-- called something else from then on, and its meters and systems with it; its devices are nobody's.
CREATE TRIGGER revoked_household_is_renamed_once BEFORE UPDATE OF uuid ON household
WHEN NEW.uuid IS NOT OLD.uuid AND (
    NEW.uuid IS NOT OLD.released_uuid OR NEW.released_uuid IS NOT NULL
    OR (SELECT revoked_at FROM consent WHERE household = OLD.uuid) IS NULL
)
BEGIN
    SELECT RAISE(ABORT, 'a household is renamed once, as it revokes its consent');
END;
CREATE TRIGGER device_stays_with_its_household BEFORE UPDATE OF uuid, household
ON measurement_device
WHEN NEW.uuid IS NOT OLD.uuid OR (NEW.household IS NOT OLD.household AND (
    NEW.household IS NOT NULL
    OR (SELECT revoked_at FROM consent WHERE household = OLD.household) IS NULL
))
BEGIN
    SELECT RAISE(ABORT, 'it stays with its household');
END;
-- A household that is not there any more was renamed: nothing else refers to what is not there.
CREATE TRIGGER meter_stays_with_its_household BEFORE UPDATE OF uuid, household, number ON meter
WHEN NEW.number IS NOT OLD.number
    OR (NEW.household IS NOT OLD.household
        AND EXISTS (SELECT 1 FROM household WHERE uuid = OLD.household))
    OR (NEW.uuid IS NOT OLD.uuid AND (NEW.uuid IS NOT OLD.released_uuid
        OR (SELECT revoked_at FROM consent WHERE household = NEW.household) IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'it stays with its household');
END;
CREATE TRIGGER pv_system_stays_with_its_household BEFORE UPDATE OF uuid, household ON pv_system
WHEN (NEW.household IS NOT OLD.household
        AND EXISTS (SELECT 1 FROM household WHERE uuid = OLD.household))
    OR (NEW.uuid IS NOT OLD.uuid AND (NEW.uuid IS NOT OLD.released_uuid
        OR (SELECT revoked_at FROM consent WHERE household = NEW.household) IS NULL))
BEGIN
    SELECT RAISE(ABORT, 'it stays with its household');
END;
