-- When a meter was taken down, such as for another one: nothing is expected of it from then on, and no
-- device reads it. A revocation forgets it.
ALTER TABLE meter ADD COLUMN removed_at INTEGER;
CREATE TRIGGER removed_meter_has_no_device BEFORE UPDATE OF removed_at, measurement_device ON meter
WHEN NEW.removed_at IS NOT NULL AND NEW.measurement_device IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'a meter that was taken down is read by no device');
END;
