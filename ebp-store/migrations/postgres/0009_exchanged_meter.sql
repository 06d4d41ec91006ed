-- When a meter was taken down, such as for another one: nothing is expected of it from then on, and no
-- device reads it. A revocation forgets it.
ALTER TABLE meter ADD COLUMN removed_at timestamptz;
ALTER TABLE meter ADD CONSTRAINT removed_meter_has_no_device
    CHECK (removed_at IS NULL OR measurement_device IS NULL);
