-- A device of a household that revoked its consent, which sends requests a day and more after it was told
-- so. When that was is not kept: it would say when consent was revoked, and by that which of the released
-- households the device was in.
ALTER TABLE fleet_device ADD COLUMN speaks_on boolean NOT NULL DEFAULT false;
