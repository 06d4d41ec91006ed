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

-- What was measured in one household is never another's.
CREATE TRIGGER device_stays_with_its_household BEFORE UPDATE OF uuid, household
ON measurement_device
WHEN NEW.household IS NOT OLD.household OR NEW.uuid IS NOT OLD.uuid
BEGIN
    SELECT RAISE(ABORT, 'it stays with its household');
END;
CREATE TRIGGER meter_stays_with_its_household BEFORE UPDATE OF uuid, household, number ON meter
WHEN NEW.household IS NOT OLD.household OR NEW.uuid IS NOT OLD.uuid
    OR NEW.number IS NOT OLD.number
BEGIN
    SELECT RAISE(ABORT, 'it stays with its household');
END;
CREATE TRIGGER pv_system_stays_with_its_household BEFORE UPDATE OF uuid, household ON pv_system
WHEN NEW.household IS NOT OLD.household OR NEW.uuid IS NOT OLD.uuid
BEGIN
    SELECT RAISE(ABORT, 'it stays with its household');
END;
